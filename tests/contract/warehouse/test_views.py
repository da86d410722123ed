"""What the views show of hand-made rows: repeated, late, out of order, and of another tenant."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from common.times import start_of_day, to_rfc3339, utc_now
from common.warehouse.bigquery import Central
from common.warehouse.tenant_datasets import DatasetsOfTenants

type Row = dict[str, Any]

NOW = utc_now()
# Five seconds: a test that starts right after midnight still writes today's rows.
TODAY = max(start_of_day(NOW), NOW - timedelta(seconds=5))
LAST_YEAR = NOW - timedelta(days=300)
RUN_DEFAULTS: Row = {"pipeline_id": "daily", "config_version": 2, "trigger_type": "api", "trigger_by": "test"}
STEP_DEFAULTS: Row = {
    "step_type": "bq_etl.query",
    "step_index": 0,
    "level": 1,
    "attempt": 1,
    "start_time": to_rfc3339(TODAY),
}


def append(central: Central, table: str, *rows: Mapping[str, Any]) -> None:
    """Append rows as they are given, one after another in time unless they say when."""
    moments = (NOW + timedelta(seconds=second) for second in range(len(rows)))
    stamped = [
        {"recorded_at": to_rfc3339(moment)} | dict(row) for moment, row in zip(moments, rows, strict=True)
    ]
    assert central.client.insert_rows_json(central.table(table), stamped) == []


def run(tenant_id: str, name: str, status: str, start: datetime = TODAY, **values: Any) -> Row:
    """Make a row of a run."""
    identity = {"tenant_id": tenant_id, "pipeline_logging_id": name, "status": status}
    return RUN_DEFAULTS | identity | {"start_time": to_rfc3339(start)} | values


def step(tenant_id: str, run_name: str, name: str, status: str, **values: Any) -> Row:
    """Make a row of a step."""
    attempt = values.get("attempt", 1)
    identity = {
        "tenant_id": tenant_id,
        "pipeline_logging_id": run_name,
        "step_id": name,
        "step_logging_id": f"{run_name}-{name}-{attempt}",
        "status": status,
    }
    return STEP_DEFAULTS | identity | values


def entry(name: str, status: str, **values: Any) -> Row:
    """Make a row of the queue."""
    return {
        "queue_id": name,
        "tenant_id": "acme",
        "config_id": "daily",
        "status": status,
        "scheduled_time": late(9),
        "priority": 5,
        "added_at": late(9),
    } | values


def firing(name: str, status: str, **values: Any) -> Row:
    """Make a row of a firing."""
    return {
        "scheduled_run_id": name,
        "tenant_id": "acme",
        "config_id": "daily",
        "status": status,
        "scheduled_time": to_rfc3339(TODAY),
        "priority": 5,
        "retry_count": 0,
        "max_retries": 0,
        "created_at": late(9),
    } | values


def check(tenant_id: str, run_name: str, name: str, status: str) -> Row:
    """Make the row of a quality result."""
    return {
        "tenant_id": tenant_id,
        "pipeline_logging_id": run_name,
        "dq_result_id": f"{run_name}-{name}",
        "check_name": name,
        "status": status,
        "target_table": "out",
        "details": '{"expected": 0, "found": 3}',
        "executed_at": to_rfc3339(TODAY),
        "ingestion_date": TODAY.date().isoformat(),
    }


def late(seconds: float) -> str:
    """Name a moment before now."""
    return to_rfc3339(NOW - timedelta(seconds=seconds))


def profile(tenant_id: str, company_name: str, recorded_at: str) -> Row:
    """Make a profile's row."""
    return {
        "tenant_id": tenant_id,
        "company_name": company_name,
        "admin_email": f"admin@{tenant_id}.com",
        "tenant_dataset_id": tenant_id,
        "status": "ACTIVE",
        "created_at": late(99),
        "recorded_at": recorded_at,
    }


def subscription(tenant_id: str, plan_name: str, daily_limit: int, recorded_at: str) -> Row:
    """Make a subscription's row."""
    return {
        "subscription_id": f"subscription of {tenant_id}",
        "tenant_id": tenant_id,
        "plan_name": plan_name,
        "status": "ACTIVE",
        "daily_limit": daily_limit,
        "monthly_limit": 30 * daily_limit,
        "concurrent_limit": 2,
        "created_at": late(99),
        "recorded_at": recorded_at,
    }


def config(version: int, *, is_active: bool = True) -> Row:
    """Make a config's row."""
    return {
        "config_id": "daily",
        "tenant_id": "acme",
        "version": version,
        "pipeline_yaml": f"pipeline: {version}",
        "content_hash": str(version),
        "pipeline_name": f"Daily, version {version}",
        "pipeline_version": f"{version}.0.0",
        "is_active": is_active,
        "created_at": late(99),
        "recorded_at": late(50 - version),
    }


@pytest.fixture(scope="module")
def filled(bootstrapped: Central) -> Central:
    """Fill the central tables: acme with all kinds of runs, umbra with one, quiet with none."""
    append(
        bootstrapped,
        "tenant_profiles",
        profile("acme", "Acme now", late(10)),
        profile("acme", "Acme once", late(20)),
        profile("umbra", "Umbra", late(10)),
        profile("quiet", "Quiet", late(10)),
    )
    append(
        bootstrapped,
        "tenant_subscriptions",
        subscription("acme", "PROFESSIONAL", 25, late(10)),
        subscription("acme", "STARTER", 6, late(20)),
        subscription("umbra", "STARTER", 1, late(10)),
        subscription("quiet", "STARTER", 6, late(10)),
    )
    append(
        bootstrapped, "tenant_pipeline_configs", config(1), config(2), config(2), config(3, is_active=False)
    )
    _append_runs(bootstrapped)
    _append_steps(bootstrapped)
    append(
        bootstrapped,
        "tenant_dq_results",
        check("acme", "failed", "rows", "PASSED"),
        check("acme", "failed", "rows", "PASSED"),
        check("acme", "failed", "nulls", "WARNED"),
        check("acme", "failed", "unique", "FAILED"),
        check("umbra", "done", "rows", "FAILED"),
    )
    append(
        bootstrapped,
        "tenant_pipeline_execution_queue",
        entry("one", "QUEUED", recorded_at=late(9)),
        entry("one", "CANCELLED", recorded_at=late(5)),
        # A filler that was slow says that it has begun: it was cancelled before, which counts.
        entry("one", "COMPLETED", recorded_at=late(4)),
        entry("two", "QUEUED", recorded_at=late(9)),
        # The same request twice at once: each names its own moment.
        entry("two", "QUEUED", recorded_at=late(8), scheduled_time=late(8)),
    )
    append(
        bootstrapped,
        "tenant_scheduled_pipeline_runs",
        firing("one", "FAILED", recorded_at=late(5)),
        firing("one", "PENDING", recorded_at=late(4)),
        firing("one", "COMPLETED", recorded_at=late(3)),
        firing("two", "QUEUED", recorded_at=late(5)),
        firing("two", "PENDING", recorded_at=late(4)),
    )
    for tenant_id in ("acme", "umbra", "quiet"):
        DatasetsOfTenants(central=bootstrapped).create(tenant_id, "owner")
        DatasetsOfTenants(central=bootstrapped).put_view(tenant_id)
    return bootstrapped


def _append_runs(central: Central) -> None:
    append(
        central,
        "tenant_pipeline_runs",
        # The terminal row came first, and a second, other end after it: the first end counts.
        run("acme", "done", "COMPLETED", duration_ms=1000, recorded_at=late(4), end_time=late(4)),
        run("acme", "done", "PENDING", recorded_at=late(5)),
        run("acme", "done", "FAILED", recorded_at=late(3), error_message="too late"),
        run("acme", "done", "PENDING", recorded_at=late(1)),
        run("acme", "failed", "PENDING", recorded_at=late(5)),
        run("acme", "failed", "FAILED", duration_ms=9000, error_message="it broke"),
        run("acme", "failed", "FAILED", duration_ms=9000, error_message="it broke"),
        run("acme", "started", "PENDING"),
        run("acme", "waiting", "PENDING", pipeline_id="other", config_version=None),
        run("acme", "old", "COMPLETED", LAST_YEAR, duration_ms=5),
        run("umbra", "done", "CANCELLED"),
    )


def _append_steps(central: Central) -> None:
    append(
        central,
        "tenant_step_logs",
        # The second attempt counts, whatever the first one's late row says; COMPLETED beats RUNNING.
        step("acme", "done", "extract", "COMPLETED", attempt=2, rows_processed=7, bytes_billed=10),
        step("acme", "done", "extract", "RUNNING", attempt=2),
        step("acme", "done", "extract", "FAILED", attempt=1, error_message="first try", bytes_billed=3),
        step("acme", "done", "load", "COMPLETED", step_index=1, level=2, rows_processed=5, bytes_billed=0),
        step("acme", "done", "load", "COMPLETED", step_index=1, level=2, rows_processed=5, bytes_billed=0),
        step("acme", "failed", "extract", "RUNNING"),
        step("acme", "failed", "extract", "FAILED", error_message="no such column", end_time=late(1)),
        step("acme", "failed", "load", "SKIPPED", step_index=1, level=2),
        # The step is at its second job; the first one took two attempts and is done.
        step(
            "acme", "started", "extract", "RUNNING", attempt=2, job_index=0, end_time=late(1), bytes_billed=20
        ),
        step("acme", "started", "extract", "RUNNING", job_name="publish", job_index=1),
        step("umbra", "done", "extract", "FAILED", error_message="secret of umbra"),
    )


def view_rows(central: Central, view: str) -> dict[str, Row]:
    """Read a tenant's view, by run."""
    rows = central.client.query_and_wait(f"SELECT * FROM {view}")
    return {row["pipeline_logging_id"]: dict(row.items()) for row in rows}


@pytest.fixture(scope="module")
def acme(filled: Central) -> dict[str, Row]:
    """Read what acme sees, by run."""
    return view_rows(filled, "acme.tenant_comprehensive_view")


def test_the_view_has_one_row_per_run(filled: Central, acme: dict[str, Row]) -> None:
    (counted,) = filled.client.query_and_wait("SELECT COUNT(*) AS n FROM acme.tenant_comprehensive_view")
    assert set(acme) == {"done", "failed", "started", "waiting", "old"}
    assert counted["n"] == 5


def test_each_row_tells_the_tenants_latest_profile_and_plan(acme: dict[str, Row]) -> None:
    for row in acme.values():
        assert (row["tenant_id"], row["company_name"]) == ("acme", "Acme now")
        assert (row["plan_name"], row["subscription_daily_limit"], row["daily_limit"]) == (
            "PROFESSIONAL",
            25,
            25,
        )


def test_todays_quota_is_counted_from_the_runs(acme: dict[str, Row]) -> None:
    row = acme["done"]
    assert row["usage_date"] == TODAY.date()
    assert (row["pipelines_run_today"], row["pipelines_run_month"]) == (4, 4)
    assert (row["pipelines_succeeded_today"], row["pipelines_failed_today"]) == (1, 1)
    assert row["concurrent_pipelines_running"] == 2
    assert row["daily_usage_percent"] == 16.0
    assert row["quota_status"] == "CONCURRENT_LIMIT_REACHED"


def test_the_first_end_of_a_run_counts(acme: dict[str, Row]) -> None:
    done = acme["done"]
    assert (done["pipeline_status"], done["pipeline_duration_ms"]) == ("COMPLETED", 1000)
    assert done["pipeline_error_message"] is None
    assert done["has_errors"] is False


def test_a_pending_run_with_steps_is_running_and_one_without_is_not(acme: dict[str, Row]) -> None:
    assert acme["started"]["pipeline_status"] == "RUNNING"
    assert acme["waiting"]["pipeline_status"] == "PENDING"
    assert acme["waiting"]["total_steps"] == 0


def test_steps_are_counted_once_by_their_latest_attempt(acme: dict[str, Row]) -> None:
    done, failed = acme["done"], acme["failed"]
    assert (done["total_steps"], done["steps_completed"], done["steps_failed"]) == (2, 2, 0)
    assert (done["total_rows_processed"], done["total_bytes_billed"]) == (12, 13), "bytes of both attempts"
    assert acme["started"]["total_bytes_billed"] == 20, "bytes of the job before"
    assert done["failed_steps_details"] == []
    assert (failed["total_steps"], failed["steps_failed"], failed["steps_skipped"]) == (2, 1, 1)
    assert (acme["started"]["steps_running"], failed["steps_running"]) == (1, 0)
    (detail,) = failed["failed_steps_details"]
    assert (detail["step_name"], detail["error_message"]) == ("extract", "no such column")


def test_quality_results_are_counted_by_their_real_states(acme: dict[str, Row]) -> None:
    failed = acme["failed"]
    assert failed["total_dq_checks"] == 3
    states = (failed["dq_checks_passed"], failed["dq_checks_warning"], failed["dq_checks_failed"])
    assert states == (1, 1, 1)
    assert (failed["total_expectations_passed"], failed["total_expectations_failed"]) == (1, 2)
    (detail,) = failed["failed_dq_details"]
    assert (detail["table_name"], detail["check_name"]) == ("out", "unique")
    assert failed["has_errors"] is True
    assert acme["done"]["total_dq_checks"] == 0


def test_a_day_of_a_pipeline_is_summed_up_over_its_runs(acme: dict[str, Row]) -> None:
    done = acme["done"]
    assert (done["daily_total_runs"], done["daily_running_runs"], done["daily_pending_runs"]) == (3, 1, 0)
    assert (done["daily_successful_runs"], done["daily_failed_runs"]) == (1, 1)
    assert (done["daily_avg_duration_ms"], done["daily_max_duration_ms"]) == (5000, 9000)
    assert done["daily_success_rate"] == 50.0
    assert (done["performance_status"], acme["failed"]["performance_status"]) == ("FAST", "NORMAL")
    assert acme["old"]["daily_total_runs"] == 1


def test_a_run_shows_the_name_of_the_config_version_that_it_ran(acme: dict[str, Row]) -> None:
    assert (acme["done"]["pipeline_name"], acme["done"]["pipeline_version"]) == ("Daily, version 2", "2.0.0")
    assert acme["waiting"]["pipeline_name"] is None


def test_a_tenant_sees_nothing_of_another(filled: Central, acme: dict[str, Row]) -> None:
    umbra = view_rows(filled, "umbra.tenant_comprehensive_view")
    assert list(umbra) == ["done"]
    assert (umbra["done"]["tenant_id"], umbra["done"]["pipeline_status"]) == ("umbra", "CANCELLED")
    assert umbra["done"]["quota_status"] == "DAILY_LIMIT_REACHED"
    assert "umbra" not in repr(acme)


def test_a_tenant_without_runs_has_one_row_with_todays_quota(filled: Central) -> None:
    quiet = view_rows(filled, "quiet.tenant_comprehensive_view")
    (row,) = quiet.values()
    assert (row["pipelines_run_today"], row["daily_limit"], row["quota_status"]) == (0, 6, "AVAILABLE")
    assert (row["pipeline_logging_id"], row["performance_status"]) == (None, None)


def test_the_view_can_be_filtered_by_time(filled: Central) -> None:
    rows = filled.client.query_and_wait(
        "SELECT pipeline_logging_id FROM acme.tenant_comprehensive_view"
        " WHERE pipeline_start_time < TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 2 DAY)"
    )
    assert [row["pipeline_logging_id"] for row in rows] == ["old"]


def current(central: Central, view: str, columns: str, tenant_id: str = "acme") -> list[tuple[Any, ...]]:
    """Read columns of a central view for one tenant, in order."""
    rows = central.client.query_and_wait(
        f"SELECT {columns} FROM tenants.{view} WHERE tenant_id = '{tenant_id}' ORDER BY {columns}"
    )
    return [tuple(row.values()) for row in rows]


def test_the_current_views_show_the_latest_rows(filled: Central) -> None:
    assert current(filled, "current_tenant_profiles", "company_name") == [("Acme now",)]
    assert current(filled, "current_subscriptions", "plan_name") == [("PROFESSIONAL",)]
    assert current(filled, "current_pipeline_configs", "version, is_active") == [(3, False)]


def test_current_pipeline_runs_shows_the_first_end_else_the_latest_row(filled: Central) -> None:
    assert current(filled, "current_pipeline_runs", "pipeline_logging_id, status") == [
        ("done", "COMPLETED"),
        ("failed", "FAILED"),
        ("old", "COMPLETED"),
        ("started", "PENDING"),
        ("waiting", "PENDING"),
    ]


def test_the_first_end_of_a_queue_entry_and_of_a_firing_counts(filled: Central) -> None:
    assert current(filled, "current_pipeline_queue", "queue_id, status") == [
        ("one", "CANCELLED"),
        ("two", "QUEUED"),
    ]
    assert current(filled, "current_firings", "scheduled_run_id, status") == [
        ("one", "FAILED"),
        ("two", "PENDING"),
    ]


def test_current_step_logs_shows_the_latest_attempt_of_each_step(filled: Central) -> None:
    assert current(filled, "current_step_logs", "pipeline_logging_id, step_id, attempt, status") == [
        ("done", "extract", 2, "COMPLETED"),
        ("done", "load", 1, "COMPLETED"),
        ("failed", "extract", 1, "FAILED"),
        ("failed", "load", 1, "SKIPPED"),
        ("started", "extract", 1, "RUNNING"),
    ]


def test_the_operators_view_has_one_row_per_step_and_counts_steps_per_run(filled: Central) -> None:
    columns = "pipeline_logging_id, step_id, pipeline_status, step_status, total_steps, steps_completed"
    rows = [
        row
        for row in current(filled, "tenant_pipeline_execution_view", columns)
        if row[0] in {"done", "failed"}
    ]
    assert rows == [
        ("done", "extract", "COMPLETED", "COMPLETED", 2, 2),
        ("done", "load", "COMPLETED", "COMPLETED", 2, 2),
        ("failed", "extract", "FAILED", "FAILED", 2, 0),
        ("failed", "load", "FAILED", "SKIPPED", 2, 0),
    ]
    other = current(
        filled, "tenant_pipeline_execution_view", "pipeline_logging_id, pipeline_status, step_status"
    )
    assert ("waiting", "PENDING", None) in other
    assert ("started", "RUNNING", "RUNNING") in other

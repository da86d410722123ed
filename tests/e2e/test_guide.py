"""The production guide's commands, typed as it prints them, and what it says of their answers."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from google.cloud import bigquery

from local.demo.verdict import check_guide_rows
from tests.e2e.curl import typed
from tests.e2e.platforms import ADMIN_KEY, RunningPlatform
from tests.e2e.tenants import Answer, Tenant, ask, steps_of

CENTRAL_TABLES = {
    "tenant_profiles": {"tenant_id", "company_name", "status"},
    "tenant_api_keys": {"api_key_hash", "tenant_id", "is_active"},
    "tenant_subscriptions": {"tenant_id", "plan_name", "daily_limit"},
    "tenant_usage_quotas": {"tenant_id", "pipelines_run_today"},
    "tenant_pipeline_configs": {"config_id", "tenant_id", "pipeline_yaml"},
    "tenant_scheduled_pipeline_runs": {"scheduled_run_id", "status"},
    "tenant_pipeline_execution_queue": {"queue_id", "priority"},
    "tenant_cloud_credentials": {"credential_id", "provider"},
    "tenant_pipeline_runs": {"pipeline_logging_id", "tenant_id", "status"},
    "tenant_step_logs": {"step_id", "tenant_id", "status", "error_message"},
    "tenant_dq_results": {"check_name", "tenant_id", "status", "row_count"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """The answers to the guide's commands, typed in its order, and the tenant that they made."""

    onboard: Answer
    upload: Answer
    run: Answer
    status: Answer
    quota: Answer
    tenant: Tenant


@pytest.fixture(scope="module")
def guide(platform: RunningPlatform, tmp_path_factory: pytest.TempPathFactory) -> Guide:
    home = tmp_path_factory.mktemp("curl")
    host = f"127.0.0.1:{platform.port}"
    onboard = typed("onboard", host, home)
    tenant = Tenant(url=platform.url, id="customer_name", key=onboard.body["api_key"])
    upload = typed("upload", host, home, API_KEY=tenant.key)
    run = typed("run", host, home, API_KEY=tenant.key)
    run_id = run.body["pipeline_logging_id"]
    tenant.ended(run_id)
    return Guide(
        onboard=onboard,
        upload=upload,
        run=run,
        status=typed("status", host, home, run_id=run_id, API_KEY=tenant.key),
        quota=typed("quota", host, home, API_KEY=tenant.key),
        tenant=tenant,
    )


def test_bootstrap_makes_the_central_tables(bootstrap: Answer, tables: bigquery.Client) -> None:
    assert bootstrap.status == 200
    assert set(bootstrap.body["tables_created"]) >= CENTRAL_TABLES.keys()
    for table, key_fields in CENTRAL_TABLES.items():
        columns = {field.name for field in tables.get_table(f"tenants.{table}").schema}
        assert key_fields <= columns


def test_a_second_bootstrap_changes_nothing(platform: RunningPlatform) -> None:
    again = ask(platform.url, "POST", "/admin/bootstrap", {}, X_Admin_Key=ADMIN_KEY)
    assert again.status == 200
    assert again.body["tables_created"] == []
    assert set(again.body["tables_existed"]) >= CENTRAL_TABLES.keys()


def test_onboarding_shows_the_key_once_and_keeps_its_hash(guide: Guide, tables: bigquery.Client) -> None:
    assert guide.onboard.status == 201
    assert guide.onboard.body["subscription_plan"] == "PROFESSIONAL"
    assert re.fullmatch("customer_name_api_[A-Za-z0-9]{16}", guide.tenant.key)
    (row,) = tables.query_and_wait(
        "SELECT * FROM tenants.tenant_api_keys "
        "WHERE tenant_id = 'customer_name' AND created_by = 'onboarding'"
    )
    assert row["api_key_hash"] == hashlib.sha256(guide.tenant.key.encode()).hexdigest()
    assert guide.tenant.key not in str(row)


def test_onboarding_again_is_a_conflict(guide: Guide, platform: RunningPlatform, tmp_path: Path) -> None:
    again = typed("onboard", f"127.0.0.1:{platform.port}", tmp_path)
    assert again.status == 409
    assert again.headers["Content-Type"] == "application/problem+json"
    assert guide.tenant.ask("GET", "/api/v1/pipelines/history").status == 200


def test_the_upload_survives_that_curl_strips_line_breaks(guide: Guide) -> None:
    assert guide.upload.status == 201
    assert guide.upload.body["levels"] == [["extract_data"], ["transform_data"]]
    listed = guide.tenant.ask("GET", "/api/v1/pipelines/configs").body["configs"]
    assert [config["config_id"] for config in listed] == ["bq_etl_test"]


def test_the_run_is_admitted_and_links_to_its_status(guide: Guide) -> None:
    assert guide.run.status == 202
    assert guide.run.body["status"] == "PENDING"
    assert guide.run.body["links"]["status"].endswith(guide.run.body["pipeline_logging_id"])
    assert guide.run.headers["Location"] == guide.run.body["links"]["status"]


def test_the_run_completes_level_by_level(guide: Guide) -> None:
    assert guide.status.status == 200
    assert guide.status.body["status"] == "COMPLETED"
    first, second = steps_of(guide.status.body)
    assert [first["rows_processed"], second["rows_processed"]] == [6, 3]
    assert first["end_time"] <= second["start_time"]
    assert all(step["job_id"].startswith("cvg-step-") for step in (first, second))


def test_the_rows_are_those_of_the_date_that_was_asked_for(guide: Guide, tables: bigquery.Client) -> None:
    rows = tables.query_and_wait("SELECT * FROM customer_name.bq_etl_test_final ORDER BY region")
    check_guide_rows("bq_etl_test_final", [dict(row.items()) for row in rows])


def test_the_quota_counts_the_run_against_the_plan(guide: Guide) -> None:
    assert guide.quota.status == 200
    assert guide.quota.body["plan_name"] == "PROFESSIONAL"
    uses = {name: (guide.quota.body[name]["used"], guide.quota.body[name]["limit"]) for name in _LIMITS}
    assert uses == {"daily": (1, 25), "monthly": (1, 750), "concurrent": (0, 5)}


def test_the_history_has_the_run(guide: Guide) -> None:
    history = guide.tenant.ask("GET", "/api/v1/pipelines/history").body
    assert [run["pipeline_logging_id"] for run in history["runs"]] == [guide.run.body["pipeline_logging_id"]]


def test_the_tenants_view_shows_one_row_for_the_run(guide: Guide, tables: bigquery.Client) -> None:
    (row,) = tables.query_and_wait("SELECT * FROM customer_name.tenant_comprehensive_view")
    assert row["pipeline_logging_id"] == guide.run.body["pipeline_logging_id"]
    assert (row["pipeline_status"], row["total_steps"], row["steps_completed"]) == ("COMPLETED", 2, 2)
    assert (row["company_name"], row["pipelines_run_today"], row["daily_limit"]) == ("Customer Inc", 1, 25)


def test_the_operator_sees_the_tenant(guide: Guide) -> None:
    seen = ask(guide.tenant.url, "GET", "/admin/tenants/customer_name", X_Admin_Key=ADMIN_KEY)
    assert seen.status == 200
    assert seen.body["subscription"]["plan_name"] == "PROFESSIONAL"
    assert seen.body["datasets"] == ["customer_name"]
    assert guide.tenant.key not in str(seen.body)


def test_the_operator_makes_a_second_key_and_revokes_it(guide: Guide) -> None:
    admin = {"X_Admin_Key": ADMIN_KEY}
    made = ask(guide.tenant.url, "POST", "/admin/api-keys", {"tenant_id": "customer_name"}, **admin)
    assert made.status == 201
    second = Tenant(url=guide.tenant.url, id="customer_name", key=made.body["api_key"])
    path = f"/admin/api-keys/{made.body['api_key_hash']}"
    assert ask(guide.tenant.url, "DELETE", path, **admin).status == 200
    # Never used before it was revoked, so no instance remembers it.
    assert second.ask("GET", "/api/v1/tenants/quota").status == 401


def test_the_tables_of_a_tenant_and_the_central_ones_are_apart(guide: Guide, tables: bigquery.Client) -> None:
    own = {table.table_id for table in tables.list_tables("customer_name")}
    assert own == {"tenant_comprehensive_view", "bq_etl_test_extracted", "bq_etl_test_final"}


_LIMITS = ("daily", "monthly", "concurrent")

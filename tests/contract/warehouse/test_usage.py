"""Usage on the central tables: what counts, once, on which day; and the documented query beside it."""

import re
from datetime import date, timedelta
from pathlib import Path

import pytest

from common.costs.usage import UsageFilter, UsageRow
from common.runs.run import RunStatus, StepRow, StepStatus
from common.warehouse.bigquery import Central, Queries
from common.warehouse.runs import RunRows
from common.warehouse.streaming import Streaming
from common.warehouse.usage import UsageRows
from tests.fakes.clock import START
from tests.unit.runs.examples import a_run

DOCUMENT = Path(__file__).parents[3] / "docs" / "usage.md"
DAY = timedelta(days=1)
TODAY = START.date()


def a_step(step_id: str, status: StepStatus, attempt: int = 1, **more: object) -> StepRow:
    fields: dict[str, object] = {
        "step_id": step_id,
        "ps_type": "bq_etl.query",
        "index": 0,
        "level": 1,
        "attempt": attempt,
        "status": status,
        "started_at": START,
        "ended_at": None if status is StepStatus.RUNNING else START,
        "job_id": f"cvg-step-{step_id}-{attempt}",
    }
    return StepRow(**fields | more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def rows(bootstrapped: Central) -> UsageRows:
    """Lay down two tenants' runs, with repeats of rows, retries, a job elsewhere, and a day between."""
    queries = Queries(central=bootstrapped)
    store = RunRows(streaming=Streaming(central=bootstrapped))
    run = a_run(tenant_id="acme", run_id="run-1", ticket=1)
    store.append_run(run, RunStatus.PENDING, START)
    for moment in (START, START + timedelta(seconds=1)):  # A repeat of what was delivered twice.
        store.append_steps(run, [a_step("one", StepStatus.RUNNING)], moment)
        store.append_steps(run, [a_step("one", StepStatus.FAILED, bytes_billed=None)], moment)
        done = a_step("one", StepStatus.COMPLETED, 2, bytes_processed=80, bytes_billed=100)
        store.append_steps(run, [done], moment)
    elsewhere = a_step("two", StepStatus.COMPLETED, bytes_billed=1000, job_project="theirs")
    cancelled = a_step("three", StepStatus.CANCELLED)
    skipped = a_step("four", StepStatus.SKIPPED, job_id="")
    store.append_steps(run, [elsewhere, cancelled, skipped], START)
    store.append_run(run, RunStatus.FAILED, START + timedelta(minutes=1))
    later = a_run(tenant_id="acme", run_id="run-2", ticket=2, started_at=START + DAY)
    store.append_run(later, RunStatus.COMPLETED, START + DAY)
    other = a_run(tenant_id="other", run_id="run-3", ticket=1)
    store.append_run(other, RunStatus.COMPLETED, START)
    store.append_steps(other, [a_step("one", StepStatus.COMPLETED, bytes_billed=7)], START)
    return UsageRows(queries=queries)


def asked(rows: UsageRows, *by: str, last: date = TODAY, config_id: str = "") -> list[UsageRow]:
    wanted = UsageFilter(first=TODAY, last=last, by=frozenset(by), config_id=config_id)
    return list(rows.read_usage(["acme"], wanted, 100))


def test_every_attempt_counts_once_and_the_own_project_apart(rows: UsageRows) -> None:
    (row,) = asked(rows)
    assert (row.tenant_id, row.day, row.pipeline_id, row.step_id) == ("acme", None, None, None)
    used = row.used
    assert (used.runs, used.failures, used.jobs) == (1, 1, 4)
    assert (used.bytes_processed, used.bytes_billed, used.own_project_bytes_billed) == (80, 100, 1000)
    assert used.jobs_of_unknown_bytes == 1, "of the cancelled job BigQuery has not said it"


def test_days_are_told_apart(rows: UsageRows) -> None:
    found = asked(rows, "day", last=TODAY + DAY)
    assert [(row.day, row.used.runs, row.used.jobs) for row in found] == [(TODAY, 1, 4), (TODAY + DAY, 1, 0)]


def test_a_step_that_was_never_tried_is_not_there(rows: UsageRows) -> None:
    found = asked(rows, "pipeline", "step")
    assert [(row.step_id, row.used.runs, row.used.failures, row.used.jobs) for row in found] == [
        ("one", 1, 0, 2),
        ("three", 1, 0, 1),
        ("two", 1, 0, 1),
    ]


def test_one_pipeline_is_asked_for_alone(rows: UsageRows) -> None:
    assert asked(rows, config_id="another") == []
    assert asked(rows, config_id="daily") == asked(rows)


def test_the_tenants_of_some_days_are_those_with_rows(rows: UsageRows) -> None:
    day = UsageFilter(first=TODAY, last=TODAY, by=frozenset())
    assert rows.read_tenants(day) == ["acme", "other"]
    before = UsageFilter(first=TODAY - DAY, last=TODAY - DAY, by=frozenset())
    assert rows.read_tenants(before) == []


def test_the_documented_query_says_the_same(rows: UsageRows) -> None:
    (sql,) = re.findall(r"```sql\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    central = rows.queries.central
    sql = sql.replace("PROJECT.tenants", f"{central.project}.{central.dataset}")
    sql = sql.replace("2024-01-01", TODAY.isoformat()).replace("2024-02-01", (TODAY + DAY).isoformat())
    documented = {row["tenant_id"]: row for row in central.client.query_and_wait(sql)}
    wanted = UsageFilter(first=TODAY, last=TODAY, by=frozenset({"day", "pipeline"}))
    found = rows.read_usage(["acme", "other"], wanted, 100)
    assert {row.tenant_id: row.used.bytes_billed for row in found} == {
        tenant_id: row["bytes_billed"] for tenant_id, row in documented.items()
    }
    assert documented["acme"]["cost"] == pytest.approx(100 / 2**40 * 6.25)

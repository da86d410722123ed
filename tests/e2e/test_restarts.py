"""`make run` as a process: delivered to badly, stopped with a run in flight, started again where it was."""

import signal
from collections import Counter
from dataclasses import dataclass

import pytest
from google.cloud import bigquery

from tests.e2e.platforms import ADMIN_KEY, RunningPlatform, running_platform
from tests.e2e.tenants import Tenant, ask, query_step, steps_of

TROUBLED = ("-m", "tests.e2e.troubled_platform")
BURST = 8
"""More runs than Pub/Sub's push window lets out at first, and as many as a plan lets run at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """What was seen of a platform that was stopped right after a run had been admitted."""

    appended_before: dict[str, list[int]]
    attempts_before: list[int]
    burst_ends: Counter[str]
    burst_rows: dict[str, list[int]]
    counts_before: dict[str, int]
    exit_codes: tuple[int, int]
    were_processes_left: tuple[bool, bool]
    counts_after: dict[str, int]
    end_of_run_in_flight: str
    appended_after: dict[str, list[int]]


@pytest.fixture(scope="module")
def restart(tmp_path_factory: pytest.TempPathFactory) -> Restart:
    """Run a pipeline that appends, then many runs at once; stop the platform in a run, and start it again.

    Every message of the first platform is delivered twice, late and out of order, and its BigQuery's
    streaming learns late of the central tables.
    """
    folder = tmp_path_factory.mktemp("restart")
    data = str(folder / "data")
    with running_platform(folder / "first.log", program=TROUBLED, DATA_DIR=data) as first:
        assert ask(first.url, "POST", "/admin/bootstrap", {}, X_Admin_Key=ADMIN_KEY).status == 200
        tenant = Tenant.onboard(first.url)
        tenant.upload(
            "appends",
            query_step("a", "SELECT 1 AS n", "ones", write_disposition="WRITE_APPEND"),
            query_step("b", "SELECT COUNT(*) AS n FROM ones", "counts", write_disposition="WRITE_APPEND"),
        )
        before = tenant.completed("appends")
        appended_before = appended(first, tenant, "ones", "counts")
        burst_ends = burst(tenant)
        burst_rows = appended(first, tenant, "firsts", "lasts")
        counts_before = row_counts(first)
        in_flight = tenant.run("appends")
        first_code = first.stop(signal.SIGINT)
    with running_platform(folder / "second.log", DATA_DIR=data) as second:
        counts_after = row_counts(second)
        end = Tenant(url=second.url, id=tenant.id, key=tenant.key).ended(in_flight)["status"]
        appended_after = appended(second, tenant, "ones", "counts")
        second_code = second.stop(signal.SIGTERM)
    return Restart(
        appended_before=appended_before,
        attempts_before=[step["attempt"] for step in steps_of(before)],
        burst_ends=burst_ends,
        burst_rows=burst_rows,
        counts_before=counts_before,
        exit_codes=(first_code, second_code),
        were_processes_left=(first.has_processes(), second.has_processes()),
        counts_after=counts_after,
        end_of_run_in_flight=end,
        appended_after=appended_after,
    )


def burst(tenant: Tenant) -> Counter[str]:
    """Ask for many runs, each of which appends its own number; wait for all, and count how they end."""
    tenant.upload(
        "burst",
        query_step("first", "SELECT ${n} AS n", "firsts", write_disposition="WRITE_APPEND"),
        query_step("last", "SELECT n FROM firsts WHERE n = ${n}", "lasts", write_disposition="WRITE_APPEND"),
        parameters={"n": {"type": "INT64"}},
    )
    run_ids = [tenant.run("burst", {"parameters": {"n": number}}) for number in range(BURST)]
    return Counter(tenant.ended(run_id)["status"] for run_id in run_ids)


def appended(platform: RunningPlatform, tenant: Tenant, *tables: str) -> dict[str, list[int]]:
    """Read the rows of tables that a pipeline appends to."""
    with platform.bigquery() as client:
        return {
            table: sorted(row["n"] for row in client.query_and_wait(f"SELECT n FROM {tenant.id}.{table}"))
            for table in tables
        }


def row_counts(platform: RunningPlatform) -> dict[str, int]:
    """Count the rows of each central table."""
    with platform.bigquery() as client:
        names = [table.table_id for table in client.list_tables("tenants") if table.table_type == "TABLE"]
        return {name: count_rows(client, f"tenants.{name}") for name in names}


def count_rows(client: bigquery.Client, table: str) -> int:
    (row,) = client.query_and_wait(f"SELECT COUNT(*) AS n FROM {table}")
    return int(row["n"])


def test_appended_rows_are_there_once_however_often_a_level_is_delivered(restart: Restart) -> None:
    assert restart.appended_before == {"ones": [1], "counts": [1]}
    assert restart.attempts_before == [1, 1]


def test_a_burst_of_runs_appends_once_each_however_badly_its_levels_are_delivered(restart: Restart) -> None:
    assert restart.burst_ends == {"COMPLETED": BURST}
    assert restart.burst_rows == {"firsts": list(range(BURST)), "lasts": list(range(BURST))}


def test_a_stopped_platform_leaves_no_process(restart: Restart) -> None:
    assert restart.exit_codes == (0, 0)
    assert restart.were_processes_left == (False, False)


def test_no_row_is_lost_over_a_restart(restart: Restart) -> None:
    lost = [name for name, n in restart.counts_before.items() if restart.counts_after[name] < n]
    assert lost == []


def test_a_run_in_flight_goes_on_after_a_restart_and_does_nothing_twice(restart: Restart) -> None:
    assert restart.end_of_run_in_flight == "COMPLETED"
    assert restart.appended_after == {"ones": [1, 1], "counts": [1, 2]}

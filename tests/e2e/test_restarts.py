"""`make run` as a process: delivered to badly, stopped with a run in flight, started again where it was."""

import signal
from dataclasses import dataclass
from pathlib import Path

import pytest
from google.cloud import bigquery

from tests.e2e.platforms import ADMIN_KEY, RUN, START_SECONDS, RunningPlatform, running_platform, started
from tests.e2e.tenants import Tenant, ask, query_step, steps_of

TROUBLED = ("-m", "tests.e2e.troubled_platform")


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """What was seen of a platform that was stopped right after a run had been admitted."""

    appended_before: dict[str, list[int]]
    attempts_before: list[int]
    counts_before: dict[str, int]
    exit_codes: tuple[int, int]
    were_processes_left: tuple[bool, bool]
    counts_after: dict[str, int]
    end_of_run_in_flight: str
    appended_after: dict[str, list[int]]


@pytest.fixture(scope="module")
def restart(tmp_path_factory: pytest.TempPathFactory) -> Restart:
    """Run a pipeline that appends, stop the platform during its second run, and start it again.

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
        appended_before, counts_before = appended(first, tenant), row_counts(first)
        in_flight = tenant.run("appends")
        first_code = first.stop(signal.SIGINT)
    with running_platform(folder / "second.log", DATA_DIR=data) as second:
        counts_after = row_counts(second)
        end = Tenant(url=second.url, id=tenant.id, key=tenant.key).ended(in_flight)["status"]
        appended_after = appended(second, tenant)
        second_code = second.stop(signal.SIGTERM)
    return Restart(
        appended_before=appended_before,
        attempts_before=[step["attempt"] for step in steps_of(before)],
        counts_before=counts_before,
        exit_codes=(first_code, second_code),
        were_processes_left=(first.has_processes(), second.has_processes()),
        counts_after=counts_after,
        end_of_run_in_flight=end,
        appended_after=appended_after,
    )


def appended(platform: RunningPlatform, tenant: Tenant) -> dict[str, list[int]]:
    """Read the rows of the tables that the pipeline appends to."""
    with platform.bigquery() as client:
        return {
            table: sorted(row["n"] for row in client.query_and_wait(f"SELECT n FROM {tenant.id}.{table}"))
            for table in ("ones", "counts")
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


def test_a_stopped_platform_leaves_no_process(restart: Restart) -> None:
    assert restart.exit_codes == (0, 0)
    assert restart.were_processes_left == (False, False)


def test_no_row_is_lost_over_a_restart(restart: Restart) -> None:
    lost = [name for name, n in restart.counts_before.items() if restart.counts_after[name] < n]
    assert lost == []


def test_a_run_in_flight_goes_on_after_a_restart_and_does_nothing_twice(restart: Restart) -> None:
    assert restart.end_of_run_in_flight == "COMPLETED"
    assert restart.appended_after == {"ones": [1, 1], "counts": [1, 2]}


def test_a_taken_port_is_one_clear_line(platform: RunningPlatform, tmp_path: Path) -> None:
    log = tmp_path / "second.log"
    environment = {"PORT": str(platform.port), "EPHEMERAL": "1"}
    with log.open("wb") as out, started(RUN, environment, out) as process:
        assert process.wait(START_SECONDS) == 1
    (line,) = log.read_text(encoding="utf-8").splitlines()
    assert str(platform.port) in line

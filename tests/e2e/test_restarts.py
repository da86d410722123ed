"""`make run TENANT=` as a process: delivered to badly, killed in a run, started again where it was."""

import re
import signal
from dataclasses import dataclass, replace

import pytest
from google.cloud import bigquery

from local.demo.stage import free_port
from tests.e2e.platforms import RunningPlatform, running_platform
from tests.e2e.tenants import Tenant, query_step, steps_of

TENANT = "acme"
RETRIED = {"retry": {"attempts": 5, "backoff_seconds": 1}}
"""A job that dies with its platform is an attempt that has failed."""
TROUBLED = ("-m", "tests.e2e.troubled_platform")
PORTS = {"BigQuery": "BIGQUERY_PORT", "Pub/Sub": "PUBSUB_PORT", "Scheduler": "SCHEDULER_PORT"}
"""The parts that the banner names, and the variables of their ports."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """What was seen of a platform that was killed right after a run had been admitted."""

    chosen_ports: dict[str, str]
    ports: dict[str, str]
    next_step: str
    appended_before: dict[str, list[int]]
    attempts_before: list[int]
    counts_before: dict[str, int]
    counts_after: dict[str, int]
    end_of_run_in_flight: str
    appended_after: dict[str, list[int]]
    exit_code: int
    were_processes_left: bool


@pytest.fixture(scope="module")
def restart(tmp_path_factory: pytest.TempPathFactory) -> Restart:
    """Run a pipeline that appends, kill the platform in its next run, and start it again.

    The first platform begins with a tenant and has ports of its own. Every message of it is delivered twice,
    late and out of order, and its BigQuery's streaming learns late of the central tables. The second one is
    asked to stop in a run.
    """
    folder = tmp_path_factory.mktemp("restart")
    data = str(folder / "data")
    chosen = {part: str(free_port()) for part in PORTS}
    given = {PORTS[part]: port for part, port in chosen.items()} | {"TENANT": TENANT, "DATA_DIR": data}
    with running_platform(folder / "first.log", program=TROUBLED, may_be_killed=True, **given) as first:
        ports = {part: first.part(part).rpartition(":")[2] for part in PORTS}
        next_step = first.printed.rpartition("Next: ")[2]
        tenant = Tenant(url=first.url, id=TENANT, key=first.part("API key"))
        tenant.upload(
            "appends",
            query_step("a", "SELECT 1 AS n", "ones", write_disposition="WRITE_APPEND") | RETRIED,
            query_step("b", "SELECT COUNT(*) AS n FROM ones", "counts", write_disposition="WRITE_APPEND")
            | RETRIED,
        )
        before = tenant.completed("appends")
        appended_before = appended(first, tenant, "ones", "counts")
        counts_before = row_counts(first)
        in_flight = tenant.run("appends")
        first.stop(signal.SIGKILL)
    with running_platform(folder / "second.log", DATA_DIR=data) as second:
        counts_after = row_counts(second)
        tenant = replace(tenant, url=second.url)
        end = tenant.ended(in_flight)["status"]
        appended_after = appended(second, tenant, "ones", "counts")
        tenant.run("appends")
        exit_code = second.stop(signal.SIGTERM)
    return Restart(
        chosen_ports=chosen,
        ports=ports,
        next_step=next_step,
        appended_before=appended_before,
        attempts_before=[step["attempt"] for step in steps_of(before)],
        counts_before=counts_before,
        counts_after=counts_after,
        end_of_run_in_flight=end,
        appended_after=appended_after,
        exit_code=exit_code,
        were_processes_left=second.has_processes(),
    )


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


def test_a_platform_can_begin_with_a_tenant_and_with_ports_of_its_own(restart: Restart) -> None:
    assert restart.ports == restart.chosen_ports
    assert re.match("upload a pipeline.*\n +curl -X POST ", restart.next_step)


def test_appended_rows_are_there_once_however_often_a_level_is_delivered(restart: Restart) -> None:
    assert restart.appended_before == {"ones": [1], "counts": [1]}
    assert restart.attempts_before == [1, 1]


def test_no_row_is_lost_when_a_platform_is_killed(restart: Restart) -> None:
    lost = [name for name, n in restart.counts_before.items() if restart.counts_after[name] < n]
    assert lost == []


def test_a_run_in_flight_goes_on_after_the_kill_and_does_nothing_twice(restart: Restart) -> None:
    assert restart.end_of_run_in_flight == "COMPLETED"
    assert restart.appended_after == {"ones": [1, 1], "counts": [1, 2]}


def test_a_stopped_platform_leaves_no_process(restart: Restart) -> None:
    assert restart.exit_code == 0
    assert not restart.were_processes_left

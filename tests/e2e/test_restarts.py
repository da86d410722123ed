"""`make run` as a process: it ends cleanly, starts again where it was, and says why it cannot start."""

import signal
from pathlib import Path

from google.cloud import bigquery

from tests.e2e.platforms import ADMIN_KEY, RUN, START_SECONDS, RunningPlatform, running_platform, started
from tests.e2e.tenants import Tenant, ask, query_step


def row_counts(platform: RunningPlatform) -> dict[str, int]:
    """Count the rows of each central table."""
    with platform.bigquery() as client:
        names = [table.table_id for table in client.list_tables("tenants") if table.table_type == "TABLE"]
        return {name: count_rows(client, f"tenants.{name}") for name in names}


def count_rows(client: bigquery.Client, table: str) -> int:
    (row,) = client.query_and_wait(f"SELECT COUNT(*) AS n FROM {table}")
    return int(row["n"])


def test_a_platform_that_is_stopped_keeps_everything_and_goes_on_with_a_run_in_flight(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    with running_platform(tmp_path / "first.log", DATA_DIR=data) as first:
        assert ask(first.url, "POST", "/admin/bootstrap", {}, X_Admin_Key=ADMIN_KEY).status == 200
        tenant = Tenant.onboard(first.url)
        tenant.upload(
            "two_levels",
            query_step("a", "SELECT 1 AS one", "ones", write_disposition="WRITE_APPEND"),
            query_step("b", "SELECT one + 1 AS two FROM ones", "twos", write_disposition="WRITE_APPEND"),
        )
        tenant.completed("two_levels")
        before = row_counts(first)
        in_flight = tenant.run("two_levels")
        assert first.stop(signal.SIGINT) == 0
        assert not first.has_processes()
    with running_platform(tmp_path / "second.log", DATA_DIR=data) as second:
        after = row_counts(second)
        assert all(after[table] >= count for table, count in before.items())
        again = Tenant(url=second.url, id=tenant.id, key=tenant.key)
        assert again.ended(in_flight)["status"] == "COMPLETED"
        with second.bigquery() as client:
            assert count_rows(client, f"{tenant.id}.ones") == 2
            assert count_rows(client, f"{tenant.id}.twos") == 3
        assert second.stop(signal.SIGTERM) == 0
        assert not second.has_processes()


def test_a_taken_port_is_one_clear_line(platform: RunningPlatform, tmp_path: Path) -> None:
    log = tmp_path / "second.log"
    environment = {"PORT": str(platform.port), "EPHEMERAL": "1"}
    with log.open("wb") as out, started(RUN, environment, out) as process:
        assert process.wait(START_SECONDS) == 1
    (line,) = log.read_text(encoding="utf-8").splitlines()
    assert str(platform.port) in line

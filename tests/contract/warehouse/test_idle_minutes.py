"""What an idle platform has BigQuery read: the numbers of docs/cost.md, counted."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from common.dispatcher.dispatching import Dispatcher
from common.runs.offboarding_cleanup import OffboardingCleanup
from common.runs.sweeping import Sweeper
from common.warehouse.bigquery import Central, Queries
from common.warehouse.leftover_work import LeftoverWorkRows
from common.warehouse.progress import ProgressRows
from common.warehouse.schedules import ScheduleRows
from common.warehouse.unchanged import (
    PROFILES,
    SCHEDULED,
    Memory,
    RememberedLeftoverWork,
    RememberedTimetable,
)
from tests.contract.warehouse.backends import in_bigquery
from tests.contract.warehouse.test_minutes import Sent, compiled, make_dispatcher
from tests.fakes.clock import START, VirtualClock

if TYPE_CHECKING:
    from local.bigquery import LocalBigQuery

PAGE = Path(__file__).parents[3] / "docs" / "cost.md"
TEN_MEGABYTES = 10 * 1024 * 1024
MINUTE = timedelta(minutes=1)
PROFILE = {
    "tenant_id": "acme",
    "company_name": "Acme",
    "admin_email": "a@acme.example",
    "tenant_dataset_id": "acme",
    "created_at": "2026-01-01T00:00:00Z",
}
CONFIG = {
    "tenant_id": "acme",
    "config_id": "yearly",
    "version": 1,
    "pipeline_yaml": "steps: []",
    "content_hash": "0",
    "is_active": True,
    "schedule": json.dumps({"cron": "0 5 1 1 *"}),
    "schedule_cron": "0 5 1 1 *",
    "priority": 5,
    "created_at": "2026-01-01T00:00:00Z",
    "recorded_at": "2026-03-01T00:00:00Z",
}


class Platform:
    """A dispatcher on the real adapters, called minute by minute."""

    def __init__(self, central: Central, bigquery: "LocalBigQuery") -> None:
        self.central, self.bigquery = central, bigquery
        self.clock = VirtualClock(START + MINUTE)
        backend, queries, sent = in_bigquery(central), Queries(central=central), Sent()
        made = make_dispatcher(central, sent)
        self.dispatcher: Dispatcher = replace(
            made,
            sweeper=Sweeper(
                reader=ProgressRows(queries=queries),
                store=backend.store,
                claims=backend.claims,
                levels=sent,
                compile=compiled,
                clock=self.clock,
                quiet_after=timedelta(minutes=10),
            ),
            timetable=RememberedTimetable(
                timetable=ScheduleRows(queries=queries),
                clock=self.clock,
                memory=Memory(central=central, tables=SCHEDULED),
            ),
            queue=replace(made.queue, clock=self.clock),
            close=OffboardingCleanup(
                reader=RememberedLeftoverWork(
                    reader=LeftoverWorkRows(queries=queries), memory=Memory(central=central, tables=PROFILES)
                ),
                canceller=None,  # type: ignore[arg-type]
                remover=None,  # type: ignore[arg-type]
                clock=self.clock,
                grace=timedelta(days=30),
            ).close,
            clock=self.clock,
        )

    def tables_read(self) -> int:
        """Let the dispatcher do a minute's work, and count the tables that BigQuery bills for it."""
        before = self.bigquery.billing.billed_bytes
        self.dispatcher.tick()
        self.clock.advance(MINUTE)
        return (self.bigquery.billing.billed_bytes - before) // TEN_MEGABYTES

    def insert(self, table: str, row: Mapping[str, Any]) -> None:
        """Append a row as an INSERT does, so that the table tells of it."""
        names = ", ".join(row)
        values = ", ".join(
            f"JSON '{value}'" if name == "schedule" else json.dumps(value) for name, value in row.items()
        )
        self.central.client.query_and_wait(
            f"INSERT INTO `{self.central.table(table)}` ({names}) VALUES ({values})"
        )


def promised() -> dict[str, int]:
    """Read the table of docs/cost.md."""
    rows = re.findall(r"^\| (.+?) \| (\d+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {what: int(number) for what, number in rows}


@pytest.fixture(scope="module")
def platform(bootstrapped: Central, local_bigquery: "LocalBigQuery") -> Platform:
    platform = Platform(bootstrapped, local_bigquery)
    platform.insert("tenant_profiles", PROFILE | {"status": "ACTIVE", "recorded_at": "2026-01-01T00:00:00Z"})
    platform.insert("tenant_pipeline_configs", CONFIG)
    platform.dispatcher.tick()
    return platform


def test_an_idle_minute_reads_as_many_tables_as_the_page_says(platform: Platform) -> None:
    in_a_minute, in_a_quarter = promised().values()
    counted = [platform.tables_read() for _ in range(15)]
    assert counted[:14] == [in_a_minute] * 14
    assert counted[14] == in_a_minute + in_a_quarter


def test_the_pages_sum_is_right_and_below_a_terabyte() -> None:
    in_a_minute, in_a_quarter = promised().values()
    minutes = 30 * 24 * 60
    total = (minutes * in_a_minute + minutes // 15 * in_a_quarter) * TEN_MEGABYTES
    assert total < 10**12
    assert f"{total / 10**9:.0f} GB" in PAGE.read_text(encoding="utf-8")


def test_a_new_schedule_is_seen_in_the_next_minute(platform: Platform) -> None:
    platform.clock.now = platform.clock.now.replace(minute=31)
    platform.tables_read()
    soon = {"cron": "0 6 1 1 *"}
    new = CONFIG | {"version": 2, "schedule": json.dumps(soon), "schedule_cron": soon["cron"]}
    platform.insert("tenant_pipeline_configs", new)
    assert platform.tables_read() > 1
    assert platform.tables_read() == 1
    (config,) = platform.dispatcher.timetable.read("", START - timedelta(days=8))
    assert config.version == 2


def test_a_tenant_that_is_stopped_is_looked_at_each_minute_at_first(platform: Platform) -> None:
    platform.clock.now = platform.clock.now.replace(minute=46)
    stopped = {"status": "SUSPENDED", "recorded_at": platform.clock.now.isoformat()}
    platform.insert("tenant_profiles", PROFILE | stopped)
    assert platform.tables_read() > 1
    assert platform.tables_read() > 1

"""Schedules are read from the configs' rows and paused by rows, on the local BigQuery."""

import itertools
import json
from datetime import timedelta
from typing import Any

import pytest

from common.queue.firings import due_firings
from common.times import to_rfc3339
from common.warehouse.bigquery import Central, Queries
from common.warehouse.schedules import ScheduleRows
from common.warehouse.streaming import Streaming
from tests.contract.warehouse.backends import in_bigquery
from tests.fakes.clock import START
from tests.unit.runs.test_admission import LIMITS

HOUR = timedelta(hours=1)
_numbers = itertools.count()


class Schedules:
    """The rows of one new tenant."""

    def __init__(self, central: Central) -> None:
        self.tenant = f"scheduled_{next(_numbers)}"
        self.streaming = Streaming(central=central)
        self.rows = ScheduleRows(queries=Queries(central=central), clock=lambda: START)
        in_bigquery(central).add_tenants([self.tenant], LIMITS)

    def upload(self, config_id: str, version: int, schedule: dict[str, Any] | None, **more: Any) -> None:
        row: dict[str, Any] = {
            "config_id": config_id,
            "tenant_id": self.tenant,
            "version": version,
            "pipeline_yaml": "steps: []",
            "content_hash": "0",
            "is_active": True,
            "schedule": json.dumps(schedule) if schedule else None,
            "schedule_cron": schedule["cron"] if schedule else None,
            "priority": 3,
            "created_at": to_rfc3339(START),
            "recorded_at": to_rfc3339(START + version * HOUR),
        }
        name = f"{self.tenant}-{config_id}-{version}"
        self.streaming.append("tenant_pipeline_configs", {name: row | more})

    def fire(self, config_id: str, hours: int, run_id: str = "") -> None:
        row: dict[str, Any] = {
            "scheduled_run_id": run_id or f"{self.tenant}-{config_id}-{hours}",
            "config_id": config_id,
            "tenant_id": self.tenant,
            "status": "PENDING",
            "scheduled_time": to_rfc3339(START + hours * HOUR),
            "priority": 3,
            "retry_count": 0,
            "max_retries": 0,
            "created_at": to_rfc3339(START),
            "recorded_at": to_rfc3339(START + hours * HOUR),
        }
        self.streaming.append("tenant_scheduled_pipeline_runs", {f"{row['scheduled_run_id']}-{hours}": row})


@pytest.fixture
def schedules(bootstrapped: Central) -> Schedules:
    return Schedules(bootstrapped)


def test_a_schedule_is_that_of_the_latest_version_with_its_latest_firing(schedules: Schedules) -> None:
    schedules.upload("hourly", 1, {"cron": "0 1 * * *"})
    schedules.upload("hourly", 2, {"cron": "0 2 * * *", "timezone": "Asia/Tokyo", "catch_up": "all"})
    schedules.fire("hourly", 3)
    schedules.fire("hourly", 4)
    (config,) = schedules.rows.read(schedules.tenant, START)
    assert (config.config_id, config.version, config.priority) == ("hourly", 2, 3)
    assert (config.schedule.cron, config.schedule.timezone) == ("0 2 * * *", "Asia/Tokyo")
    assert (config.since, config.last_fired, config.is_paused) == (START + 2 * HOUR, START + 4 * HOUR, False)


def test_a_schedule_comes_with_what_was_refused_of_it_lately_and_what_was_refused_is_seen_to(
    schedules: Schedules,
) -> None:
    schedules.upload(
        "hourly", 1, {"cron": "0 * * * *", "max_active_runs": 3, "overlap": "skip", "reserve": 50}
    )
    for hours, run_id in ((-72, "refused-old"), (1, "refused-a"), (2, "refused-a"), (3, "")):
        schedules.fire("hourly", hours, run_id)
    schedules.fire("hourly", 4, "refused-b")
    (config,) = schedules.rows.read(schedules.tenant, START - 96 * HOUR)
    assert config.refusals == frozenset({"refused-a", "refused-b"})
    assert config.last_fired == START + 4 * HOUR
    schedule = config.schedule
    assert (schedule.max_active_runs, schedule.overlap, schedule.reserve) == (3, "skip", 50)


def test_a_new_version_with_the_same_schedule_forgets_no_missed_firing(schedules: Schedules) -> None:
    hourly = {"cron": "0 * * * *", "catch_up": "all"}
    schedules.upload("hourly", 1, {"cron": "0 1 * * *"})
    schedules.upload("hourly", 2, hourly)
    schedules.upload("hourly", 3, hourly, content_hash="1")
    schedules.upload("hourly", 4, hourly, content_hash="2")
    (config,) = schedules.rows.read(schedules.tenant, START)
    assert (config.version, config.since) == (4, START + 2 * HOUR)
    due = due_firings(config, START + 6 * HOUR)
    assert [(firing.version, (firing.scheduled_time - START) / HOUR) for firing in due] == [
        (4, 2),
        (4, 3),
        (4, 4),
        (4, 5),
        (4, 6),
    ]


MAY_TAKE: dict[str, dict[str, Any]] = {
    "runs_at_once": {"max_active_runs": 3},
    "overlap": {"overlap": "skip", "reserve": 50},
    "date": {"date": "firing", "jitter_minutes": 5},
    "defaults": {"timezone": "UTC", "enabled": True},
}
"""What is no time of a schedule's, each by the ID of a config."""


def test_what_a_schedule_may_take_makes_no_other_of_it(schedules: Schedules) -> None:
    hourly = {"cron": "0 * * * *", "catch_up": "all"}
    for config_id, more in MAY_TAKE.items():
        schedules.upload(config_id, 1, hourly)
        schedules.upload(config_id, 2, hourly | more)
        schedules.upload(config_id, 3, hourly)
    found = {config.config_id: config.since for config in schedules.rows.read(schedules.tenant, START)}
    assert found == dict.fromkeys(MAY_TAKE, START + HOUR)


OTHER_TIMES: dict[str, dict[str, Any]] = {
    "cron": {"cron": "30 * * * *"},
    "timezone": {"timezone": "Asia/Kolkata"},
    "start": {"start": "2026-01-01"},
    "end": {"end": "2036-01-01"},
    "catch_up": {"catch_up": "latest"},
    "enabled": {"enabled": False},
}
"""What makes other times of a schedule, each by the ID of a config."""


def test_other_times_begin_anew(schedules: Schedules) -> None:
    hourly = {"cron": "0 * * * *", "catch_up": "all"}
    for config_id, changed in OTHER_TIMES.items():
        schedules.upload(config_id, 1, hourly)
        schedules.upload(config_id, 2, hourly | changed)
    found = {config.config_id: config.since for config in schedules.rows.read(schedules.tenant, START)}
    assert found == dict.fromkeys(OTHER_TIMES, START + 2 * HOUR)


def test_a_schedule_that_comes_back_after_a_deletion_or_another_begins_anew(schedules: Schedules) -> None:
    hourly = {"cron": "0 * * * *"}
    schedules.upload("deleted", 1, hourly)
    schedules.upload("deleted", 2, hourly, is_active=False)
    schedules.upload("deleted", 3, hourly)
    schedules.upload("without", 1, hourly)
    schedules.upload("without", 2, None)
    schedules.upload("without", 3, hourly)
    found = schedules.rows.read(schedules.tenant, START)
    assert [(config.config_id, config.since) for config in found] == [
        ("deleted", START + 3 * HOUR),
        ("without", START + 3 * HOUR),
    ]


def test_a_config_without_a_schedule_or_deleted_is_left_out(schedules: Schedules) -> None:
    schedules.upload("plain", 1, None)
    schedules.upload("deleted", 1, {"cron": "0 1 * * *"})
    schedules.upload("deleted", 2, {"cron": "0 1 * * *"}, is_active=False)
    assert schedules.rows.read(schedules.tenant, START) == []


UNREADABLE: dict[str, dict[str, Any]] = {
    "cron": {"cron": "99 1 * * *"},
    "jitter": {"cron": "0 1 * * *", "jitter_minutes": []},
    "end": {"cron": "0 1 * * *", "end": 1},
}


def test_a_schedule_that_cannot_be_read_says_so_and_never_fires(schedules: Schedules) -> None:
    for config_id, schedule in UNREADABLE.items():
        schedules.upload(config_id, 1, schedule)
    found = schedules.rows.read(schedules.tenant, START)
    told = {config.config_id: (config.fires, bool(config.error)) for config in found}
    assert told == dict.fromkeys(UNREADABLE, (False, True))


def test_every_tenants_schedules_are_one_read(schedules: Schedules, bootstrapped: Central) -> None:
    other = Schedules(bootstrapped)
    for each in (schedules, other):
        each.upload("hourly", 1, {"cron": "0 1 * * *"})
    found = {config.tenant_id for config in schedules.rows.read("", START)}
    assert {schedules.tenant, other.tenant} <= found


def test_a_pause_lasts_over_uploads_and_a_resumption_is_a_new_beginning(schedules: Schedules) -> None:
    schedules.upload("hourly", 1, {"cron": "0 1 * * *"})
    (config,) = schedules.rows.read(schedules.tenant, START)
    schedules.rows.set_paused(config, START + 2 * HOUR, is_paused=True)
    schedules.upload("hourly", 3, {"cron": "0 3 * * *"})
    (paused,) = schedules.rows.read(schedules.tenant, START)
    assert (paused.version, paused.is_paused, paused.last_fired) == (3, True, None)
    schedules.rows.set_paused(paused, START + 5 * HOUR, is_paused=False)
    (resumed,) = schedules.rows.read(schedules.tenant, START)
    assert (resumed.is_paused, resumed.since) == (False, START + 5 * HOUR)

"""What is due: once per time, late or not, and after an outage by the policy that the file names."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from common.pipelines.intervals import Interval
from common.pipelines.schedule import Schedule
from common.queue.firings import CATCH_UP_WINDOW, MAX_AT_ONCE, ScheduledConfig, due_firings
from tests.fakes.clock import START
from tests.unit.schedules.examples import a_scheduled_config

MINUTE = timedelta(minutes=1)


def due(config: ScheduledConfig, now: datetime) -> list[float]:
    """List what is due, in minutes after START."""
    return [(firing.scheduled_time - START) / MINUTE for firing in due_firings(config, now)]


def test_each_time_is_due_once_in_months_of_minutes() -> None:
    config = a_scheduled_config("30 */6 * * *")
    fired = []
    for minute in range(0, 90 * 24 * 60, 3):
        for firing in due_firings(config, START + minute * MINUTE):
            fired.append(firing)
            config = replace(config, last_fired=firing.scheduled_time)
    assert len(fired) == len({firing.run_id for firing in fired}) == 90 * 4


def test_a_run_id_follows_from_tenant_config_and_time_alone() -> None:
    (first,) = due_firings(a_scheduled_config(), START + MINUTE)
    (second,) = due_firings(a_scheduled_config(version=2, priority=1), START + 3 * MINUTE)
    (other,) = due_firings(a_scheduled_config(tenant_id="globex"), START + MINUTE)
    assert first.run_id == second.run_id != other.run_id


@pytest.mark.parametrize(
    ("catch_up", "expected"), [("none", []), ("latest", [60.0]), ("all", [0.0, 20.0, 40.0, 60.0])]
)
def test_after_an_outage_the_policy_decides(catch_up: str, expected: list[float]) -> None:
    config = a_scheduled_config("*/20 * * * *", catch_up, last_fired=START - 20 * MINUTE)
    config = replace(config, since=START - 20 * MINUTE)
    assert due(config, START + 75 * MINUTE) == expected


def test_a_firing_that_is_only_late_was_not_missed() -> None:
    config = a_scheduled_config("*/20 * * * *", last_fired=START)
    assert due(config, START + 29 * MINUTE) == [20.0]
    assert due(config, START + 31 * MINUTE) == []


def test_what_was_missed_is_made_up_for_in_portions_and_in_order() -> None:
    config = a_scheduled_config("* * * * *", "all", last_fired=START)
    first = due(config, START + 150 * MINUTE)
    assert first == [float(minute) for minute in range(1, MAX_AT_ONCE + 1)]
    rest = due(replace(config, last_fired=START + MAX_AT_ONCE * MINUTE), START + 150 * MINUTE)
    assert rest == [float(minute) for minute in range(MAX_AT_ONCE + 1, 151)]


def test_what_was_missed_long_ago_is_left_to_a_backfill() -> None:
    config = a_scheduled_config("0 * * * *", "all")
    first = due_firings(config, START + 2 * CATCH_UP_WINDOW)[0].scheduled_time
    assert first == START + CATCH_UP_WINDOW + 60 * MINUTE


def test_nothing_before_the_upload_is_due_but_the_minute_of_the_upload_counts() -> None:
    config = a_scheduled_config("* * * * *", "all", since=START + timedelta(seconds=10))
    assert due(config, START + timedelta(seconds=20)) == [0.0]


def test_a_paused_schedule_and_a_disabled_one_are_never_due() -> None:
    config = a_scheduled_config()
    assert due(config, START + MINUTE) == [0.0]
    assert due(replace(config, is_paused=True), START + MINUTE) == []
    assert due(replace(config, schedule=replace(config.schedule, is_enabled=False)), START + MINUTE) == []


def test_jitter_makes_a_firing_late_and_leaves_its_time_and_id_alone() -> None:
    config = a_scheduled_config()
    jittered = replace(config, schedule=replace(config.schedule, delay=3 * MINUTE))
    assert due(jittered, START + 2 * MINUTE) == []
    assert due(jittered, START + 3 * MINUTE) == [0.0]
    assert due_firings(jittered, START + 4 * MINUTE)[0].run_id == due_firings(config, START)[0].run_id


@pytest.mark.parametrize(("option", "day"), [({}, 15), ({"date": "interval"}, 15), ({"date": "firing"}, 16)])
def test_a_firings_date_is_the_day_of_its_intervals_start_or_its_own_where_its_schedule_is(
    option: dict[str, str], day: int
) -> None:
    body = {"cron": "30 0 * * *", "timezone": "Asia/Tokyo"} | option
    config = a_scheduled_config(schedule=Schedule.declared(body, "acme/daily"))
    (firing,) = due_firings(config, START + timedelta(hours=3, minutes=31))
    assert (firing.scheduled_time.day, firing.day.day) == (15, day)


@pytest.mark.parametrize(
    ("cron", "zone", "firing", "start", "day"),
    [
        ("0 * * * *", "UTC", "2026-03-02T10:00Z", "2026-03-02T09:00Z", "2026-03-02"),
        ("0 * * * *", "UTC", "2026-03-02T00:00Z", "2026-03-01T23:00Z", "2026-03-01"),
        ("0 5 * * *", "Europe/Berlin", "2026-03-02T04:00Z", "2026-03-01T04:00Z", "2026-03-01"),
        ("0 0 * * *", "Asia/Tokyo", "2026-03-01T15:00Z", "2026-02-28T15:00Z", "2026-03-01"),
        ("0 6 1 * *", "UTC", "2026-03-01T06:00Z", "2026-02-01T06:00Z", "2026-02-01"),
        ("0 5 * * 1-5", "UTC", "2026-03-02T05:00Z", "2026-02-27T05:00Z", "2026-02-27"),
        ("0 0 29 2 *", "UTC", "2028-02-29T00:00Z", "2024-02-29T00:00Z", "2024-02-29"),
        # The clock is put forward at 02:00 on 29 March, and back at 03:00 on 25 October.
        ("0 0 * * *", "Europe/Berlin", "2026-03-29T22:00Z", "2026-03-28T23:00Z", "2026-03-29"),
        ("0 0 * * *", "Europe/Berlin", "2026-10-25T23:00Z", "2026-10-24T22:00Z", "2026-10-25"),
        ("30 2 * * *", "Europe/Berlin", "2026-03-29T01:00Z", "2026-03-28T01:30Z", "2026-03-28"),
        ("0 * * * *", "Europe/Berlin", "2026-03-29T01:00Z", "2026-03-29T00:00Z", "2026-03-29"),
        ("0 * * * *", "Europe/Berlin", "2026-10-25T01:00Z", "2026-10-25T00:00Z", "2026-10-25"),
    ],
)
def test_a_firing_is_for_the_interval_since_the_time_before(
    cron: str, zone: str, firing: str, start: str, day: str
) -> None:
    schedule = Schedule.declared({"cron": cron, "timezone": zone}, "acme/daily")
    moment = datetime.fromisoformat(firing)
    assert schedule.next_after(moment - MINUTE) == moment
    assert schedule.interval_at(moment) == Interval(start=datetime.fromisoformat(start), end=moment)
    assert schedule.date_at(moment).isoformat() == day


def test_the_first_firing_of_a_schedule_has_an_interval_too_and_each_that_is_made_up_for_its_own() -> None:
    schedule = Schedule.declared(
        {"cron": "*/20 * * * *", "catch_up": "all", "start": "2026-03-15T12:00Z"}, "acme/daily"
    )
    config = a_scheduled_config(schedule=schedule)
    found = [firing.interval for firing in due_firings(config, START + 45 * MINUTE)]
    assert [(one.start - START) / MINUTE for one in found] == [-20, 0, 20]
    assert [(one.end - START) / MINUTE for one in found] == [0, 20, 40]

"""Schedules over months of virtual time: zones, summer time, leap days, starts, ends and jitter."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.pipelines.schedule import Schedule, schedule_violations

MINUTE = timedelta(minutes=1)
A_YEAR = timedelta(days=366)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def a_schedule(cron: str, timezone: str = "UTC", **more: Any) -> Schedule:
    return Schedule.declared({"cron": cron, "timezone": timezone} | more, "acme/daily")


def times(schedule: Schedule, after: str, until: str) -> list[str]:
    found = schedule.between(at(after), at(until), 10_000)
    return [f"{moment:%Y-%m-%d %H:%M}" for moment in found]


@pytest.mark.parametrize(
    ("timezone", "night", "expected"),
    [
        ("Europe/Berlin", "2026-03-29", ["2026-03-28 01:30", "2026-03-29 01:00", "2026-03-30 00:30"]),
        ("America/New_York", "2026-03-08", ["2026-03-07 07:30", "2026-03-08 07:00", "2026-03-09 06:30"]),
        # In Lord Howe the clock is put forward by half an hour only: 02:15 does not exist, 02:30 does.
        ("Australia/Lord_Howe", "2026-10-04", ["2026-10-02 16:00", "2026-10-03 15:30", "2026-10-04 15:30"]),
    ],
)
def test_a_time_that_does_not_exist_fires_once_right_after_the_gap(
    timezone: str, night: str, expected: list[str]
) -> None:
    schedule = a_schedule("30 2 * * *", timezone)
    first = datetime.fromisoformat(f"{night}T12:00:00+00:00") - timedelta(days=2)
    found = schedule.between(first, first + timedelta(days=3), 10)
    assert [f"{moment:%Y-%m-%d %H:%M}" for moment in found] == expected


@pytest.mark.parametrize(
    ("timezone", "night"),
    [
        ("Europe/Berlin", "2026-10-25"),
        ("America/New_York", "2026-11-01"),
        ("Australia/Lord_Howe", "2026-04-05"),
    ],
)
def test_a_time_that_comes_twice_fires_once(timezone: str, night: str) -> None:
    schedule = a_schedule("45 1 * * *", timezone)
    first = datetime.fromisoformat(f"{night}T12:00:00+00:00") - timedelta(days=2)
    assert len(schedule.between(first, first + timedelta(days=3), 10)) == 3


def test_two_times_in_one_gap_fire_once() -> None:
    schedule = a_schedule("15,45 2 * * *", "Europe/Berlin")
    assert times(schedule, "2026-03-29 00:00", "2026-03-29 23:00") == ["2026-03-29 01:00"]


def test_every_quarter_of_an_hour_follows_the_hours_as_they_pass() -> None:
    schedule = a_schedule("*/15 * * * *", "Europe/Berlin")
    for night in ("2026-03-29", "2026-10-25"):
        assert len(times(schedule, f"{night} 00:00", f"{night} 04:00")) == 16


def test_a_year_of_days_has_a_firing_for_each_whatever_the_clocks_do() -> None:
    for timezone in ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe"):
        schedule = a_schedule("30 2 * * *", timezone)
        found = schedule.between(at("2026-01-01 12:00"), at("2027-01-01 12:00"), 1000)
        assert len({schedule.day_of(moment) for moment in found}) == len(found) == 365


def test_the_29th_of_february_comes_every_four_years() -> None:
    found = times(a_schedule("0 0 29 2 *"), "2025-01-01", "2033-01-01")
    assert found == ["2028-02-29 00:00", "2032-02-29 00:00"]


def test_the_last_time_before_a_moment_is_the_one_that_came_before_the_next() -> None:
    schedule = a_schedule("30 2 * * *", "Europe/Berlin")
    for moment in schedule.between(at("2026-01-01"), at("2026-12-31"), 1000):
        assert schedule.last_between(moment - A_YEAR, moment) == moment
        assert schedule.last_between(moment - A_YEAR, moment + MINUTE) == moment
        assert schedule.next_after(moment - MINUTE) == moment


def test_a_day_as_start_or_end_is_a_day_where_the_schedule_is_and_the_end_is_part_of_it() -> None:
    schedule = a_schedule("0 */12 * * *", "Europe/Berlin", start="2026-06-01", end="2026-06-01")
    assert times(schedule, "2026-01-01", "2026-12-31") == ["2026-05-31 22:00", "2026-06-01 10:00"]
    assert schedule.last_between(at("2026-01-01"), at("2026-12-31")) == at("2026-06-01 10:00")
    assert schedule.last_between(at("2026-01-01"), at("2026-05-31 12:00")) is None
    assert schedule.next_after(at("2026-06-01 10:00")) is None


@pytest.mark.parametrize("end", ["9999-12-31", "9999-12-31T23:59:59Z"])
def test_the_last_day_of_the_calendar_is_no_end(end: str) -> None:
    assert schedule_violations({"cron": "0 5 * * *", "timezone": "Asia/Tokyo", "end": end}) == {}
    assert a_schedule("0 5 * * *", "Asia/Tokyo", end=end) == a_schedule("0 5 * * *", "Asia/Tokyo")


@pytest.mark.parametrize(
    ("zone", "hint"),
    [
        *(
            (zone, "such as Europe/Berlin")
            for zone in ("localtime", "posix/UTC", "right/UTC", "Factory", "UTC+2")
        ),
        ("europe/berlin", "did you mean Europe/Berlin?"),
        ("Berlin ", "did you mean Europe/Berlin?"),
        ("new york", "did you mean America/New_York?"),
    ],
)
def test_a_zone_is_one_that_has_a_name_on_every_machine(zone: str, hint: str) -> None:
    found = schedule_violations({"cron": "0 5 * * *", "timezone": zone})
    assert found == {"timezone": f"{zone!r} is no IANA time zone, {hint}"}


def test_jitter_is_always_the_same_for_one_config_and_spreads_many() -> None:
    def delay(owner: str) -> timedelta:
        return Schedule.declared({"cron": "0 5 * * *", "jitter_minutes": 30}, owner).delay

    delays = {delay(f"acme/{number}") for number in range(200)}
    assert delay("acme/1") == delay("acme/1")
    assert len(delays) > 150
    assert max(delays) <= timedelta(minutes=30)
    assert a_schedule("0 5 * * *").delay == timedelta()


@pytest.mark.parametrize(
    ("body", "broken"),
    [
        ({"cron": "0 5 * * *", "timezone": "Europe/Berlin"}, set()),
        ({"cron": "60 5 * * *"}, {"cron"}),
        ({"cron": "0 0 30 2 *"}, {"cron"}),
        ({"cron": "0 5 * * *", "timezone": "Mars/Olympus"}, {"timezone"}),
        ({"cron": "x x x x x", "timezone": "../etc/passwd"}, {"cron", "timezone"}),
        ({"cron": "0 5 * * *", "start": "2026-02-30"}, {"start"}),
        ({"cron": "0 5 * * *", "start": "2026-03-01", "end": "2026-02-01T00:00:00Z"}, {"end"}),
        ({"cron": "0 5 * * *", "start": "2026-03-01", "end": "2026-03-01"}, set()),
    ],
)
def test_what_no_shape_tells_is_told_by_key(body: dict[str, Any], broken: set[str]) -> None:
    assert schedule_violations(body).keys() == broken

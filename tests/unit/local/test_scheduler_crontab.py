from datetime import UTC, datetime

import pytest

from local.scheduler.crontab import last_fire, next_fire

BERLIN = "Europe/Berlin"


def fires(schedule: str, zone: str, start: str, count: int) -> list[str]:
    moments, moment = [], datetime.fromisoformat(start)
    for _ in range(count):
        moment = next_fire(schedule, zone, moment)
        moments.append(moment.strftime("%m-%d %H:%M"))
    return moments


def test_a_time_that_the_spring_change_skips_fires_right_after_the_gap() -> None:
    found = fires("30 2 * * *", BERLIN, "2026-03-28T00:00Z", 3)
    assert found == ["03-28 01:30", "03-29 01:00", "03-30 00:30"]


def test_a_fixed_time_that_comes_twice_in_autumn_fires_once() -> None:
    found = fires("30 2 * * *", BERLIN, "2026-10-24T12:00Z", 2)
    assert found == ["10-25 00:30", "10-26 01:30"]


def test_an_hourly_schedule_fires_in_both_autumn_hours() -> None:
    found = fires("0 * * * *", BERLIN, "2026-10-24T23:30Z", 3)
    assert found == ["10-25 00:00", "10-25 01:00", "10-25 02:00"]


def test_the_last_firing_includes_its_own_moment() -> None:
    moment = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert last_fire("0 12 * * *", "utc", moment) == moment
    assert last_fire("0 12 * * *", "utc", moment.replace(minute=1)) == moment
    assert last_fire("0 12 * * *", "utc", moment.replace(hour=11)).day == 31


@pytest.mark.parametrize(
    "schedule", ["", "* * * *", "* * * * * *", "60 * * * *", "0 0 30 2 *", "@daily", "x"]
)
def test_what_is_no_schedule_is_said_so(schedule: str) -> None:
    with pytest.raises(ValueError, match=r"schedule|must be|never comes"):
        next_fire(schedule, "UTC", datetime.now(UTC))


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "../etc/passwd", "/etc/localtime", ""])
def test_what_is_no_time_zone_is_said_so(zone: str) -> None:
    with pytest.raises(ValueError, match="time zone"):
        next_fire("* * * * *", zone, datetime.now(UTC))

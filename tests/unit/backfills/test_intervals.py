"""A backfill's time is divided by the clock of the pipeline's zone."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest

from common.backfills.intervals import IntervalStep, intervals_between


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def divided(start: str, end: str, step: IntervalStep, zone: str) -> list[str]:
    found = intervals_between(at(start), at(end), step, zone)
    assert all(one.end == other.start for one, other in pairwise(found))
    return [f"{moment:%m-%d %H:%M}" for moment in (*(one.start for one in found), found[-1].end)]


@pytest.mark.parametrize(
    ("start", "end", "zone", "expected"),
    [
        ("2026-01-01T00:00Z", "2026-01-03T00:00Z", "UTC", ["01-01 00:00", "01-02 00:00", "01-03 00:00"]),
        # The clock is put forward on 29 March, and back on 25 October: 23 and 25 hours.
        (
            "2026-03-28T23:00Z",
            "2026-03-30T22:00Z",
            "Europe/Berlin",
            ["03-28 23:00", "03-29 22:00", "03-30 22:00"],
        ),
        (
            "2026-10-24T22:00Z",
            "2026-10-26T23:00Z",
            "Europe/Berlin",
            ["10-24 22:00", "10-25 23:00", "10-26 23:00"],
        ),
        ("2026-01-01T06:00Z", "2026-01-02T18:00Z", "UTC", ["01-01 06:00", "01-02 06:00", "01-02 18:00"]),
        # Samoa left out 30 December, and Havana has no midnight on 8 March.
        (
            "2011-12-29T10:00Z",
            "2012-01-01T10:00Z",
            "Pacific/Apia",
            ["12-29 10:00", "12-30 10:00", "12-31 10:00", "01-01 10:00"],
        ),
        (
            "2026-03-07T05:00Z",
            "2026-03-09T04:00Z",
            "America/Havana",
            ["03-07 05:00", "03-08 05:00", "03-09 04:00"],
        ),
    ],
)
def test_days_are_those_of_the_zone(start: str, end: str, zone: str, expected: list[str]) -> None:
    assert divided(start, end, IntervalStep.DAY, zone) == expected


def test_months_begin_at_the_first_of_the_zone() -> None:
    found = divided("2026-02-14T23:00Z", "2026-04-30T22:00Z", IntervalStep.MONTH, "Europe/Berlin")
    assert found == ["02-14 23:00", "02-28 23:00", "03-31 22:00", "04-30 22:00"]


def test_hours_are_those_that_pass() -> None:
    found = divided("2026-10-24T22:00Z", "2026-10-25T02:00Z", IntervalStep.HOUR, "Europe/Berlin")
    assert found == ["10-24 22:00", "10-24 23:00", "10-25 00:00", "10-25 01:00", "10-25 02:00"]


def test_weeks_are_seven_days_of_the_zone_from_the_start_on() -> None:
    found = divided("2026-03-18T23:00Z", "2026-04-03T22:00Z", IntervalStep.WEEK, "Europe/Berlin")
    assert found == ["03-18 23:00", "03-25 23:00", "04-01 22:00", "04-03 22:00"]


def test_years_begin_with_the_calendars_in_the_zone() -> None:
    found = divided("2024-02-29T23:00Z", "2026-03-01T00:00Z", IntervalStep.YEAR, "Europe/Berlin")
    assert found == ["02-29 23:00", "12-31 23:00", "12-31 23:00", "03-01 00:00"]

"""A run by hand has an interval too, in the pipeline's zone, and `date` is the day of its start."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from common.errors import InvalidInput
from common.pipelines.intervals import Interval, by_hand, read_bound, values_of
from common.pipelines.pipeline import Parameter

BERLIN = "Europe/Berlin"
NOW = datetime(2026, 3, 15, 23, 30, tzinfo=UTC)
DECLARED = (
    Parameter(name="date", type="DATE"),
    Parameter(name="interval_start", type="TIMESTAMP"),
    Parameter(name="interval_end", type="DATE"),
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def an_interval(start: str, end: str) -> Interval:
    return Interval(start=at(start), end=at(end))


@pytest.mark.parametrize(
    ("given", "start", "end", "day"),
    [
        ({}, "2026-03-15T23:00Z", "2026-03-16T23:00Z", "2026-03-16"),
        ({"date": "2026-03-29"}, "2026-03-28T23:00Z", "2026-03-29T22:00Z", "2026-03-29"),
        ({"date": "2026-10-25"}, "2026-10-24T22:00Z", "2026-10-25T23:00Z", "2026-10-25"),
        ({"date": "no day"}, "2026-03-15T23:00Z", "2026-03-16T23:00Z", "2026-03-16"),
        (
            {"interval_start": "2026-01-05T06:00:00Z", "interval_end": "2026-01-06"},
            "2026-01-05T06:00Z",
            "2026-01-05T23:00Z",
            "2026-01-05",
        ),
        ({"interval_start": "2026-01-05T06:00:00Z"}, "2026-01-05T06:00Z", "2026-01-05T23:00Z", "2026-01-05"),
        ({"interval_end": "2026-01-06"}, "2026-01-04T23:00Z", "2026-01-05T23:00Z", "2026-01-05"),
    ],
)
def test_it_is_what_is_given_or_else_today(given: dict[str, Any], start: str, end: str, day: str) -> None:
    found = by_hand(DECLARED, given, None, BERLIN, NOW)
    assert found.interval == an_interval(start, end)
    assert found.date == date.fromisoformat(day)


@pytest.mark.parametrize(
    ("day", "timezone"),
    [("9999-12-31", BERLIN), ("0001-01-01", "Asia/Tokyo"), ("2011-12-30", "Pacific/Apia")],
)
def test_a_day_that_the_zone_does_not_have_is_refused(day: str, timezone: str) -> None:
    with pytest.raises(InvalidInput, match=f"/date: is a day that {timezone} does not have"):
        by_hand(DECLARED, {"date": day}, None, timezone, NOW)


def test_a_day_whose_midnight_is_skipped_begins_where_the_clock_goes_on() -> None:
    found = by_hand(DECLARED, {"date": "2026-04-24"}, None, "Africa/Cairo", NOW)
    assert found.interval == an_interval("2026-04-23T22:00Z", "2026-04-24T21:00Z")


def test_an_interval_that_is_asked_for_comes_before_all_else() -> None:
    asked = an_interval("2026-01-05T22:30Z", "2026-01-06T22:30Z")
    declared = (Parameter(name="date", type="DATE", default="2020-01-01"),)
    found = by_hand(declared, {}, asked, BERLIN, NOW)
    assert (found.interval, found.date) == (asked, date(2026, 1, 5))


def test_a_default_of_the_file_counts_where_the_request_says_nothing() -> None:
    declared = (
        Parameter(name="date", type="DATE", default="2020-01-01"),
        Parameter(name="interval_start", type="TIMESTAMP", default="2019-01-01T00:00:00Z"),
    )
    assert by_hand(declared, {}, None, "UTC", NOW).interval.start == at("2019-01-01T00:00Z")
    assert by_hand(declared, {"date": "2021-01-01"}, None, "UTC", NOW).interval.start == at(
        "2021-01-01T00:00Z"
    )


def test_bounds_are_given_where_they_are_declared_each_in_its_own_type_and_never_null() -> None:
    found = by_hand(DECLARED, {"date": "2026-01-05"}, None, BERLIN, NOW)
    values = values_of(DECLARED, found, BERLIN, {"date": "2026-01-05", "interval_start": None, "other": None})
    assert values == {
        "date": "2026-01-05",
        "interval_start": "2026-01-04T23:00:00.000000Z",
        "interval_end": "2026-01-06",
        "other": None,
    }
    assert values_of(DECLARED[:1], found, BERLIN, {}) == {"date": "2026-01-05"}
    clocks = tuple(replace(one, type="DATETIME") for one in DECLARED[1:])
    assert values_of(clocks, found, BERLIN, {}) == {
        "interval_start": "2026-01-05T00:00:00",
        "interval_end": "2026-01-06T00:00:00",
    }


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-07-01", "2026-06-30T22:00Z"),
        ("2026-07-01T06:00", "2026-07-01T04:00Z"),
        ("2026-07-01 06:00", "2026-07-01T04:00Z"),
        ("2026-07-01T06:00:00Z", "2026-07-01T06:00Z"),
        ("2026-07-01T06:00:00+05:30", "2026-07-01T00:30Z"),
    ],
)
def test_a_bound_without_a_zone_is_in_the_pipelines(text: str, moment: str) -> None:
    assert read_bound(text, BERLIN) == at(moment)


@pytest.mark.parametrize("text", ["2026-02-30", "2026-07-01T25:00", "0001-01-01", "9999-12-31T23:00:00Z"])
def test_a_bound_on_no_calendar_is_none(text: str) -> None:
    with pytest.raises((ValueError, OverflowError)):
        read_bound(text, BERLIN)

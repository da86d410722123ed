"""Intervals of time, one after another: what a backfill makes runs for."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from common.errors import InvalidInput, Violation
from common.pipelines.intervals import Interval

MAX_INTERVALS = 1000


class IntervalStep(StrEnum):
    """How long an interval is."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


def intervals_between(
    start: datetime, end: datetime, step: IntervalStep, timezone: str = "UTC"
) -> list[Interval]:
    """Divide a time by a zone's clock, the last one perhaps shorter; InvalidInput for none, or too many."""
    if end <= start:
        raise InvalidInput([Violation("/end", "must be later than the start")], "the backfill breaks rules")
    found = []
    for interval in _intervals(start, end, step, timezone):
        found.append(interval)
        if len(found) > MAX_INTERVALS:
            rule = f"must be nearer: a backfill has at most {MAX_INTERVALS:,} intervals"
            raise InvalidInput([Violation("/end", rule)], "the backfill breaks rules")
    return found


def _intervals(start: datetime, end: datetime, step: IntervalStep, timezone: str) -> Iterator[Interval]:
    while start < end:
        following = min(_after(start, step, timezone), end)
        yield Interval(start=start, end=following)
        start = following


def _after(moment: datetime, step: IntervalStep, timezone: str) -> datetime:
    """Return where the next interval begins. An hour is one that passes; a day has 23 or 25 at times.

    Months and years begin where the calendar's do, days and weeks where the time does that is divided.
    """
    if step is IntervalStep.HOUR:
        return moment + timedelta(hours=1)
    zone = ZoneInfo(timezone)
    wall = moment.astimezone(zone).replace(tzinfo=None)
    following = moment
    while following <= moment:  # A zone can leave out a day.
        wall = _FOLLOWING[step](wall)
        following = wall.replace(tzinfo=zone).astimezone(UTC)
    return following


def _next_year(wall: datetime) -> datetime:
    return datetime(wall.year + 1, 1, 1)  # noqa: DTZ001 - the wall clock of a zone


def _next_month(wall: datetime) -> datetime:
    first = wall.replace(day=1, hour=0, minute=0, second=0, microsecond=0, fold=0)
    return (first + timedelta(days=32)).replace(day=1)


_FOLLOWING: Mapping[IntervalStep, Callable[[datetime], datetime]] = {
    IntervalStep.DAY: lambda wall: wall + timedelta(days=1),
    IntervalStep.WEEK: lambda wall: wall + timedelta(days=7),
    IntervalStep.MONTH: _next_month,
    IntervalStep.YEAR: _next_year,
}

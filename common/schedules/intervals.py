"""Intervals of time, one after another: what a backfill makes runs for."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum

from common.errors import Fault, InvalidInput
from common.pipelines.intervals import Interval

MOST_INTERVALS = 1000


class IntervalStep(StrEnum):
    """How long an interval is."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


def intervals_between(start: datetime, end: datetime, step: IntervalStep) -> list[Interval]:
    """Divide a time into intervals, the last perhaps shorter; InvalidInput for none of them, or too many."""
    if end <= start:
        raise InvalidInput([Fault("/end", "must be later than the start")], "the backfill breaks rules")
    found = []
    for interval in _intervals(start, end, step):
        found.append(interval)
        if len(found) > MOST_INTERVALS:
            rule = f"must be nearer: a backfill has at most {MOST_INTERVALS:,} intervals"
            raise InvalidInput([Fault("/end", rule)], "the backfill breaks rules")
    return found


def _intervals(start: datetime, end: datetime, step: IntervalStep) -> Iterator[Interval]:
    while start < end:
        following = min(_after(start, step), end)
        yield Interval(start=start, end=following)
        start = following


def _after(moment: datetime, step: IntervalStep) -> datetime:
    match step:
        case IntervalStep.HOUR:
            return moment + timedelta(hours=1)
        case IntervalStep.DAY:
            return moment + timedelta(days=1)
        case IntervalStep.MONTH:
            first = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
            return (first + timedelta(days=32)).replace(day=1)

"""The interval that a run is for: however it is started, it has one, and `date` is the day that it begins on.

A pipeline's zone is its schedule's. A day, and a bound without a zone, is one there.
"""

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from common.errors import InvalidInput, Violation
from common.pipelines.clocks import zone_of
from common.pipelines.pipeline import Parameter
from common.times import to_rfc3339

INTERVAL_START, INTERVAL_END = BOUNDS = ("interval_start", "interval_end")
GIVEN_TO_ALL = ("date", *BOUNDS)
"""Parameters whose values every run gets without anybody's doing."""
WINDOW = ("window_start", "window_end")
"""What a step writes of its table: its run's interval with the partitions before it that it looks back on."""
VALID_AT = "valid_at"
"""From when on the rows of a history are valid that a run writes: from the start of its interval."""
GIVEN_TO_STATEMENTS = (*WINDOW, VALID_AT)
"""Parameters for which steps have values, in the platform's part of a statement alone."""
BOUND_TYPES = ("TIMESTAMP", "DATETIME", "DATE", "STRING")
_A_DAY = timedelta(days=1)
_DAY = len("2026-01-31")


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """From `start` on and before `end` (UTC)."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTime:
    """What a run is for: its interval, and its date."""

    interval: Interval
    date: date


def midnight(day: date, timezone: str) -> datetime:
    """Return the moment (UTC) at which a day begins in a zone; OverflowError beyond the calendar."""
    return datetime.combine(day, time(), zone_of(timezone)).astimezone(UTC)


def day_of(moment: datetime, timezone: str) -> date:
    """Return the day that a moment falls on in a zone."""
    return moment.astimezone(ZoneInfo(timezone)).date()


def of_day(day: date, timezone: str) -> RunTime:
    """Return what a run for a day is for: the day in a zone, 23 or 25 hours where clocks are changed."""
    interval = Interval(start=midnight(day, timezone), end=midnight(day + _A_DAY, timezone))
    return RunTime(interval=interval, date=day)


def read_bound(text: str, timezone: str) -> datetime:
    """Read a day, or a time that is in the pipeline's zone where it names none; ValueError, OverflowError."""
    if len(text) == _DAY:
        text += "T00:00"
    moment = datetime.fromisoformat(text.upper())
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(timezone))
    found = zoned.astimezone(UTC)
    if not MINYEAR < found.year < MAXYEAR:
        raise ValueError(f"a time at the end of the calendar, where not every zone has a day: {text!r}")
    return found


def read_interval(body: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the bounds of the interval that a run request asks for, as they are given; InvalidInput."""
    asked = body.get("interval")
    if asked is None:
        return None
    if set(asked) != {"start", "end"} or not all(isinstance(text, str) for text in asked.values()):
        rule = "must have start and end, each a day or a time"
        raise InvalidInput([Violation("/interval", rule)], "the run request breaks rules")
    return asked["start"], asked["end"]


def by_hand(
    declared: Sequence[Parameter],
    given: Mapping[str, Any],
    interval: Interval | None,
    timezone: str,
    now: datetime,
) -> RunTime:
    """Say what a run is for that somebody asks for: the interval or the day that is given, else today.

    Defaults in the file are given where the request says nothing. What is no value counts as nothing here: it
    is refused where values are bound. InvalidInput for a day that the zone has skipped, or that is beyond the
    calendar there.
    """
    defaults = {parameter.name: parameter.default for parameter in declared if parameter.default is not None}
    for told, asked in ((given, interval), (defaults, None)):
        day = _day(told.get("date"))
        start, end = (_moment(told.get(name), timezone) for name in BOUNDS)
        found = asked or _completed(start, end, timezone)
        if found:
            return RunTime(interval=found, date=day or day_of(found.start, timezone))
        if day:
            return _of_day(day, timezone)
    return _of_today(now, timezone)


def values_of(
    declared: Sequence[Parameter], run_time: RunTime, timezone: str, given: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what is given, with `date` and the bounds that the pipeline declares, each in its own type."""
    bounds = zip(BOUNDS, (run_time.interval.start, run_time.interval.end), strict=True)
    types = {parameter.name: parameter.type for parameter in declared}
    values = {
        name: written_as(types[name], moment, timezone)
        for name, moment in bounds
        if types.get(name) in BOUND_TYPES
    }
    told = {name: value for name, value in given.items() if value is not None or name not in values}
    day = {"date": run_time.date.isoformat()} if "date" in types else {}
    return values | day | told


def looking_back(interval: Interval, timezone: str, unit: str, count: int) -> Interval:
    """Return an interval that begins so many hours, days, months or years (`HOUR` …) earlier in a zone."""
    if unit == "HOUR" or not count:
        return replace(interval, start=interval.start - timedelta(hours=count))
    shown = interval.start.astimezone(zone_of(timezone)).replace(tzinfo=None)
    if unit == "DAY":
        earlier = shown - timedelta(days=count)
    else:
        months = shown.year * 12 + shown.month - 1 - count * (12 if unit == "YEAR" else 1)
        year, month = divmod(months, 12)
        days_of_month = monthrange(year, month + 1)[1]
        earlier = shown.replace(year=year, month=month + 1, day=min(shown.day, days_of_month))
    return replace(interval, start=earlier.replace(tzinfo=zone_of(timezone)).astimezone(UTC))


def in_whole_days(interval: Interval, timezone: str) -> Interval:
    """Return the days of a zone that an interval touches, as a whole."""
    last = day_of(interval.end - timedelta(microseconds=1), timezone)
    return Interval(
        start=midnight(day_of(interval.start, timezone), timezone), end=midnight(last + _A_DAY, timezone)
    )


def written_as(kind: str, moment: datetime, timezone: str) -> str:
    """Write a moment as a value of a type: the day or the time of a zone's clock, or RFC 3339."""
    if kind == "DATE":
        return day_of(moment, timezone).isoformat()
    if kind == "DATETIME":
        return moment.astimezone(zone_of(timezone)).replace(tzinfo=None).isoformat()
    return to_rfc3339(moment)


def _of_today(now: datetime, timezone: str) -> RunTime:
    return of_day(day_of(now, timezone), timezone)


def _of_day(day: date, timezone: str) -> RunTime:
    try:
        found = of_day(day, timezone)
    except OverflowError:
        found = None
    if found is None or found.interval.end <= found.interval.start:
        rule = f"is a day that {timezone} does not have"
        raise InvalidInput([Violation("/date", rule)], "the run's day breaks rules")
    return found


def _completed(start: datetime | None, end: datetime | None, timezone: str) -> Interval | None:
    """Make an interval of two bounds, or of one and the rest of its day."""
    try:
        if start and end is None:
            end = midnight(day_of(start, timezone) + _A_DAY, timezone)
        if end and start is None:
            start = midnight(day_of(end - timedelta(microseconds=1), timezone), timezone)
    except OverflowError:
        return None
    return Interval(start=start, end=end) if start and end else None


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) and len(value) == _DAY else None
    except ValueError:
        return None


def _moment(value: Any, timezone: str) -> datetime | None:
    try:
        return read_bound(value, timezone) if isinstance(value, str) else None
    except (ValueError, OverflowError):
        return None

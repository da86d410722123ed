"""Times of a cron expression in a time zone: one definition, whichever way they are asked for.

Each time is one of the zone's wall clock. A fixed time (neither its minute nor its hour begins with `*`) that
the spring change skips comes right after the gap, once; one that comes twice in autumn counts the first time.
What is not fixed follows the minutes as they pass: none in a gap, each of them in an hour that comes twice.

No question is answered by looking at more than MAX_YEARS of days, whatever a tenant has written, and of a day
no more times are made than are asked for.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import chain, product
from typing import Self
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from common.pipelines.clocks import Stretch, midnight, stretches_of, zone_of

MAX_YEARS = 50
"""What does not come in so many years never comes: a fifth Monday in February can be 40 years away."""

NICKNAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
FIELDS = (
    ("minute", "0 to 59"),
    ("hour", "0 to 23"),
    ("day of the month", "1 to 31, or L for the last"),
    ("month", "1 to 12, or JAN to DEC"),
    ("day of the week", "0 to 7, or SUN to SAT"),
)
_SIZES = (60, 24, 31, 12, 7)
_STEPS = re.compile(r"\*/([0-9]{1,9})")
MAX_LOOK = timedelta(days=MAX_YEARS * 366)
_A_DAY = timedelta(days=1)
_AT_ONCE = timedelta(microseconds=1)
_FIRST_DAY, _LAST_DAY = date.min + 3 * _A_DAY, date.max - 2 * _A_DAY
_ANY_DAY = datetime(2024, 1, 1)  # noqa: DTZ001 - the wall clock of no zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """A cron expression of five fields, as Debian's cron reads them."""

    is_fixed: bool
    walls: tuple[time, ...]
    """The times of a day on which it comes."""
    months: frozenset[int]
    _expression: CronSim

    @classmethod
    def read(cls, text: str) -> Self:
        """Read an expression, or a nickname such as @daily; ValueError, in words, for what is neither."""
        fields = _fields(text)
        for number, field in enumerate(fields):
            _check_field(number, field)
        try:
            expression = CronSim(" ".join(fields), _ANY_DAY)
        except CronSimError as error:
            raise ValueError(_never(text)) from error
        return cls(
            is_fixed=not (fields[0].startswith("*") or fields[1].startswith("*")),
            walls=tuple(time(*wall) for wall in sorted(product(expression.hours, expression.minutes))),
            months=frozenset(expression.months),
            _expression=expression,
        )

    def comes_on(self, day: date) -> bool:
        """Tell whether it comes on a day."""
        return day.month in self.months and self._expression.match_day(day)

    def shown(self, begin: datetime, end: datetime, *, is_back: bool = False) -> Iterator[datetime]:
        """Yield its times on a clock that goes evenly, from one and before another; or the latest first."""
        numbers = range((end.date() - begin.date()).days + 1)
        for day in (begin.date() + number * _A_DAY for number in _in_order(numbers, is_back=is_back)):
            if self.comes_on(day):
                first = bisect_left(self.walls, begin.time()) if day == begin.date() else 0
                last = bisect_left(self.walls, end.time()) if day == end.date() else len(self.walls)
                for wall in _in_order(self.walls[first:last], is_back=is_back):
                    yield datetime.combine(day, wall)


def times_after(cron: str, timezone: str, after: datetime) -> Iterator[datetime]:
    """Yield the times (UTC) that come after a moment, as far as there is one in MAX_YEARS.

    ValueError for what is no expression or no zone.
    """
    read, zone, after = read_cron(cron), zone_of(timezone), after.astimezone(UTC)
    first = max(after.date(), _FIRST_DAY)
    last = min(first, _LAST_DAY - MAX_LOOK) + MAX_LOOK
    return _times(read, zone, (first, last), after, midnight(last + _A_DAY))


def last_time_between(cron: str, timezone: str, after: datetime, until: datetime) -> datetime | None:
    """Return the latest time (UTC) after a moment and up to another, None where there is none."""
    read, zone = read_cron(cron), zone_of(timezone)
    after, until = after.astimezone(UTC), until.astimezone(UTC)
    last = min(until.date(), _LAST_DAY)
    first = max(after.date(), last - min(MAX_LOOK, last - _FIRST_DAY))
    return next(_times(read, zone, (first, last), after, until, is_back=True), None)


@lru_cache(maxsize=1000)
def read_cron(text: str) -> Cron:
    """Read an expression once for many questions; ValueError."""
    return Cron.read(text)


def _times(
    cron: Cron,
    zone: ZoneInfo,
    days: tuple[date, date],
    after: datetime,
    until: datetime,
    *,
    is_back: bool = False,
) -> Iterator[datetime]:
    for day in _days(cron, *days, is_back=is_back):
        for stretch in _in_order(stretches_of(zone, day), is_back=is_back):
            yield from _times_in(stretch, cron, after, until, is_back=is_back)


def _times_in(
    stretch: Stretch, cron: Cron, after: datetime, until: datetime, *, is_back: bool
) -> Iterator[datetime]:
    first, end = max(stretch.start, after + _AT_ONCE), min(stretch.end, until + _AT_ONCE)
    begin = max(stretch.shown(first), stretch.reached) if cron.is_fixed else stretch.shown(first)
    times = map(stretch.moment, cron.shown(begin, stretch.shown(end), is_back=is_back))
    jumped = [first] if first == stretch.start < end and _is_jumped_over(cron, stretch) else []
    return chain(times, jumped) if is_back else chain(jumped, times)


def _is_jumped_over(cron: Cron, stretch: Stretch) -> bool:
    """Tell whether the clock, at a stretch's start, has jumped over a fixed time, and to none."""
    shown = stretch.shown(stretch.start)
    return (
        cron.is_fixed
        and any(cron.shown(stretch.reached, shown))
        and not any(cron.shown(shown, shown + _AT_ONCE))
    )


def _days(read: Cron, first: date, last: date, *, is_back: bool) -> Iterator[date]:
    """Yield the days of UTC, one way or the other, in which an expression can come somewhere."""
    day, step = (last, -_A_DAY) if is_back else (first, _A_DAY)
    while first <= day <= last:
        if any(read.comes_on(local) for local in _local_days(day)):
            yield day
        if 2 < day.day < 26 and day.month not in read.months:
            day = day.replace(day=2 if is_back else 27)
        else:
            day += step


def _local_days(day: date) -> tuple[date, ...]:
    """Return the days that a day of UTC can be anywhere."""
    return day - _A_DAY, day, day + _A_DAY


def _in_order[T](items: Sequence[T], *, is_back: bool) -> Iterator[T]:
    return reversed(items) if is_back else iter(items)


def _fields(text: str) -> list[str]:
    nickname = text.strip().lower()
    if nickname.startswith("@"):
        if nickname not in NICKNAMES:
            raise ValueError(
                f"{text.strip()} is none of the nicknames that can be used: {', '.join(NICKNAMES)}"
            )
        return NICKNAMES[nickname].split()
    fields = text.split()
    if len(fields) != len(FIELDS):
        names = ", ".join(name for name, _ in FIELDS)
        raise ValueError(f"must have five fields ({names}), such as 30 5 * * 1-5; it has {len(fields)}")
    return fields


def _check_field(number: int, field: str) -> None:
    name, values = FIELDS[number]
    if field == "?":
        raise ValueError(f"the {name} is ?, which this cron does not know: write * for any")
    alone = ["*"] * len(FIELDS)
    alone[number] = field
    try:
        CronSim(" ".join(alone), _ANY_DAY)
    except (CronSimError, ValueError) as error:
        raise ValueError(
            f"the {name} is {field!r}: it must be {values}, "
            "alone, in a list (1,15), a range that goes up (1-5) or steps (*/15)"
        ) from error


def steps_too_long(text: str) -> Iterator[tuple[str, str]]:
    """Yield fields whose steps are longer than they are, with their names: `*/90` minutes come each hour."""
    for (name, _), size, field in zip(FIELDS, _SIZES, _fields(text), strict=True):
        found = _STEPS.fullmatch(field)
        if found and int(found[1]) >= size:
            yield name, field


def _never(text: str) -> str:
    return f"{text!r} never comes: no month of it has that day"

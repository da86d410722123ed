"""Times of a cron expression in a time zone: one definition, whichever way they are asked for.

Each time is one of the zone's wall clock. A fixed time (neither its minute nor its hour begins with `*`) that
the spring change skips comes right after the gap, once; one that comes twice in autumn counts the first time.
What is not fixed follows the minutes as they pass: none in a gap, each of them in an hour that comes twice.

No question is answered by looking at more than MAX_YEARS of days, whatever a tenant has written.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import product
from typing import Self
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

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
LONGEST_LOOK = timedelta(days=MAX_YEARS * 366)
_A_DAY = timedelta(days=1)
_LAST_DAY = date.max - 2 * _A_DAY
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


def times_after(cron: str, timezone: str, after: datetime) -> Iterator[datetime]:
    """Yield the times (UTC) that come after a moment, as far as there is one in MAX_YEARS.

    ValueError for what is no expression or no zone.
    """
    read_cron(cron)
    return _times_after(cron, zone_of(timezone), after.astimezone(UTC))


def last_time_between(cron: str, timezone: str, after: datetime, until: datetime) -> datetime | None:
    """Return the latest time (UTC) after a moment and up to another, None where there is none."""
    read, zone = read_cron(cron), zone_of(timezone)
    after, until = after.astimezone(UTC), until.astimezone(UTC)
    first = max(after.date(), until.date() - LONGEST_LOOK)
    for day in _days(read, until.date(), first, -_A_DAY):
        found = [moment for moment in times_of(cron, zone, day) if after < moment <= until]
        if found:
            return found[-1]
    return None


@lru_cache(maxsize=1000)
def read_cron(text: str) -> Cron:
    """Read an expression once for many questions; ValueError."""
    return Cron.read(text)


def zone_of(name: str) -> ZoneInfo:
    """Return a time zone; ValueError where the tz database has none of that name."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no IANA time zone, such as Europe/Berlin") from error


@lru_cache(maxsize=500)
def times_of(cron: str, zone: ZoneInfo, day: date) -> tuple[datetime, ...]:
    """Return the times that lie in one day of UTC, in order. In one minute many schedules ask the same."""
    read = read_cron(cron)
    found = {
        moment
        for local in _local_days(day)
        if read.comes_on(local)
        for wall in read.walls
        for moment in _moments(datetime.combine(local, wall), zone, is_fixed=read.is_fixed)
        if moment.date() == day
    }
    return tuple(sorted(found))


def _times_after(cron: str, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    first = after.date()
    last = min(first, _LAST_DAY - LONGEST_LOOK) + LONGEST_LOOK
    for day in _days(read_cron(cron), first, last, _A_DAY):
        yield from (moment for moment in times_of(cron, zone, day) if moment > after)


def _days(read: Cron, day: date, last: date, step: timedelta) -> Iterator[date]:
    """Yield the days of UTC, one way or the other, in which an expression can come somewhere."""
    while day <= last if step > timedelta() else day >= last:
        if any(read.comes_on(local) for local in _local_days(day)):
            yield day
        if 2 < day.day < 26 and day.month not in read.months:
            day = day.replace(day=27 if step > timedelta() else 2)
        else:
            day += step


def _local_days(day: date) -> tuple[date, ...]:
    """Return the days that a day of UTC can be anywhere."""
    return day - _A_DAY, day, day + _A_DAY


def _moments(wall: datetime, zone: ZoneInfo, *, is_fixed: bool) -> Iterator[datetime]:
    """Yield the moments (UTC) at which a clock of the zone shows a time: none, one or two.

    A fixed time has one, whatever the clocks do.
    """
    first = wall.replace(tzinfo=zone).astimezone(UTC)
    if _shown(first, zone) != wall:
        if is_fixed:
            yield _end_of_gap(wall, zone)
        return
    yield first
    second = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if second != first and not is_fixed:
        yield second


def _shown(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def _end_of_gap(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment at which the clock jumps over a time: the first that shows a later one."""
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    later = wall.replace(tzinfo=zone).astimezone(UTC)
    while later - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(later - before) // timedelta(seconds=2))
        if _shown(middle, zone) > wall:
            later = middle
        else:
            before = middle
    return later


def _fields(text: str) -> list[str]:
    if text.startswith("@"):
        if text.lower() not in NICKNAMES:
            raise ValueError(f"{text} is none of the nicknames that can be used: {', '.join(NICKNAMES)}")
        return NICKNAMES[text.lower()].split()
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
            "alone, in a list (1,15), a range (1-5) or steps (*/15)"
        ) from error


def _never(text: str) -> str:
    return f"{text!r} never comes: no month of it has that day"

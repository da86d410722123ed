"""How the clock of a zone goes: evenly, but for the moments at which it jumps or is put back."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

_A_DAY, _A_SECOND = timedelta(days=1), timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A part of a day of UTC, from its start and before its end, in which a clock goes on evenly."""

    start: datetime
    end: datetime
    offset: timedelta
    reached: datetime
    """How far the clock had come before: where it jumps less than it shows at the start, else more or
    as much.
    """

    def shown(self, moment: datetime) -> datetime:
        """Return what the clock shows at a moment of it."""
        return (moment + self.offset).replace(tzinfo=None)

    def moment(self, shown: datetime) -> datetime:
        """Return the moment (UTC) at which the clock shows something."""
        return (shown - self.offset).replace(tzinfo=UTC)


def zone_of(name: str) -> ZoneInfo:
    """Return a time zone; ValueError where the tz database has none of that name."""
    if name not in _names():
        raise ValueError(f"{name!r} is no IANA time zone, {_hint(name)}")
    return ZoneInfo(name)


def _hint(name: str) -> str:
    """Name the zone that is meant, as far as its letters, or its city, tell."""
    wanted = name.strip().casefold().replace(" ", "_")
    known = sorted(_names())
    same = [zone for zone in known if wanted in {zone.casefold(), zone.rpartition("/")[2].casefold()}]
    return f"did you mean {same[0]}?" if same else "such as Europe/Berlin"


@cache
def _names() -> frozenset[str]:
    """Name the zones: what a machine calls its own is another on the next, and a disk may know no case."""
    return frozenset(available_timezones() - {"localtime", "Factory"})


@lru_cache(maxsize=5000)
def stretches_of(zone: ZoneInfo, day: date) -> tuple[Stretch, ...]:
    """Return the stretches of a day of UTC, in order: one, but where the zone changes its clock.

    How far the clock had come is told from the day before: none was put back by more than a day.
    """
    start, end = midnight(day), midnight(day + _A_DAY)
    earliest = start - _A_DAY
    edges = sorted({earliest, *_changes(zone, earliest, end), start, end})
    found, reached = [], datetime.min  # noqa: DTZ901 - the wall clock of a zone
    for first, last in pairwise(edges):
        stretch = Stretch(start=first, end=last, offset=_offset(first, zone), reached=reached)
        reached = max(reached, stretch.shown(last))
        if first >= start:
            found.append(stretch)
    return tuple(found)


def midnight(day: date) -> datetime:
    """Return the moment at which a day of UTC begins."""
    return datetime.combine(day, time(), UTC)


def _changes(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[datetime]:
    """Yield the moments at which a zone changes its clock. None does so twice in an hour."""
    hours = [start + timedelta(hours=number) for number in range((end - start) // timedelta(hours=1) + 1)]
    offsets = [_offset(hour, zone) for hour in hours]
    for hour, (old, new) in zip(hours, pairwise(offsets), strict=False):
        if old != new:
            shown_new = [hour + second * _A_SECOND for second in range(1, 3601)]
            yield shown_new[bisect_left(shown_new, True, key=lambda moment: _offset(moment, zone) != old)]


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).replace(tzinfo=UTC) - moment

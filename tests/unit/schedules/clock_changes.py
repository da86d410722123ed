"""Times of cron expressions by brute force: each minute of a zone's clock is looked at, one after another."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim

from common.pipelines.crontab import last_time_between, times_after

MINUTE = timedelta(minutes=1)
AROUND, BEFORE = timedelta(hours=30), timedelta(days=2)
FIRST_YEAR, LAST_YEAR = 2010, 2037
CRONS = (
    "*/4 * * * *",
    "1-59/7 * * * *",
    "15,45 * * * *",
    "0 */2 * * *",
    "30 2 * * *",
    "0,30 0-3 * * *",
    "59 23 * * *",
    "5 1 L * *",
    "10 0 1-31/2 * 0,6",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of a zone's clock: the first minute after it."""

    zone: str
    at: datetime


def zones() -> list[str]:
    """Name all IANA zones that show places."""
    return sorted(name for name in available_timezones() if "/" in name or name == "UTC")


def changes_of(zone: str, first_year: int = FIRST_YEAR, last_year: int = LAST_YEAR) -> Iterator[Change]:
    """Find the changes of a zone's clock, to the minute; none has two in a day."""
    found = ZoneInfo(zone)
    moment, end = datetime(first_year, 1, 1, tzinfo=UTC), datetime(last_year + 1, 1, 1, tzinfo=UTC)
    day = timedelta(days=1)
    while moment < end:
        if (new := _offset(moment + day, found)) != (old := _offset(moment, found)):
            minutes = [moment + number * MINUTE for number in range(day // MINUTE + 1)]
            at = minutes[bisect_left(minutes, True, key=lambda minute: _offset(minute, found) != old)]
            assert _offset(at, found) == new, f"{zone} changes twice on {moment:%Y-%m-%d}"
            yield Change(zone=zone, at=at)
        moment += day


def offsets_around(change: Change) -> tuple[timedelta, ...]:
    """Return the offsets of a change's zone, by the hour, in all the time that is looked at around it."""
    start, zone = change.at - AROUND - BEFORE, ZoneInfo(change.zone)
    hours = range((BEFORE + 2 * AROUND) // timedelta(hours=1) + 1)
    return tuple(_offset(start + timedelta(hours=number), zone) for number in hours)


def differences(change: Change, crons: tuple[str, ...] = CRONS) -> list[str]:
    """Say where the times around a change are others than those of brute force, either way."""
    start, end = change.at - AROUND, change.at + AROUND
    shown = _shown(change)
    found = []
    for cron in crons:
        expected = [moment for moment in _by_minute(cron, shown) if start < moment <= end]
        forward = []
        for moment in times_after(cron, change.zone, start):
            if moment > end:
                break
            forward.append(moment)
        backward, until = [], end
        while latest := last_time_between(cron, change.zone, start, until):
            backward.append(latest)
            until = latest - timedelta(microseconds=1)
        if not expected == forward == backward[::-1]:
            found.append(f"{cron} in {change.zone} around {change.at:%Y-%m-%d %H:%M}")
    return found


@lru_cache(maxsize=16)
def _shown(change: Change) -> list[tuple[datetime, datetime]]:
    """List the minutes around a change, and before it, with what the zone's clock shows."""
    zone = ZoneInfo(change.zone)
    moment = change.at - AROUND - BEFORE
    listed = []
    while moment <= change.at + AROUND:
        listed.append((moment, moment.astimezone(zone).replace(tzinfo=None, fold=0)))
        moment += MINUTE
    return listed


def _by_minute(cron: str, shown: list[tuple[datetime, datetime]]) -> list[datetime]:
    fields = cron.split()
    is_fixed = not (fields[0].startswith("*") or fields[1].startswith("*"))
    read = CronSim(cron, datetime(2024, 1, 1))  # noqa: DTZ001 - a wall clock

    def matches(wall: datetime) -> bool:
        return (
            wall.minute in read.minutes
            and wall.hour in read.hours
            and wall.month in read.months
            and read.match_day(wall.date())
        )

    found, latest = [], shown[0][1]
    for moment, wall in shown:
        if not is_fixed:
            if matches(wall):
                found.append(moment)
            continue
        # What the clock shows for the first time, and all that it has just jumped over.
        while latest < wall:
            latest += MINUTE
            if matches(latest) and (not found or found[-1] != moment):
                found.append(moment)
    return found


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    offset = moment.astimezone(zone).utcoffset()
    assert offset is not None
    return offset

"""Times of cron expressions by brute force: each minute of a zone's clock is looked at, one after another."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim

from common.schedules.crontab import last_time_between, times_after

MINUTE = timedelta(minutes=1)
AROUND = timedelta(hours=30)
FIRST_YEAR, LAST_YEAR = 2010, 2037
CRONS = (
    "* * * * *",
    "*/7 * * * *",
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


def changes_of(zone: str) -> Iterator[Change]:
    """Find the changes of a zone's clock, to the minute."""
    found = ZoneInfo(zone)
    moment, end = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC), datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC)
    step = timedelta(days=1)
    while moment < end:
        if _offset(moment, found) != _offset(moment + step, found):
            minute = moment
            while minute < moment + step:
                if _offset(minute, found) != _offset(minute + MINUTE, found):
                    yield Change(zone=zone, at=minute + MINUTE)
                minute += MINUTE
        moment += step


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


@cache
def _shown(change: Change) -> list[tuple[datetime, datetime]]:
    """List the minutes around a change, and before it, with what the zone's clock shows."""
    zone = ZoneInfo(change.zone)
    moment = change.at - AROUND - timedelta(days=2)
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

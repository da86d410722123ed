"""When a cron schedule fires, in a time zone.

A time that the spring change skips fires right after the gap; a fixed time that comes twice in autumn fires
once.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

FIELDS = 5


def next_fire(schedule: str, time_zone: str, after: datetime) -> datetime:
    """Return the first firing after a moment (UTC); raise ValueError for what is no schedule or no zone."""
    return _first(schedule, time_zone, after, is_reverse=False)


def last_fire(schedule: str, time_zone: str, until: datetime) -> datetime:
    """Return the last firing up to and with a moment (UTC)."""
    return _first(schedule, time_zone, until + timedelta(microseconds=1), is_reverse=True)


def _first(schedule: str, time_zone: str, start: datetime, *, is_reverse: bool) -> datetime:
    if len(schedule.split()) != FIELDS:
        raise ValueError(f"a schedule has five fields: {schedule!r}")
    local_start = start.astimezone(_zone(time_zone))
    try:
        return next(CronSim(schedule, local_start, reverse=is_reverse)).astimezone(UTC)
    except (CronSimError, StopIteration) as error:
        raise ValueError(f"this schedule never fires: {schedule!r} ({error})") from error


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo("UTC" if name.lower() == "utc" else name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"the tz database has no time zone {name!r}") from error

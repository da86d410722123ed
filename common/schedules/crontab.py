"""Times of a cron expression in a time zone.

A fixed time that the spring change skips comes right after the gap, once. A fixed time that comes twice in
autumn counts the first time. What is not fixed (`*` in minute or hour) follows the hours as they pass.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

_INSTANT = timedelta(microseconds=1)


def times_after(cron: str, timezone: str, after: datetime) -> Iterator[datetime]:
    """Yield the times (UTC) that come after a moment; ValueError for what is no expression or no zone."""
    return _times(cron, timezone, after, is_reverse=False)


@lru_cache(maxsize=1000)
def last_time_until(cron: str, timezone: str, until: datetime) -> datetime | None:
    """Return the latest time (UTC) up to and with a moment, None where there is none.

    In one minute many schedules ask the same: most of them are at few times of the day.
    """
    return next(_times(cron, timezone, until + _INSTANT, is_reverse=True), None)


def zone_of(name: str) -> ZoneInfo:
    """Return a time zone; ValueError where the tz database has none of that name."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no IANA time zone, such as Europe/Berlin") from error


def _times(cron: str, timezone: str, start: datetime, *, is_reverse: bool) -> Iterator[datetime]:
    try:
        found = CronSim(cron, start.astimezone(zone_of(timezone)), reverse=is_reverse)
    except CronSimError as error:
        raise ValueError(f"{cron!r} never comes: {error}") from error
    return (moment.astimezone(UTC) for moment in found)

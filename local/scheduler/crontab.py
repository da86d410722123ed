"""When a job of the scheduler fires: the times of the product's own cron expressions."""

from datetime import datetime, timedelta

from common.pipelines.crontab import last_time_between, times_after

FIELDS = 5
MAX_AGO = timedelta(days=366 * 5)


def next_fire(schedule: str, time_zone: str, after: datetime) -> datetime:
    """Return the first firing after a moment (UTC); raise ValueError for what is no schedule or no zone."""
    found = next(times_after(_checked(schedule), _zone(time_zone), after), None)
    if found is None:
        raise ValueError(f"this schedule never fires: {schedule!r}")
    return found


def last_fire(schedule: str, time_zone: str, until: datetime) -> datetime:
    """Return the last firing up to and with a moment (UTC)."""
    found = last_time_between(_checked(schedule), _zone(time_zone), until - MAX_AGO, until)
    if found is None:
        raise ValueError(f"this schedule has not fired: {schedule!r}")
    return found


def _checked(schedule: str) -> str:
    if len(schedule.split()) != FIELDS:
        raise ValueError(f"a schedule has five fields: {schedule!r}")
    return schedule


def _zone(name: str) -> str:
    return "UTC" if name.lower() == "utc" else name

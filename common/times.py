"""Time as the platform sees it: aware, UTC, RFC 3339."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

type Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the present time; the one clock that reads the machine's."""
    return datetime.now(UTC)


def to_rfc3339(moment: datetime) -> str:
    """Write a moment as BigQuery and the API read it: `2026-01-31T09:30:00.123456Z`."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def from_rfc3339(text: str) -> datetime:
    """Read a moment; ValueError where it has no zone, or is on no calendar in UTC."""
    moment = datetime.fromisoformat(text.upper())  # RFC 3339 also takes t and z.
    if moment.tzinfo is None:
        raise ValueError(f"a time needs a zone: {text!r}")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"a time beyond the calendar: {text!r}") from error


def start_of_day(moment: datetime) -> datetime:
    """Return the UTC midnight that opens the day of `moment`."""
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def start_of_month(moment: datetime) -> datetime:
    """Return the UTC midnight that opens the month of `moment`."""
    return start_of_day(moment).replace(day=1)


def next_day(moment: datetime) -> datetime:
    """Return the UTC midnight that ends the day of `moment`."""
    return start_of_day(moment) + timedelta(days=1)


def next_month(moment: datetime) -> datetime:
    """Return the UTC midnight that ends the month of `moment`."""
    return start_of_month(start_of_month(moment) + timedelta(days=32))

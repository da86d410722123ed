"""What time it is: by the machine, or by a test."""

from datetime import UTC, datetime, timedelta
from typing import Protocol

START = datetime(2026, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """A source of aware UTC times."""

    def now(self) -> datetime:
        """Return the time."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the time."""
        return datetime.now(UTC)


class ManualClock:
    """A clock that stands still until it is moved."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """Return the time."""
        return self._now

    def move_to(self, moment: datetime) -> None:
        """Set the clock forward; an earlier moment leaves it as it is."""
        self._now = max(self._now, moment)

    def move_by(self, seconds: float) -> None:
        """Set the clock forward."""
        self._now += timedelta(seconds=seconds)

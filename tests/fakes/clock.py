"""Virtual time: it passes only when somebody sleeps or a test says so."""

import threading
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 15, 12, 0, tzinfo=UTC)


class VirtualClock:
    """A clock to inject wherever a `Clock` and a `sleep` are asked for."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.advance(timedelta(seconds=seconds))

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        with self._lock:
            self.now += by

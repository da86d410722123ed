"""Tell the time and wait for it: the real clock, and one that tests move by hand."""

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """Time as the server sees it: when a lease ends, and when a message may be tried again."""

    def now(self) -> float:
        """Return the time, in seconds since 1970."""
        ...

    def wait(self, changed: threading.Condition, until: float | None) -> None:
        """Wait, with `changed` held, for a notification or for the time `until` (None: no end)."""
        ...


class SystemClock:
    """Real time that starts at the wall clock and then never steps back."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        """Return the time, in seconds since 1970."""
        return self._offset + time.monotonic()

    def wait(self, changed: threading.Condition, until: float | None) -> None:
        """Wait for a notification or for the time `until`."""
        changed.wait(None if until is None else max(0.0, until - self.now()))


class ManualClock:
    """Time that stands still until a test advances it."""

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._now = start
        self._waiters: set[threading.Condition] = set()

    def now(self) -> float:
        """Return the time, in seconds since 1970."""
        return self._now

    def wait(self, changed: threading.Condition, until: float | None) -> None:
        """Wait for a notification; `advance` is one."""
        self._waiters.add(changed)
        is_due = until is not None and until <= self._now
        changed.wait(0 if is_due else None)

    def advance(self, seconds: float) -> None:
        """Move the time forward and wake whoever waits for it."""
        self._now += seconds
        for changed in tuple(self._waiters):
            with changed:
                changed.notify_all()


def earliest(*times: float | None) -> float | None:
    """Return the first of some times that may never come (None); None when none of them does."""
    return min((time for time in times if time is not None), default=None)

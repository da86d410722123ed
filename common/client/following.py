"""Following a run to its end: its status is asked for until it has one."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from common.client.problems import ApiError
from common.client.runs import RunStatus

ENDED = frozenset({"COMPLETED", "FAILED", "CANCELLED"})
GROWTH = 1.5
WAIT_SECONDS = 20
"""How long the platform is asked to wait for news of a run."""


class StillRunning(ApiError):
    """The run has not ended in the time that it was given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often a run is looked at where the platform does not wait. Pauses grow while nothing changes."""

    first_seconds: float = 1.0
    max_seconds: float = 10.0
    limit_seconds: float | None = None
    """After how long the run is let go; None for never."""


type ReadStatus = Callable[[int], RunStatus]
"""Reads a run's status, once it has got further or so many seconds have gone by."""


def follow(
    read: ReadStatus,
    pace: Pace | None = None,
    *,
    sleep: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> Iterator[RunStatus]:
    """Yield a run's status at each look, its end included; StillRunning where it takes too long."""
    pace = pace or Pace()
    began, pause = monotonic(), pace.first_seconds
    status = read(0)
    yield status
    while status["status"] not in ENDED:
        if pace.limit_seconds is not None and monotonic() - began > pace.limit_seconds:
            raise StillRunning(f"the run has not ended after {pace.limit_seconds:g} s")
        before, asked_at = _picture(status), monotonic()
        status = read(WAIT_SECONDS)
        if _picture(status) != before:
            pause = pace.first_seconds
        else:  # The platform need not wait.
            sleep(max(0.0, pause - (monotonic() - asked_at)))
            pause = min(pause * GROWTH, pace.max_seconds)
        yield status


def _picture(status: RunStatus) -> tuple[object, ...]:
    """Return what changes as a run goes on."""
    steps = (step for level in status["levels"] for step in level["steps"])
    return status["status"], *((step["step_id"], step["status"], step.get("attempt")) for step in steps)

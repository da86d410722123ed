"""Run events: what other systems are told of each run, one event for each state it comes to.

Rows are the truth and are written first; an event that cannot be sent is logged and keeps nothing from going
on. A repeated delivery tells a state again, and so does a first level at each hand-over, under the same event
ID. A request by message that is refused has no row: its event is the answer.
"""

import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from common.errors import ConvergenceError
from common.problems import Problem
from common.quality.results import CheckResult
from common.quality.verdicts import CheckStatus
from common.runs.ports import CheckWrites, RunWrites
from common.runs.run import FIRST_LEVEL, EndReason, Run, RunStatus, StepRow, StepStatus, Trigger

logger = logging.getLogger(__name__)

EVENTS = uuid.UUID("a4c8a1d2-37de-5d0b-9a0e-54d3f6f0f7b1")
REJECTED, LATE = "REJECTED", "LATE"
CHECKS_FAILED, CHECKS_WARNED = "CHECKS_FAILED", "CHECKS_WARNED"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEvent:
    """A run has come to a state."""

    run: Run
    status: RunStatus
    occurred_at: datetime

    @property
    def event_id(self) -> str:
        """The same for the same state of the same run, so that a repeat can be told."""
        return str(uuid.uuid5(EVENTS, f"{self.run.run_id}\n{self.status}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRequest:
    """A request for a run, by message, that was refused for good: as HTTP would have answered it."""

    tenant_id: str
    request_id: str
    """The message's ID."""
    config_id: str
    """What was asked for, "" where that could not be made out; so is the idempotency key."""
    idempotency_key: str
    trigger: Trigger
    problem: Problem
    occurred_at: datetime
    traceparent: str = ""

    @property
    def event_id(self) -> str:
        """The same for the same message, however often it is delivered."""
        return str(uuid.uuid5(EVENTS, f"{self.tenant_id}\n{self.request_id}\n{REJECTED}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckEvent:
    """Checks of a step were not passed: an error has stopped the step, or there were warnings alone."""

    run: Run
    step_id: str
    results: tuple[CheckResult, ...]
    """Those that were not passed."""
    occurred_at: datetime

    @property
    def state(self) -> str:
        """Say in one word what came of the checks."""
        failed = any(one.verdict.status is CheckStatus.FAILED for one in self.results)
        return CHECKS_FAILED if failed else CHECKS_WARNED

    @property
    def event_id(self) -> str:
        """The same for the same checks of the same run, so that a repeat can be told."""
        return str(uuid.uuid5(EVENTS, f"{self.run.run_id}\n{self.step_id}\n{self.state}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class LateEvent:
    """No run of a pipeline has completed by the time that its file says."""

    tenant_id: str
    config_id: str
    config_version: int
    by: datetime
    occurred_at: datetime

    @property
    def event_id(self) -> str:
        """The same for the same pipeline and the same time."""
        return str(uuid.uuid5(EVENTS, f"{self.tenant_id}\n{self.config_id}\n{self.by.isoformat()}\n{LATE}"))

    @property
    def claim_id(self) -> str:
        """The name under which it is told of once."""
        return f"cvg-late-{self.tenant_id}-{self.config_id}-{self.by:%Y%m%d%H%M}"


type Event = RunEvent | CheckEvent | LateEvent | RejectedRequest


class EventPublisher(Protocol):
    """Where events go."""

    def publish_events(self, events: Sequence[Event]) -> None:
        """Return once all events are durable; Unavailable where that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcer:
    """Tells of states that have been recorded."""

    publisher: EventPublisher

    def announce(self, events: Sequence[RunEvent | CheckEvent | LateEvent]) -> None:
        """Send events, as far as that works."""
        if not events:
            return
        try:
            self.publisher.publish_events(events)
        except ConvergenceError:
            logger.exception("run events lost", extra={"events": len(events)})

    def answer(self, rejected: RejectedRequest) -> None:
        """Tell that a request was refused; Unavailable where that fails, since nothing else tells it."""
        self.publisher.publish_events([rejected])


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncingRuns:
    """`RunWrites` that tell of each state once its row has been appended."""

    store: RunWrites
    announcer: Announcer

    def check_rows_arrive(self) -> None:
        """Raise where no row can be appended now."""
        self.store.check_rows_arrive()

    def append_run(
        self,
        run: Run,
        status: RunStatus,
        now: datetime,
        error: str = "",
        reason: EndReason | None = None,
        bytes_billed: int | None = None,
    ) -> None:
        """Append a run's row, and tell of it."""
        self.store.append_run(run, status, now, error, reason, bytes_billed)
        self.announcer.announce([RunEvent(run=run, status=status, occurred_at=now)])

    def append_steps(self, run: Run, rows: Sequence[StepRow], now: datetime) -> None:
        """Append step rows. The first ones are what makes a run RUNNING, which has no row of its own."""
        self.store.append_steps(run, rows, now)
        if rows and all(_begins(row) for row in rows):
            self.announcer.announce([RunEvent(run=run, status=RunStatus.RUNNING, occurred_at=now)])


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncingChecks:
    """`CheckWrites` that tell of checks that were not passed once their rows have been appended."""

    store: CheckWrites
    announcer: Announcer

    def append_checks(self, run: Run, results: Sequence[CheckResult], now: datetime) -> None:
        """Append results, and tell of each step whose checks were not all passed."""
        self.store.append_checks(run, results, now)
        broken = [one for one in results if one.verdict.status is not CheckStatus.PASSED]
        of_steps = {
            one.step_id: tuple(other for other in broken if other.step_id == one.step_id) for one in broken
        }
        self.announcer.announce(
            [
                CheckEvent(run=run, step_id=step_id, results=mine, occurred_at=now)
                for step_id, mine in of_steps.items()
            ]
        )


def _begins(row: StepRow) -> bool:
    return row.level == FIRST_LEVEL and row.status is StepStatus.RUNNING

"""The queue: runs over their tenant's concurrent limit wait in it for a slot."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from common.claims import ClaimJobs, claim
from common.errors import Conflict
from common.queue.firings import ScheduledConfig
from common.queue.waiting import MAX_WAIT, AdmissionResult, WaitingRun, from_fault
from common.runs.cancelling import flag
from common.runs.events import Announcer, RunEvent
from common.runs.ports import StoredRun
from common.runs.run import RunStatus
from common.times import Clock

logger = logging.getLogger(__name__)

EVERY_TENANT = ""
LOOK_ANYWAY_MINUTES = 15
"""How often the queue is read though nothing says that anybody waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueEntry:
    """A run that is or was in the queue: QUEUED, PENDING once it has begun, FAILED or CANCELLED."""

    waiting: WaitingRun
    status: RunStatus
    error: str = ""
    recorded_at: datetime


class QueueStore(Protocol):
    """The rows of the queue; the first terminal one of a run wins."""

    def read_waiting(self, tenant_id: str, now: datetime) -> Sequence[WaitingRun]:
        """Return whose turn is next and who has waited too long, of one tenant or of every one."""

    def find(self, tenant_id: str, run_id: str, now: datetime) -> QueueEntry | None:
        """Return a tenant's entry, None where it has none of that ID."""

    def append(self, result: Sequence[AdmissionResult], now: datetime) -> None:
        """Append what became of runs, all in one call."""


class FiringStore(Protocol):
    """The rows of firings."""

    def append_firings(self, result: Sequence[AdmissionResult], now: datetime) -> None:
        """Append what became of firings, all in one call."""

    def record_firings(self, ended_since: datetime, now: datetime) -> None:
        """Append how the runs of firings have ended since a moment, once a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunQueue:
    """Puts runs into the queue and takes them out.

    A claim says that a tenant has used the queue on a day. So the end of a run costs the tenants that never
    queue one look at a job, not a query.
    """

    store: QueueStore
    firings: FiringStore
    claims: ClaimJobs
    announcer: Announcer
    clock: Clock

    def enqueue(self, waiting: WaitingRun) -> StoredRun:
        """Put a run into the queue, or return what has become of the one that has this ID already."""
        now = self.clock()
        if found := self.store.find(waiting.tenant_id, waiting.run_id, now):
            return StoredRun(run=found.waiting.as_run(), status=found.status)
        self.record([AdmissionResult(waiting=waiting, status=RunStatus.QUEUED)], now)
        logger.info("run queued", extra={"run": waiting.run_id, "config": waiting.config_id})
        return StoredRun(run=waiting.as_run(), status=RunStatus.QUEUED)

    def record(self, result: Sequence[AdmissionResult], now: datetime) -> None:
        """Append what became of runs, and last what became of firings that were due.

        Whatever has not begun is an entry of the queue, so that it can be found; but refused firings are
        found, and counted, by their rows as firings (`common.queue.refusals`). A tenant is marked before
        its run can be seen to wait. A firing's row says that all before it have been seen to as well, so
        a filler that takes a firing out of the queue, out of order, writes none.
        """
        waiting = {one.waiting.tenant_id for one in result if _is_followed(one)}
        for tenant_id in sorted(waiting):
            claim(self.claims, _mark(tenant_id, now), {"tenant": tenant_id})
            claim(self.claims, _mark_of_all(now), {"purpose": "queue"})
        entries = [one for one in result if _is_entry(one)]
        if entries:
            self.store.append(entries, now)
        if firings := [one for one in result if one.waiting.is_due]:
            self.firings.append_firings(firings, now)
        self.announcer.announce([event for one in result if (event := _event(one, now))])

    def refuse_schedule(self, config: ScheduledConfig, error: str, now: datetime) -> None:
        """Tell a tenant that its schedule cannot be followed, once for each version of the config."""
        refused = from_fault(config, now)
        mark = f"cvg-schedule-fault-{refused.run_id}"
        if self.claims.find_claim(mark):
            return
        told = f"the schedule cannot be followed: {error}"
        self.record([AdmissionResult(waiting=refused, status=RunStatus.FAILED, error=told)], now)
        claim(self.claims, mark, {"tenant": config.tenant_id})
        logger.error("schedule cannot be followed", extra={"config": config.config_id, "reason": error})

    def waiting(self, tenant_id: str = EVERY_TENANT) -> Sequence[WaitingRun]:
        """Return whose turn is next, of one tenant or of every one.

        Where nobody has used the queue for days, a minute costs a look at some jobs, not a query.
        """
        if tenant_id == EVERY_TENANT and not self._may_anybody_wait():
            return []
        return self.store.read_waiting(tenant_id, self.clock())

    def _may_anybody_wait(self) -> bool:
        now = self.clock()
        # Who has waited for a day is refused a little later, and no mark is made anew meanwhile.
        marks = [_mark_of_all(now - days * MAX_WAIT) for days in range(3)]
        return now.minute % LOOK_ANYWAY_MINUTES == 0 or any(map(self.claims.find_claim, marks))

    def may_wait(self, tenant_id: str) -> bool:
        """Tell whether any run of a tenant can be waiting, without a query."""
        now = self.clock()
        days = {_mark(tenant_id, now): None, _mark(tenant_id, now - MAX_WAIT): None}
        return any(self.claims.find_claim(mark) for mark in days)

    def find(self, tenant_id: str, run_id: str) -> QueueEntry | None:
        """Return a tenant's entry, None where it has none of that ID."""
        return self.store.find(tenant_id, run_id, self.clock())

    def cancel(self, entry: QueueEntry) -> StoredRun:
        """Take a run out of the queue; Conflict where it has ended otherwise.

        The flag comes first: a filler that gives the run its ticket at this moment finds it at the first
        level.
        """
        waiting = entry.waiting
        if entry.status is RunStatus.FAILED:
            raise Conflict(f"the run has ended: it is {entry.status}")
        if entry.status is not RunStatus.CANCELLED:
            flag(self.claims, waiting.tenant_id, waiting.run_id)
            cancelled = AdmissionResult(
                waiting=waiting, status=RunStatus.CANCELLED, error="the run was cancelled"
            )
            self.record([cancelled], self.clock())
        return StoredRun(run=waiting.as_run(), status=RunStatus.CANCELLED)


def _is_followed(result: AdmissionResult) -> bool:
    """Tell whether a run waits, or is one of many that were put into the queue days ago."""
    waiting = result.waiting
    return result.status is RunStatus.QUEUED or (waiting.over_days and waiting.is_queued)


def _is_entry(result: AdmissionResult) -> bool:
    has_not_begun = result.status is not RunStatus.PENDING and not result.is_refused_firing
    return result.waiting.is_queued or has_not_begun


def _mark(tenant_id: str, now: datetime) -> str:
    return f"cvg-queue-{tenant_id}-{now:%Y%m%d}"


def _mark_of_all(now: datetime) -> str:
    return f"cvg-queued-{now:%Y%m%d}"


def _event(result: AdmissionResult, now: datetime) -> RunEvent | None:
    """Tell of runs that wait, will never begin, or have just got their ticket; of a refusal once."""
    entry_id = result.entry_id
    if (result.status is RunStatus.PENDING and result.run is None) or entry_id in result.waiting.refusals:
        return None
    run = result.run or replace(result.waiting.as_run(), run_id=entry_id)
    return RunEvent(run=run, status=result.status, occurred_at=now)

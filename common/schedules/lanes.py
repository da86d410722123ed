"""Lanes: the waiting runs of one tenant, admitted in their order as far as the plan goes."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from common.claims import ClaimJobs
from common.errors import Conflict, ConvergenceError, InvalidInput, QuotaExceeded, Unavailable
from common.logs import log_context
from common.pipelines.pipeline import Pipeline
from common.runs.beginning import ReadyRun, RunBeginner
from common.runs.cancelling import is_cancelled
from common.runs.ports import ConfigText
from common.runs.quotas import CONCURRENT, MAX_PARALLEL
from common.runs.run import Run, RunStatus
from common.runs.tickets import ADMISSION_LIFETIME, Ledger, Ticket, with_ticket, without_one
from common.schedules.waiting import Settled, WaitingRun
from common.times import Clock

logger = logging.getLogger(__name__)

ANOTHERS_TURN = timedelta(seconds=20)
"""As long as a run's row takes to be readable: whoever gave it its ticket this lately is beginning it."""

EXPIRED = "the run waited in the queue for 24 hours without a free slot"
EXPIRED_OVER_DAYS = "the run waited in the queue for a week without room in the plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneFacts:
    """What a tenant's rows say at one moment: its ledger, and which of the asked runs have rows."""

    ledger: Ledger
    begun: Mapping[str, RunStatus] = field(default_factory=dict)

    def without(self, ended: Run) -> "LaneFacts":
        """Take off a run that is known to have ended, where the rows do not say so yet."""
        status = self.begun.get(ended.run_id)
        if status is None or status.is_terminal:
            return self
        return replace(self, ledger=without_one(self.ledger, ended.trigger.backfill_id))


@dataclass(slots=True, kw_only=True)
class Lane:
    """One tenant's turn. The ledger goes along with each ticket, so that it is read once.

    A refusal holds for whoever comes after: the limits are the tenant's, not the run's. One by a backfill's
    `max_parallel` holds for the runs of that backfill. It holds for nobody who has a ticket already.

    Another filler may be at the same lane. The first run whose ticket it has taken says so, and the rest is
    left to it: both would begin each run, and its end, twice told, would fill the lane twice over. Who
    `takes_over` begins a run whose filler seems to have died.
    """

    facts: LaneFacts
    configs: Mapping[tuple[str, str, int], ConfigText]
    beginner: RunBeginner
    claims: ClaimJobs
    compile: Callable[[str, ConfigText], Pipeline]
    clock: Clock
    takes_over: bool
    _refusal: QuotaExceeded | None = None
    _full_backfills: set[str] = field(default_factory=set)
    _taken: list[Ticket] = field(default_factory=list)
    _holders: set[str] = field(default_factory=set)

    def settle(self, waiting: Sequence[WaitingRun], until: datetime) -> list[Settled]:
        """Settle as many as can be, in order; who is left, by time or by a passing fault, waits on."""
        settled: list[Settled] = []
        for each in sorted(waiting, key=lambda one: one.turn):
            if self.clock() >= until:
                break
            with log_context(tenant=each.tenant_id, run=each.run_id):
                try:
                    one = self._settled(each)
                except Unavailable:
                    logger.warning("lane left for the next minute", exc_info=True)
                    break
                except Exception:  # a defect that one tenant's rows bring out is nobody else's
                    logger.exception("lane left for the next minute")
                    break
                if one is None:
                    logger.info("lane left to another filler")
                    break
                settled.append(one)
        return settled

    def _settled(self, waiting: WaitingRun) -> Settled | None:
        if waiting.run_id in self.facts.begun:
            return Settled(waiting=waiting, status=RunStatus.PENDING)
        if waiting.is_queued and waiting.has_expired(self.clock()):
            return self._expired(waiting)
        if self._refusal and waiting.run_id not in self._holders:
            return _refused(waiting, self._refusal)
        if self._is_full(waiting):
            return Settled(waiting=waiting, status=RunStatus.QUEUED)
        if waiting.is_queued and is_cancelled(self.claims, waiting.run_id):
            return Settled(waiting=waiting, status=RunStatus.CANCELLED, error="the run was cancelled")
        try:
            return self._begun(waiting)
        except QuotaExceeded as refusal:
            self._note(refusal, waiting)
            return _refused(waiting, refusal)
        except (InvalidInput, Conflict) as error:
            return Settled(waiting=waiting, status=RunStatus.FAILED, error=str(error))

    def _expired(self, waiting: WaitingRun) -> Settled:
        """Give it up, but not before the row of one that got its ticket at the last moment can be read."""
        if waiting.has_expired(self.clock() - ADMISSION_LIFETIME):
            error = EXPIRED_OVER_DAYS if waiting.over_days else EXPIRED
            return Settled(waiting=waiting, status=RunStatus.FAILED, error=error)
        return Settled(waiting=waiting, status=RunStatus.QUEUED)

    def _is_full(self, waiting: WaitingRun) -> bool:
        """Tell at no cost what the admission would find: as many runs of its backfill run as may."""
        running = self.facts.ledger.backfills.get(waiting.backfill_id, 0)
        return waiting.backfill_id in self._full_backfills or 0 < waiting.max_parallel <= running

    def _note(self, refusal: QuotaExceeded, waiting: WaitingRun) -> None:
        if refusal.limit_name == MAX_PARALLEL:
            self._full_backfills.add(waiting.backfill_id)
        else:
            self._refusal = refusal

    def _begun(self, waiting: WaitingRun) -> Settled | None:
        config = self.configs.get(waiting.config_key)
        if config is None:
            raise Conflict(f"there is no pipeline config {waiting.config_id!r} any more")
        ready = self._compiled(waiting, config)
        asked_at = self.clock()
        run = self.beginner.admit(ready, self.facts.ledger, self._taken, self._holders)
        if run.started_at < asked_at and not self._takes_over(run, asked_at):
            return None
        ticket = Ticket(
            number=run.ticket,
            run_id=run.run_id,
            config_id=run.config_id,
            admitted_at=run.started_at,
            backfill_id=run.trigger.backfill_id,
        )
        self._taken.append(ticket)
        self.facts = replace(self.facts, ledger=with_ticket(self.facts.ledger, ticket))
        logger.info("run admitted", extra={"ticket": run.ticket, "config": run.config_id})
        return Settled(waiting=waiting, status=RunStatus.PENDING, run=run, pipeline=ready.pipeline)

    def _compiled(self, waiting: WaitingRun, config: ConfigText) -> ReadyRun:
        try:
            return waiting.ready(self.compile(waiting.tenant_id, config))
        except ConvergenceError:
            raise
        except Exception as defect:
            logger.exception("pipeline cannot be compiled")
            raise Conflict(f"the pipeline config {waiting.config_id!r} cannot be compiled") from defect

    def _takes_over(self, run: Run, now: datetime) -> bool:
        return self.takes_over and now - run.started_at >= ANOTHERS_TURN


def _refused(waiting: WaitingRun, refusal: QuotaExceeded) -> Settled:
    # A slot comes free by itself and is worth waiting for; the day's and the month's runs do not.
    is_full = waiting.over_days or refusal.limit_name in {CONCURRENT, MAX_PARALLEL}
    status = RunStatus.QUEUED if is_full else RunStatus.FAILED
    return Settled(waiting=waiting, status=status, error="" if is_full else str(refusal))

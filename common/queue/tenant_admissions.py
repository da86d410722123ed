"""Admissions of one tenant in a batch: its waiting runs, in their order, as far as the plan goes."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from common.claims import ClaimJobs
from common.errors import BudgetExceeded, Conflict, ConvergenceError, InvalidInput, QuotaExceeded, Unavailable
from common.logs import log_context
from common.pipelines.pipeline import Pipeline
from common.pipelines.schedule import Overlap
from common.queue.overlaps import SKIPPED, TAKEN_OVER, overtaken
from common.queue.waiting import AdmissionResult, WaitingRun
from common.runs.beginning import ReadyRun, RunAdmission
from common.runs.cancelling import flag, is_cancelled
from common.runs.ports import ConfigText
from common.runs.quotas import (
    CONCURRENT,
    MAX_ACTIVE_RUNS,
    MAX_PARALLEL,
    OF_SCHEDULES,
    ScheduleShare,
    excess_of_days,
    is_held,
)
from common.runs.run import Run, RunStatus
from common.runs.tickets import ADMISSION_LIFETIME, Ledger, Ticket, with_ticket, without_one
from common.times import Clock

logger = logging.getLogger(__name__)

ANOTHERS_TURN = timedelta(seconds=20)
"""As long as a run's row takes to be readable: what gave it a ticket this lately is beginning it."""

EXPIRED = "the run waited in the queue for 24 hours without a free slot"
EXPIRED_OVER_DAYS = "the run waited in the queue for a week without room in the plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantAdmissionFacts:
    """What a tenant's rows say at one moment: its ledger, and which of the asked runs have rows."""

    ledger: Ledger
    begun: Mapping[str, RunStatus] = field(default_factory=dict)

    def without(self, ended: Run) -> "TenantAdmissionFacts":
        """Take off a run that is known to have ended, where the rows do not say so yet."""
        status = self.begun.get(ended.run_id)
        if status is None or status.is_terminal:
            return self
        return replace(self, ledger=without_one(self.ledger, ended))


@dataclass(slots=True, kw_only=True)
class TenantAdmissions:
    """One tenant's turn. The ledger goes along with each ticket, so that it is read once.

    A refusal holds for the runs that come after: the limits are the tenant's, not the run's. One by a
    backfill's `max_parallel`, or by a schedule's `max_active_runs`, holds for the runs of that backfill or
    schedule. It holds for nobody who has a ticket already.

    A firing waits only where the day still has a run for it, beside those of schedules that wait before it.

    Another filler may be at the same tenant. The first run whose ticket it has taken says so, and the rest is
    left to it: both would begin each run, and its end, twice told, would fill its slots twice. Who
    `takes_over` begins a run whose filler seems to have died.
    """

    facts: TenantAdmissionFacts
    configs: Mapping[tuple[str, str, int], ConfigText]
    run_admission: RunAdmission
    claims: ClaimJobs
    compile: Callable[[str, ConfigText], Pipeline]
    clock: Clock
    takes_over: bool
    cancel: Callable[[str, str], object]
    """Stops a run of the tenant that is under way."""
    ahead: Counter[str]
    """Runs of schedules that stay in the queue, by config; the admissions of one fill count on."""
    _refusal: QuotaExceeded | None = None
    _full: set[tuple[str, str]] = field(default_factory=set)
    _overtaken: frozenset[str] = frozenset()
    _taken: list[Ticket] = field(default_factory=list)
    _holders: set[str] = field(default_factory=set)

    def resolve(self, waiting: Sequence[WaitingRun], until: datetime) -> list[AdmissionResult]:
        """Admit or refuse as many as can be, in order; what time or a passing failure leaves, waits on."""
        result: list[AdmissionResult] = []
        self._overtaken = overtaken(waiting)
        for each in sorted(waiting, key=lambda one: one.turn):
            if self.clock() >= until:
                break
            with log_context(tenant=each.tenant_id, run=each.run_id):
                try:
                    one = self._resolved(each)
                except Unavailable:
                    logger.warning("admissions left for the next minute", exc_info=True)
                    break
                except Exception:  # a defect that one tenant's rows bring out is nobody else's
                    logger.exception("admissions left for the next minute")
                    break
                if one is None:
                    logger.info("admissions left to another filler")
                    break
                result.append(one)
        return result

    def _resolved(self, waiting: WaitingRun) -> AdmissionResult | None:
        if waiting.run_id in self.facts.begun:
            return AdmissionResult(waiting=waiting, status=RunStatus.PENDING)
        if waiting.is_queued and waiting.has_expired(self.clock()):
            return self._expired(waiting)
        if held_back := self._held_back(waiting):
            return held_back
        if waiting.is_queued and is_cancelled(self.claims, waiting.run_id):
            return AdmissionResult(waiting=waiting, status=RunStatus.CANCELLED, error="the run was cancelled")
        try:
            return self._begun(waiting)
        except QuotaExceeded as refusal:
            self._note(refusal, waiting)
            return self._refused(waiting, refusal)
        except (InvalidInput, Conflict) as error:
            return AdmissionResult(waiting=waiting, status=RunStatus.FAILED, error=str(error))

    def _held_back(self, waiting: WaitingRun) -> AdmissionResult | None:
        """Refuse, without a look at any ticket, the runs that are known to get none."""
        if waiting.run_id in self._overtaken:
            flag(self.claims, waiting.tenant_id, waiting.run_id)
            return AdmissionResult(waiting=waiting, status=RunStatus.CANCELLED, error=TAKEN_OVER)
        is_full = self._is_full(waiting)
        if is_full and waiting.share:
            return self._crowded_out(waiting, waiting.share)
        if self._refusal and waiting.run_id not in self._holders:
            return self._refused(waiting, self._refusal)
        return self._left_waiting(waiting) if is_full else None

    def _expired(self, waiting: WaitingRun) -> AdmissionResult:
        """Give it up, but not before the row of one that got its ticket at the last moment can be read."""
        if waiting.has_expired(self.clock() - ADMISSION_LIFETIME):
            error = EXPIRED_OVER_DAYS if waiting.over_days else EXPIRED
            return AdmissionResult(waiting=waiting, status=RunStatus.FAILED, error=error)
        return AdmissionResult(waiting=waiting, status=RunStatus.QUEUED)

    def _is_full(self, waiting: WaitingRun) -> bool:
        """Tell at no cost what the admission would find: its backfill or schedule runs as much as it may."""
        ledger, share = self.facts.ledger, waiting.share
        running = ledger.backfills.get(waiting.backfill_id, 0)
        most = waiting.max_parallel
        if share:
            running, most = len(ledger.schedules.get(waiting.config_id, ())), share.max_active_runs
            running += self.ahead[waiting.config_id] if waiting.overlap is Overlap.SKIP else 0
        return _group(waiting) in self._full or 0 < most <= running

    def _note(self, refusal: QuotaExceeded, waiting: WaitingRun) -> None:
        if isinstance(refusal, BudgetExceeded):
            return  # Others hold less, or are in other budgets.
        if refusal.limit_name in {MAX_PARALLEL, MAX_ACTIVE_RUNS}:
            self._full.add(_group(waiting))
        elif refusal.limit_name != OF_SCHEDULES:
            self._refusal = refusal

    def _refused(self, waiting: WaitingRun, refusal: QuotaExceeded) -> AdmissionResult:
        # A slot comes free by itself and is worth waiting for; the day's and the month's runs do not.
        if refusal.limit_name == MAX_ACTIVE_RUNS and waiting.share:
            return self._crowded_out(waiting, waiting.share)
        if waiting.over_days or refusal.limit_name in {CONCURRENT, MAX_PARALLEL} or is_held(refusal):
            return self._left_waiting(waiting, waiting.share)
        return AdmissionResult(
            waiting=waiting, status=RunStatus.FAILED, error=str(refusal), reason=refusal.limit_name
        )

    def _crowded_out(self, waiting: WaitingRun, share: ScheduleShare) -> AdmissionResult:
        """Do what the file says where as many runs of its schedule are under way as may be."""
        result = self._left_waiting(waiting, share)
        if result.status is not RunStatus.QUEUED:
            return result
        if waiting.overlap is Overlap.SKIP and waiting.is_new:
            self.ahead[waiting.config_id] -= 1
            return AdmissionResult(waiting=waiting, status=RunStatus.CANCELLED, error=SKIPPED)
        if waiting.overlap is Overlap.CANCEL_OLDER:
            running = self.facts.ledger.schedules.get(waiting.config_id, ())
            surplus = len(running) + self.ahead[waiting.config_id] - share.max_active_runs
            for run_id in running[: max(0, surplus)]:
                self._cancel_older(waiting.tenant_id, run_id)
        return result

    def _left_waiting(self, waiting: WaitingRun, share: ScheduleShare | None = None) -> AdmissionResult:
        if share and waiting.is_new and (lack := self._lack_of_room(share)):
            return AdmissionResult(
                waiting=waiting, status=RunStatus.FAILED, error=str(lack), reason=lack.limit_name
            )
        self.ahead[waiting.config_id] += share is not None
        return AdmissionResult(waiting=waiting, status=RunStatus.QUEUED)

    def _lack_of_room(self, share: ScheduleShare) -> QuotaExceeded | None:
        use, count = self.facts.ledger.use, self.ahead.total()
        asked = replace(
            use, today=use.today + count, month=use.month + count, scheduled=use.scheduled + count
        )
        return excess_of_days(asked, self.facts.ledger.limits, self.clock(), share)

    def _cancel_older(self, tenant_id: str, run_id: str) -> None:
        """Stop a run, once; what fails is done again in the next minute."""
        try:
            if not is_cancelled(self.claims, run_id):
                self.cancel(tenant_id, run_id)
        except ConvergenceError:
            logger.warning("older run not cancelled yet", extra={"older": run_id}, exc_info=True)

    def _begun(self, waiting: WaitingRun) -> AdmissionResult | None:
        config = self.configs.get(waiting.config_key)
        if config is None:
            raise Conflict(f"there is no pipeline config {waiting.config_id!r} any more")
        ready = self._compiled(waiting, config)
        asked_at = self.clock()
        run = self.run_admission.admit(ready, self.facts.ledger, self._taken, self._holders)
        if run.started_at < asked_at and not self._takes_over(run, asked_at):
            return None
        ticket = Ticket(
            number=run.ticket,
            run_id=run.run_id,
            config_id=run.config_id,
            admitted_at=run.started_at,
            backfill_id=run.trigger.backfill_id,
            is_scheduled=waiting.share is not None,
            bytes_held=run.bytes_held,
        )
        self._taken.append(ticket)
        self.facts = replace(self.facts, ledger=with_ticket(self.facts.ledger, ticket))
        logger.info("run admitted", extra={"ticket": run.ticket, "config": run.config_id})
        return AdmissionResult(waiting=waiting, status=RunStatus.PENDING, run=run, pipeline=ready.pipeline)

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


def _group(waiting: WaitingRun) -> tuple[str, str]:
    """Name the backfill or the schedule that it belongs to."""
    return waiting.backfill_id, waiting.config_id if waiting.share else ""

"""Backfills: one run for each interval of the past, by way of the queue.

A backfill is known by what it asks for. To ask for the same again resumes it: intervals that have completed,
or are under way, stay as they are; the others get a new run.
"""

import logging
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from common.errors import ConvergenceError, Fault, InvalidInput, NotFound, QuotaExceeded, Unavailable
from common.pipelines.intervals import Interval, day_of
from common.pipelines.pipeline import Pipeline
from common.pipelines.secret_values import NoSeal, ParameterSeal, with_secrets_sealed
from common.runs.beginning import RunBeginner
from common.runs.discreet_jobs import without_secrets
from common.runs.guarding import Guard, guarded_dry_run
from common.runs.level_messages import LevelMessage
from common.runs.levels import AtOnce, in_threads
from common.runs.ports import ConfigText, Identities
from common.runs.quotas import Quota, quotas
from common.runs.run import RunStatus, Trigger, TriggerType
from common.runs.step_jobs import step_job
from common.schedules.filling import SlotFiller
from common.schedules.intervals import IntervalStep, intervals_between
from common.schedules.queue import RunQueue
from common.schedules.stopping import RunStopper
from common.schedules.waiting import Settled, WaitingRun, priority_of
from common.times import Clock, to_rfc3339

logger = logging.getLogger(__name__)

BACKFILLS = uuid.UUID("c1d5f0f6-4c1e-5e6f-9a1b-7f3f0e2b8d55")
FILL_BUDGET = timedelta(seconds=20)
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillRequest:
    """Somebody wants a config to run for each interval of a time."""

    tenant_id: str
    config_id: str
    start: datetime
    end: datetime
    step: IntervalStep
    max_parallel: int = 1
    is_newest_first: bool = False
    parameters: Mapping[str, Any] = field(repr=False)
    maximum_bytes: int | None = None
    api_key_id: str = ""

    @property
    def backfill_id(self) -> str:
        """The same for the same config and time."""
        parts = (self.tenant_id, self.config_id, to_rfc3339(self.start), to_rfc3339(self.end), self.step)
        return str(uuid.uuid5(BACKFILLS, "\n".join(parts)))


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalRun:
    """A run that a backfill has made for an interval, as it stands now."""

    run_id: str
    config_id: str
    interval_start: datetime
    status: RunStatus
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillPlan:
    """What a backfill comes to: its intervals, those that still lack a run, and what they may cost.

    `bytes_estimate` is None where BigQuery cannot tell: a step reads a table that an earlier step makes.
    """

    backfill_id: str
    intervals: Sequence[Interval]
    missing: Sequence[tuple[Interval, str]]
    bytes_estimate: int | None


class BackfillReader(Protocol):
    """Where the runs of a backfill are read."""

    def read_backfill(self, tenant_id: str, backfill_id: str, now: datetime) -> Sequence[IntervalRun]:
        """Return all runs that a backfill has made, in the order of their intervals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfills:
    """Makes, shows and cancels backfills."""

    reader: BackfillReader
    queue: RunQueue
    filler: SlotFiller
    stopper: RunStopper
    beginner: RunBeginner
    identities: Identities
    guard: Guard
    compile: Callable[[str, ConfigText], Pipeline]
    clock: Clock
    at_once: AtOnce = in_threads
    seal: ParameterSeal = field(default_factory=NoSeal)

    def start(self, request: BackfillRequest, *, is_dry_run: bool) -> BackfillPlan:
        """Queue the runs that are missing, and let the first begin; a dry run only tells what it would do.

        Raises NotFound, InvalidInput (the time, the parameters, the bytes), NotConfigured (a secret, and no
        key ring) and QuotaExceeded, with the number of runs that the plan would come to.
        """
        now = self.clock()
        facts = self.beginner.read(request.tenant_id, request.config_id, "")
        if facts.config is None:
            raise NotFound(f"there is no pipeline config {request.config_id!r}")
        pipeline = self.compile(request.tenant_id, facts.config)
        request = replace(request, parameters=with_secrets_sealed(pipeline, request.parameters, self.seal))
        plan = self._plan(request, pipeline, now)
        _check_room(quotas(facts.ledger.use, facts.ledger.limits, now), len(plan.missing), now)
        _check_bytes(plan, request.maximum_bytes)
        if not is_dry_run and plan.missing:
            priority = priority_of(facts.config)
            runs = _waiting_runs(request, plan, pipeline, priority, now)
            self.queue.record([Settled(waiting=run, status=RunStatus.QUEUED) for run in runs], now)
            queued = [replace(run, is_queued=True) for run in runs]
            waiting = [*self.queue.waiting(request.tenant_id), *queued]
            self.filler.fill(waiting, self.clock() + FILL_BUDGET)
            logger.info("backfill queued", extra={"config": request.config_id, "runs": len(runs)})
        return plan

    def progress(self, tenant_id: str, backfill_id: str) -> Sequence[IntervalRun]:
        """Return the latest run of each interval; NotFound where there is no such backfill."""
        runs = self.reader.read_backfill(tenant_id, backfill_id, self.clock())
        if not runs:
            raise NotFound(f"there is no backfill {backfill_id!r}")
        return list({run.interval_start: run for run in runs}.values())

    def cancel(self, tenant_id: str, backfill_id: str) -> Sequence[IntervalRun]:
        """Cancel what waits or runs of a backfill, and return its runs as they were."""
        runs = self.progress(tenant_id, backfill_id)
        open_runs = [run for run in runs if not run.status.is_terminal]
        if open_runs:
            self.at_once(lambda run: self._cancelled(tenant_id, run), open_runs)
        return runs

    def _cancelled(self, tenant_id: str, run: IntervalRun) -> None:
        try:
            self.stopper.cancel(tenant_id, run.run_id)
        except ConvergenceError:
            logger.warning("run of a backfill not cancelled", extra={"run": run.run_id}, exc_info=True)

    def _plan(self, request: BackfillRequest, pipeline: Pipeline, now: datetime) -> BackfillPlan:
        intervals = intervals_between(request.start, request.end, request.step)
        known = self.reader.read_backfill(request.tenant_id, request.backfill_id, now)
        missing = _missing(request.backfill_id, intervals, known)
        estimate = self._bytes(request, pipeline, intervals[0], len(missing), now)
        return BackfillPlan(
            backfill_id=request.backfill_id, intervals=intervals, missing=missing, bytes_estimate=estimate
        )

    def _bytes(
        self, request: BackfillRequest, pipeline: Pipeline, interval: Interval, count: int, now: datetime
    ) -> int | None:
        """Estimate by the first interval's dry runs, and so check the parameters as well.

        Secrets are left out: who estimates can seal them and not open them.
        """
        sample = BackfillPlan(
            backfill_id=request.backfill_id,
            intervals=[],
            missing=[(interval, "estimate")],
            bytes_estimate=None,
        )
        (waiting,) = _waiting_runs(request, sample, pipeline, 0, now)
        ready = waiting.ready(pipeline)
        run = waiting.as_run(ready.parameters)
        jobs_of = self.identities.acting_for(pipeline)
        total = 0
        for step in pipeline.steps:
            message = LevelMessage(run=run, pipeline=pipeline, level=step.level)
            try:
                job = without_secrets(step_job(message, step, 1))
                total += guarded_dry_run(jobs_of(step), job, self.guard).bytes_processed
            except Unavailable:
                raise
            except ConvergenceError:
                return None
        return total * count


def _missing(
    backfill_id: str, intervals: Sequence[Interval], known: Sequence[IntervalRun]
) -> list[tuple[Interval, str]]:
    """List intervals without a run that has completed or may; each with the ID of its next run."""
    attempts = Counter(run.interval_start for run in known)
    settled = {
        run.interval_start for run in known if run.status not in {RunStatus.FAILED, RunStatus.CANCELLED}
    }
    return [
        (interval, _run_id(backfill_id, interval, attempts[interval.start]))
        for interval in intervals
        if interval.start not in settled
    ]


def _run_id(backfill_id: str, interval: Interval, attempt: int) -> str:
    return str(uuid.uuid5(BACKFILLS, f"{backfill_id}\n{to_rfc3339(interval.start)}\n{attempt}"))


def _waiting_runs(
    request: BackfillRequest, plan: BackfillPlan, pipeline: Pipeline, priority: int, now: datetime
) -> list[WaitingRun]:
    ordered = reversed(plan.missing) if request.is_newest_first else plan.missing
    return [
        WaitingRun(
            tenant_id=request.tenant_id,
            run_id=run_id,
            config_id=request.config_id,
            config_version=pipeline.version,
            priority=priority,
            due_at=now,
            added_at=now + place * _INSTANT,
            run_date=day_of(interval.start, pipeline.timezone),
            trigger=Trigger(type=TriggerType.BACKFILL, by=plan.backfill_id, api_key_id=request.api_key_id),
            parameters=request.parameters,
            interval=interval,
            max_parallel=request.max_parallel,
        )
        for place, (interval, run_id) in enumerate(ordered)
    ]


def _check_room(limits: Sequence[Quota], count: int, now: datetime) -> None:
    """Refuse what the day's or the month's runs have no room for; slots come free by themselves."""
    for quota in limits[:2]:
        if count and quota.used + count > quota.limit:
            raise QuotaExceeded(
                limit_name=quota.name,
                used=quota.used + count,
                limit=quota.limit,
                resets_at=quota.resets_at,
                now=now,
            )


def _check_bytes(plan: BackfillPlan, maximum: int | None) -> None:
    if maximum is None or not plan.missing:
        return
    if plan.bytes_estimate is None:
        rule = (
            "cannot be held: BigQuery cannot tell what a step will read that reads a table of an earlier one "
            "or runs under an account of the tenant's own"
        )
        raise InvalidInput([Fault("/maximum_bytes", rule)], "the backfill may read too much")
    if plan.bytes_estimate > maximum:
        rule = f"is less than the estimate: {plan.bytes_estimate:,} bytes for {len(plan.missing)} runs"
        raise InvalidInput([Fault("/maximum_bytes", rule)], "the backfill would read too much")

"""Backfills: one run for each interval of the past, by way of the queue.

A backfill is known by what it asks for: interval, parameters and version of the pipeline. To ask for the same
again resumes it: intervals that have completed, or are under way, stay as they are; the others get a new run.
`rerun` asks otherwise, and looks at earlier versions too.
"""

import logging
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from common.at_once import AtOnce, in_threads
from common.backfills.days import Room, days_of
from common.backfills.estimates import BackfillEstimates, Estimate
from common.backfills.intervals import intervals_between
from common.backfills.requests import BACKFILLS, BackfillRequest, Rerun
from common.errors import ConvergenceError, InvalidInput, NotFound, Violation
from common.pipelines.intervals import Interval, day_of
from common.pipelines.parameters import told_as_given
from common.pipelines.pipeline import Pipeline
from common.pipelines.secret_values import NoSeal, ParameterSeal, with_secrets_sealed
from common.queue.filling import SlotFiller
from common.queue.run_queue import RunQueue
from common.queue.stopping import RunStopper
from common.queue.waiting import AdmissionResult, WaitingRun
from common.runs.beginning import RunAdmission
from common.runs.ports import ConfigText
from common.runs.quotes import Quotes
from common.runs.run import RunStatus, Trigger, TriggerType
from common.runs.tickets import Ledger
from common.times import Clock, to_rfc3339

logger = logging.getLogger(__name__)

FILL_BUDGET = timedelta(seconds=20)
MAX_VERSIONS = 50
"""Versions before the latest of which a backfill is told what they ran."""
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalRun:
    """A run that a backfill has made for an interval, as it stands now."""

    run_id: str
    config_id: str
    config_version: int
    backfill_id: str
    interval_start: datetime
    status: RunStatus
    error: str = ""

    @property
    def has_failed(self) -> bool:
        """Tell whether it ended without having completed."""
        return self.status in {RunStatus.FAILED, RunStatus.CANCELLED}


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillPlan:
    """What a backfill comes to: its intervals, those that lack a run, and what they may cost.

    `ran` counts, by version of the pipeline, the intervals of the same time and parameters that it has run.
    """

    backfill_id: str
    config_version: int
    intervals: Sequence[Interval]
    missing: Sequence[tuple[Interval, str]]
    estimate: Estimate
    ran: Mapping[int, int]
    days: int


class BackfillReader(Protocol):
    """Where the runs of backfills are read."""

    def read_backfills(
        self, tenant_id: str, backfill_ids: Sequence[str], now: datetime
    ) -> Sequence[IntervalRun]:
        """Return all runs that backfills have made, in the order of their intervals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfills:
    """Makes, shows and cancels backfills."""

    reader: BackfillReader
    queue: RunQueue
    filler: SlotFiller
    stopper: RunStopper
    run_admission: RunAdmission
    quotes: Quotes
    compile: Callable[[str, ConfigText], Pipeline]
    clock: Clock
    at_once: AtOnce = in_threads
    seal: ParameterSeal = field(default_factory=NoSeal)

    def start(self, request: BackfillRequest, *, is_dry_run: bool) -> BackfillPlan:
        """Queue the runs that are missing, and let the first begin; a dry run only tells what it would do.

        Raises NotFound, InvalidInput (the time, the parameters, the bytes), NotConfigured (a secret, and no
        key ring) and QuotaExceeded, with the number of runs that it needs.
        """
        now = self.clock()
        facts = self.run_admission.read(request.tenant_id, request.config_id, "")
        if facts.config is None:
            raise NotFound(f"there is no pipeline config {request.config_id!r}")
        pipeline = self.compile(request.tenant_id, facts.config)
        request.check_parameters()
        with told_as_given():
            sealed = with_secrets_sealed(pipeline, request.parameters, self.seal)
        request = replace(request, parameters=sealed)
        plan, runs = self._plan(request, pipeline, facts.config, facts.ledger, now)
        _check_bytes(plan, request.maximum_bytes)
        if not is_dry_run and runs:
            self.queue.record([AdmissionResult(waiting=run, status=RunStatus.QUEUED) for run in runs], now)
            due = [replace(run, is_queued=True) for run in runs if run.due_at <= now]
            waiting = [*self.queue.waiting(request.tenant_id), *due]
            self.filler.fill(waiting, self.clock() + FILL_BUDGET)
            logger.info("backfill queued", extra={"config": request.config_id, "runs": len(runs)})
        return plan

    def progress(self, tenant_id: str, backfill_id: str) -> Sequence[IntervalRun]:
        """Return the latest run of each interval; NotFound where there is no such backfill."""
        runs = self.reader.read_backfills(tenant_id, [backfill_id], self.clock())
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

    def _plan(
        self, request: BackfillRequest, pipeline: Pipeline, config: ConfigText, ledger: Ledger, now: datetime
    ) -> tuple[BackfillPlan, list[WaitingRun]]:
        time = request.time(pipeline.timezone)
        intervals = intervals_between(time.start, time.end, request.step, pipeline.timezone)
        versions = range(config.version, max(0, config.version - MAX_VERSIONS), -1)
        ids = [request.backfill_id(pipeline.timezone, version) for version in versions]
        known = self.reader.read_backfills(request.tenant_id, ids, now)
        missing = _missing(ids[0], intervals, known, request.rerun)
        room = Room(use=ledger.use, limits=ledger.limits, now=now)
        if not request.over_days:
            room.check(len(missing))
        times = room.due_times(len(missing)) if request.over_days and missing else [now] * len(missing)
        make = _Runs(
            request=request,
            version=config.version,
            timezone=pipeline.timezone,
            priority=config.priority,
            now=now,
        )
        runs = make(ids[0], missing, times)
        # Without any to run, the first interval tells whether the parameters keep the rules.
        asked = runs or make(ids[0], [(intervals[0], "estimate")], [now])
        found = BackfillEstimates(quotes=self.quotes, at_once=self.at_once)
        estimate = found.of(pipeline, asked)
        plan = BackfillPlan(
            backfill_id=ids[0],
            config_version=config.version,
            intervals=intervals,
            missing=missing,
            estimate=estimate if runs else Estimate(bytes_processed=0, asked=0, bytes_billed=0),
            ran=Counter(
                version for version, _ in {(run.config_version, run.interval_start) for run in known}
            ),
            days=days_of(times),
        )
        return plan, runs


@dataclass(frozen=True, slots=True, kw_only=True)
class _Runs:
    """Makes the waiting runs of a backfill."""

    request: BackfillRequest
    version: int
    timezone: str
    priority: int
    now: datetime

    def __call__(
        self, backfill_id: str, missing: Sequence[tuple[Interval, str]], times: Sequence[datetime]
    ) -> list[WaitingRun]:
        """Make one for each interval, in the order that is asked for."""
        request = self.request
        ordered = list(reversed(missing)) if request.is_newest_first else missing
        return [
            WaitingRun(
                tenant_id=request.tenant_id,
                run_id=run_id,
                config_id=request.config_id,
                config_version=self.version,
                priority=self.priority,
                due_at=due_at,
                added_at=self.now + place * _INSTANT,
                run_date=day_of(interval.start, self.timezone),
                trigger=Trigger(type=TriggerType.BACKFILL, by=backfill_id, api_key_id=request.api_key_id),
                parameters=request.parameters,
                interval=interval,
                max_parallel=request.max_parallel,
                over_days=request.over_days,
            )
            for place, ((interval, run_id), due_at) in enumerate(zip(ordered, times, strict=True))
        ]


def _missing(
    backfill_id: str, intervals: Sequence[Interval], known: Sequence[IntervalRun], rerun: Rerun | None
) -> list[tuple[Interval, str]]:
    """List the intervals that are to run; each with the ID of its next run. None runs twice at a time."""
    own = [run for run in known if run.backfill_id == backfill_id]
    attempts = Counter(run.interval_start for run in own)
    stay = {run.interval_start for run in own if not run.status.is_terminal}
    if rerun is None:
        stay |= {run.interval_start for run in own if not run.has_failed}
    elif rerun is not Rerun.ALL:
        is_none = rerun is Rerun.NONE
        stay |= {run.interval_start for run in known if is_none or not run.has_failed}
    return [
        (interval, _run_id(backfill_id, interval, attempts[interval.start]))
        for interval in intervals
        if interval.start not in stay
    ]


def _run_id(backfill_id: str, interval: Interval, attempt: int) -> str:
    return str(uuid.uuid5(BACKFILLS, f"{backfill_id}\n{to_rfc3339(interval.start)}\n{attempt}"))


def _check_bytes(plan: BackfillPlan, maximum: int | None) -> None:
    if maximum is None or not plan.missing:
        return
    total, asked, runs = plan.estimate.bytes_processed, plan.estimate.asked, len(plan.missing)
    if total is None:
        rule = (
            "cannot be held: BigQuery cannot tell what a step will read that reads a table of an earlier one "
            "or runs under an account of the tenant's own"
        )
        raise InvalidInput([Violation("/maximum_bytes", rule)], "the backfill may read too much")
    if total > maximum:
        sample = f", after {asked} of them" if asked < runs else ""
        rule = f"is less than the estimate: {total:,} bytes for {runs} runs{sample}"
        raise InvalidInput([Violation("/maximum_bytes", rule)], "the backfill would read too much")

"""Runs that wait for their ticket: firings that are due, and runs in their tenant's queue."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from common.pipelines.intervals import Interval, RunTime, of_day, values_of
from common.pipelines.parameters import bind_parameters, run_date_of
from common.pipelines.pipeline import BoundParameter, Pipeline
from common.pipelines.schedule import Overlap
from common.queue.firings import Firing, ScheduledConfig, fault_run_id
from common.queue.refusals import refusal_id
from common.runs.beginning import ReadyRun
from common.runs.quotas import ScheduleShare
from common.runs.run import Run, RunStatus, Trigger, TriggerType

# Who has waited for a day has lost the day that the run was for.
MAX_WAIT = timedelta(hours=24)
# Other runs may use up the day on which one of a large backfill is due, and the days after.
MAX_WAIT_OVER_DAYS = timedelta(days=7)
SCHEDULER = "scheduler"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingRun:
    """A run that lacks its ticket, as it was asked for.

    `is_queued`: the queue has it already; `is_due`: a firing that has not been seen to.
    """

    tenant_id: str
    run_id: str
    config_id: str
    config_version: int
    priority: int
    due_at: datetime
    added_at: datetime
    run_date: date
    trigger: Trigger
    parameters: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """As they were given; secret ones are sealed."""
    request_hash: str = ""
    traceparent: str = ""
    interval: Interval | None = None
    """What it is for; None in entries of before."""
    max_parallel: int = 0
    """How many runs of its backfill may run at once; 0 for as many as the plan allows."""
    over_days: bool = False
    """Whether it waits where the day's or the month's runs are used up, until others come."""
    left_out: tuple[str, ...] = ()
    """Steps of its version of the config that it is not to carry out."""
    share: ScheduleShare | None = None
    """What its schedule may take; None where none has asked for it."""
    overlap: Overlap = Overlap.WAIT
    refusals: frozenset[str] = frozenset()
    """Refusals of the schedule that have been told."""
    is_queued: bool = False
    is_due: bool = False

    @property
    def is_new(self) -> bool:
        """Tell whether nobody has put it anywhere yet: a firing that has not been seen to."""
        return self.is_due and not self.is_queued

    @property
    def turn(self) -> tuple[int, datetime, datetime, str]:
        """What puts the waiting runs of a tenant in order: priority, then age."""
        return self.priority, self.due_at, self.added_at, self.run_id

    @property
    def config_key(self) -> tuple[str, str, int]:
        """The version of the config that it is to run."""
        return self.tenant_id, self.config_id, self.config_version

    def has_expired(self, now: datetime) -> bool:
        """Tell whether it has waited for too long since it was added, and since it was due."""
        return now > self.expires_at

    @property
    def expires_at(self) -> datetime:
        """Until when it waits."""
        longest = MAX_WAIT_OVER_DAYS if self.over_days else MAX_WAIT
        # A firing that is made up for was due long ago, and one of a large backfill is due some day.
        return max(self.added_at, self.due_at) + longest

    def ready(self, pipeline: Pipeline) -> ReadyRun:
        """Bind its parameters; InvalidInput where the pipeline does not take them."""
        declared, timezone, given = pipeline.parameters, pipeline.timezone, self.parameters
        if self.interval:
            run_time = RunTime(interval=self.interval, date=self.run_date)
            given = values_of(declared, run_time, timezone, given)
        parameters = bind_parameters(declared, given, self.run_date)
        chosen = {step.id for step in pipeline.steps} - {*self.left_out}
        return ReadyRun(
            run_id=self.run_id,
            pipeline=pipeline.restricted_to(chosen) if self.left_out else pipeline,
            parameters=parameters,
            run_date=run_date_of(parameters, self.run_date),
            interval=self.interval or of_day(self.run_date, timezone).interval,
            trigger=self.trigger,
            request_hash=self.request_hash,
            traceparent=self.traceparent,
            max_parallel=self.max_parallel,
            share=self.share,
            queued_at=self.added_at if self.is_queued else None,
        )

    @property
    def backfill_id(self) -> str:
        """The backfill that asked for it, "" where none did."""
        return self.trigger.backfill_id

    def as_run(self, parameters: tuple[BoundParameter, ...] = ()) -> Run:
        """Describe it as a run: one without a ticket, which has begun to wait and nothing else."""
        return Run(
            tenant_id=self.tenant_id,
            run_id=self.run_id,
            config_id=self.config_id,
            config_version=self.config_version,
            ticket=0,
            started_at=self.added_at,
            run_date=self.run_date,
            interval=self.interval,
            trigger=self.trigger,
            parameters=parameters,
            request_hash=self.request_hash,
            traceparent=self.traceparent,
            left_out=self.left_out,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionResult:
    """What became of a waiting run: PENDING (it has begun), QUEUED, FAILED or CANCELLED, and why.

    `run` and `pipeline` are those of a run that has just got its ticket and has no row yet. `reason` names
    the kind of refusal where the words of `error` differ from one to the next.
    """

    waiting: WaitingRun
    status: RunStatus
    error: str = ""
    reason: str = ""
    run: Run | None = None
    pipeline: Pipeline | None = None

    @property
    def is_refused_firing(self) -> bool:
        """Tell whether it is a firing that nothing has come of: it shares an entry with others."""
        return self.waiting.is_new and self.status.is_terminal

    @property
    def entry_id(self) -> str:
        """The ID of what stands for it: its own, or that of the refusal of its schedule's firings."""
        waiting = self.waiting
        if not self.is_refused_firing:
            return waiting.run_id
        kind = f"{self.status}\n{self.reason or self.error}"
        return refusal_id(waiting.tenant_id, waiting.config_id, waiting.due_at, kind)


def from_firing(firing: Firing, now: datetime, firings_a_day: int = 0) -> WaitingRun:
    """Return the run that a firing asks for; its tenant's schedules have so many `firings_a_day`."""
    schedule = firing.schedule
    return WaitingRun(
        tenant_id=firing.tenant_id,
        run_id=firing.run_id,
        config_id=firing.config_id,
        config_version=firing.version,
        priority=firing.priority,
        due_at=firing.scheduled_time,
        added_at=now,
        run_date=firing.day,
        interval=firing.interval,
        trigger=Trigger(type=TriggerType.SCHEDULE, by=SCHEDULER),
        share=ScheduleShare(
            max_active_runs=schedule.max_active_runs, reserve=schedule.reserve, firings_a_day=firings_a_day
        ),
        overlap=schedule.overlap,
        refusals=firing.refusals,
        is_due=True,
    )


def from_fault(config: ScheduledConfig, now: datetime) -> WaitingRun:
    """Return what stands in the history for the runs that a schedule cannot ask for."""
    return WaitingRun(
        tenant_id=config.tenant_id,
        run_id=fault_run_id(config),
        config_id=config.config_id,
        config_version=config.version,
        priority=config.priority,
        due_at=now,
        added_at=now,
        run_date=now.date(),
        trigger=Trigger(type=TriggerType.SCHEDULE, by=SCHEDULER),
    )

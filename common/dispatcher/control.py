"""The operator's control of the dispatcher: its job, and what there is to do for it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from common.dispatcher.dispatching import due_runs
from common.schedules.timetable import Timetable
from common.times import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class JobState:
    """The job that calls the dispatcher: ENABLED, PAUSED or what else Cloud Scheduler says."""

    name: str
    state: str
    schedule: str
    time_zone: str
    next_run_time: datetime | None
    last_attempt_time: datetime | None
    last_attempt_failed: bool | None
    """None where there was no attempt yet."""


class DispatcherJob(Protocol):
    """The job in Cloud Scheduler; NotConfigured where there is none."""

    def read(self) -> JobState:
        """Return what the job is doing."""

    def pause(self) -> JobState:
        """Let the job call nobody until it is resumed; a repeat does no harm."""

    def resume(self) -> JobState:
        """Let the job go on; a repeat does no harm."""

    def run(self) -> JobState:
        """Have the job call now, paused or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLoad:
    """What the tenants of one plan are doing; today is the UTC day."""

    plan_name: str
    tenants: int
    due: int
    running: int
    queued: int
    admitted_today: int
    completed_today: int
    failed_today: int
    refused_today: int
    dead_letters_today: int
    oldest_queued_at: datetime | None


class LoadReader(Protocol):
    """Where the load of plans is read."""

    def read_load(self, now: datetime, due: Sequence[str]) -> Sequence[PlanLoad]:
        """Return the load of each plan that has active tenants, in one query.

        `due` has a tenant as often as firings of its are due.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """All plans at one moment, and the tables that rows are kept from at it, each with the end of that."""

    plans: Sequence[PlanLoad]
    at: datetime
    streaming_held: Mapping[str, datetime] = field(default_factory=dict)

    def total(self, name: str) -> int:
        """Add one number up over all plans."""
        return sum(getattr(plan, name) for plan in self.plans)

    @property
    def oldest_queued_at(self) -> datetime | None:
        """Since when the run has waited that has waited longest."""
        return min((plan.oldest_queued_at for plan in self.plans if plan.oldest_queued_at), default=None)


def nothing_held(_now: datetime) -> Mapping[str, datetime]:
    """Say that every table takes rows."""
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformWatch:
    """What operators see of schedules, queue and runs."""

    timetable: Timetable
    load: LoadReader
    clock: Clock
    held: Callable[[datetime], Mapping[str, datetime]] = nothing_held
    """Which tables take no rows now."""

    def overview(self) -> Overview:
        """Look at everything now: two queries."""
        now = self.clock()
        runs, _ = due_runs(self.timetable, now)
        due = [firing.tenant_id for firing in runs]
        return Overview(plans=self.load.read_load(now, due), at=now, streaming_held=self.held(now))

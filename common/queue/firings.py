"""Firings: times at which schedules are due. The run ID follows from the time, so each happens once."""

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from common.pipelines.intervals import Interval
from common.pipelines.schedule import CatchUp, Schedule
from common.times import to_rfc3339

FIRINGS = uuid.UUID("3d1f6ad0-6d1b-5b4c-8a53-1f6b2c7de9a4")

# A firing may be late because a minute was busy; only later than this it was missed.
LATE = timedelta(minutes=10)
# What was missed longer ago than this is made up for by a backfill, not by itself.
CATCH_UP_WINDOW = timedelta(days=7)
MAX_AT_ONCE = 100
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledConfig:
    """A config that has a schedule, and how far the schedule has come.

    It holds since `since`: the upload that made it what it is, or its last resumption. All its times up to
    `last_fired` have been seen to.
    """

    tenant_id: str
    config_id: str
    version: int
    priority: int
    schedule: Schedule
    since: datetime
    last_fired: datetime | None = None
    is_paused: bool = False
    refusals: frozenset[str] = frozenset()
    """Entries of today and yesterday that stand for refused firings (`common.queue.refusals`)."""
    error: str = ""
    """Why the schedule cannot be read: it was uploaded before a rule came."""

    @property
    def fires(self) -> bool:
        """Tell whether anything happens by it."""
        return self.schedule.is_enabled and not self.is_paused and not self.error


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """One time at which a config is due. Its interval ended then; `day` is the run's date.

    `refusals` are the entries that the tenant has been told of already.
    """

    tenant_id: str
    config_id: str
    version: int
    priority: int
    scheduled_time: datetime
    day: date
    interval: Interval
    schedule: Schedule
    refusals: frozenset[str] = frozenset()

    @property
    def run_id(self) -> str:
        """The ID of the run that the firing becomes."""
        return run_id_of(self.tenant_id, self.config_id, self.scheduled_time)


def run_id_of(tenant_id: str, config_id: str, scheduled_time: datetime) -> str:
    """Return the ID of the run that a config's firing at a time becomes."""
    return str(uuid.uuid5(FIRINGS, f"{tenant_id}\n{config_id}\n{to_rfc3339(scheduled_time)}"))


def fault_run_id(config: ScheduledConfig) -> str:
    """Return the ID under which the history shows that a version's schedule cannot be followed."""
    name = f"fault\n{config.tenant_id}\n{config.config_id}\n{config.version}"
    return str(uuid.uuid5(FIRINGS, name))


def due_firings(config: ScheduledConfig, now: datetime) -> list[Firing]:
    """List what is due and has not been seen to, in the order of time: the rest follows in the next minute.

    A filler that records a firing has seen to all of the same config before it. That is what lets
    `last_fired` stand for all of them.
    """
    if not config.fires:
        return []
    return [_firing(config, moment) for moment in _due_times(config, now)]


def firings_a_day(configs: Collection[ScheduledConfig], day: date) -> int:
    """Count how often schedules fire on a day."""
    return sum(config.schedule.firings_on(day) for config in configs if config.fires)


def _due_times(config: ScheduledConfig, now: datetime) -> Iterable[datetime]:
    schedule, until = config.schedule, now - config.schedule.delay
    after = max(_opening(config), now - CATCH_UP_WINDOW, config.last_fired or _opening(config))
    if schedule.catch_up is CatchUp.ALL:
        return schedule.between(after, until, MAX_AT_ONCE)
    latest = schedule.last_between(after, until)
    if latest is None:
        return []
    is_missed = schedule.catch_up is CatchUp.NONE and until - latest > LATE
    return [] if is_missed else [latest]


def _opening(config: ScheduledConfig) -> datetime:
    # The minute of the upload counts: an upload at 05:00:10 is in time for 05:00, which is due now.
    return config.since.replace(second=0, microsecond=0) - _INSTANT


def _firing(config: ScheduledConfig, moment: datetime) -> Firing:
    return Firing(
        tenant_id=config.tenant_id,
        config_id=config.config_id,
        version=config.version,
        priority=config.priority,
        scheduled_time=moment,
        day=config.schedule.date_at(moment),
        interval=config.schedule.interval_at(moment),
        schedule=config.schedule,
        refusals=config.refusals,
    )

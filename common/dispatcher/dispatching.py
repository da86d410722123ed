"""One minute of the dispatcher: start what is due, continue what is quiet, write down what tenants used."""

import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from common.errors import ConvergenceError, NotConfigured
from common.queue.filling import Filled, SlotFiller
from common.queue.firings import (
    CATCH_UP_WINDOW,
    Firing,
    ScheduledConfig,
    due_firings,
    firings_a_day,
)
from common.queue.run_queue import FiringStore, RunQueue
from common.queue.waiting import WaitingRun, from_firing
from common.runs.dead_letters import DeadLetterHandler
from common.runs.sweeping import Sweeper, Swept
from common.schedules.timetable import EVERY_TENANT, Timetable
from common.times import Clock

logger = logging.getLogger(__name__)

# How firings have ended is written whenever anything changes, about all of them that are not too old.
RECORDING_WINDOW = timedelta(days=2)
# The roll-up looks back further than a minute, so that a minute without a dispatcher is made up for.
ROLL_UP_WINDOW = timedelta(minutes=5)
MAX_JITTER = timedelta(hours=1)


class UsageLog(Protocol):
    """Where the use of plans is reported."""

    def roll_up(self, changed_since: datetime, now: datetime) -> None:
        """Append the use of the tenants whose runs have changed since a moment, once a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Minute:
    """What one minute came to: runs ended by dead letters, runs continued, tickets closed, slots filled."""

    dead_letters: int = 0
    continued: int = 0
    tickets_closed: int = 0
    closed: int = 0
    followed: int = 0
    """Runs that were asked for because others have completed."""
    late: int = 0
    """Pipelines that are told of because none of their runs has completed in time."""
    filled: Filled = field(default_factory=Filled)
    rolled_up: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatcher:
    """Called each minute; a second call, a late or a concurrent one does no harm."""

    sweeper: Sweeper
    dead_letters: DeadLetterHandler
    timetable: Timetable
    queue: RunQueue
    filler: SlotFiller
    usage: UsageLog
    firings: FiringStore
    clock: Clock
    close: Callable[[], int] = lambda: 0
    """Closes down what belongs to tenants that are no longer active, and counts it."""
    follow: Callable[[], int] = lambda: 0
    """Begins what follows on runs that have completed, and counts it."""
    tell_late: Callable[[], int] = lambda: 0
    """Tells of pipelines that are late, and counts them."""
    budget: timedelta
    """How long one call starts runs before it leaves the rest to the next."""

    def tick(self) -> Minute:
        """Do what is due. What one part raises keeps it from no other, and is raised in the end."""
        until = self.clock() + self.budget
        parts = Parts()
        ended = parts.do(self.dead_letters.handle, 0)
        swept = parts.do(self.sweeper.sweep, Swept(continued=0, tickets_closed=0))
        closed = parts.do(self.close, 0)
        followed = parts.do(self.follow, 0)
        late = parts.do(self.tell_late, 0)
        filled = parts.do(lambda: self.fill(until), Filled())
        is_changed = parts.do(lambda: self._report(swept.last_recorded_at), False)
        if is_changed or filled.refused:
            parts.do(self._record_firings, None)
        parts.raise_first_error()
        return Minute(
            dead_letters=ended,
            continued=swept.continued,
            tickets_closed=swept.tickets_closed,
            closed=closed,
            followed=followed,
            late=late,
            filled=filled,
            rolled_up=is_changed,
        )

    def fill(self, until: datetime) -> Filled:
        """Start what schedules ask for now, and what waits in queues: one order for both."""
        return self.filler.fill([*self.due(), *self.queue.waiting()], until)

    def due(self) -> list[WaitingRun]:
        """List the firings that are due and have not been seen to, of all tenants: one read.

        A schedule that cannot be followed is its tenant's error: one entry in its history, not each minute's.
        """
        now = self.clock()
        runs, broken = due_runs(self.timetable, now)
        for config, error in broken:
            try:
                self.queue.refuse_schedule(config, error, now)
            except ConvergenceError:
                logger.warning("fault of a schedule not recorded yet", exc_info=True)
        return runs

    def _report(self, last_recorded_at: datetime | None) -> bool:
        now = self.clock()
        changed_since = now - ROLL_UP_WINDOW
        if last_recorded_at is None or last_recorded_at < changed_since:
            return False
        self.usage.roll_up(changed_since, now)
        return True

    def _record_firings(self) -> None:
        now = self.clock()
        self.firings.record_firings(now - RECORDING_WINDOW, now)


def due_runs(
    timetable: Timetable, now: datetime
) -> tuple[list[WaitingRun], list[tuple[ScheduledConfig, str]]]:
    """List the firings that are due and have not been seen to, of all tenants: one read.

    Beside them the schedules that cannot be followed, with the reason: none keeps the others from firing.
    """
    due: list[Firing] = []
    broken: list[tuple[ScheduledConfig, str]] = []
    by_tenant: dict[str, list[ScheduledConfig]] = defaultdict(list)
    for config in timetable.read(EVERY_TENANT, now - CATCH_UP_WINDOW - MAX_JITTER):
        error = config.error
        try:
            due += due_firings(config, now)
            by_tenant[config.tenant_id].append(config)
        except Exception as failure:  # noqa: BLE001 - whatever it is, it concerns this schedule alone
            error = str(failure) or type(failure).__name__
        if error:
            broken.append((config, error))
    tenants = {firing.tenant_id for firing in due}
    asked = {tenant_id: firings_a_day(by_tenant[tenant_id], now.date()) for tenant_id in tenants}
    return [from_firing(firing, now, asked[firing.tenant_id]) for firing in due], broken


@dataclass(slots=True)
class Parts:
    """Parts of a minute's work, and the first error among them."""

    _error: Exception | None = None

    def do[T](self, part: Callable[[], T], otherwise: T) -> T:
        """Do one part; where it fails, go on with what stands for nothing done."""
        try:
            return part()
        except NotConfigured:  # All other parts would fail in the same way.
            raise
        except Exception as error:
            logger.exception("part of the minute failed")
            self._error = self._error or error
            return otherwise

    def raise_first_error(self) -> None:
        """Raise what has gone wrong first, so that Cloud Scheduler learns of it."""
        if self._error:
            raise self._error

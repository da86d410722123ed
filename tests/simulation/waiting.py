"""Schedules and the queue of a world."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from common.backfills.backfills import Backfills
from common.costs.prices import price_of
from common.dispatcher.dispatching import due_runs
from common.queue.enqueueing import QueueingRequests
from common.queue.filling import SlotFiller
from common.queue.freed_slots import FreedSlots
from common.queue.run_queue import RunQueue
from common.queue.waiting import WaitingRun
from common.runs.quotes import Quotes
from common.runs.run import RunStatus
from common.schedules.following import FollowedRuns
from tests.fakes.events import silent
from tests.fakes.following import MemoryFollowing
from tests.fakes.schedules import (
    MemoryBackfills,
    MemoryBulkLevels,
    MemoryFirings,
    MemoryQueue,
    MemoryRefusals,
    MemoryTenantAdmissions,
    MemoryTimetable,
)

if TYPE_CHECKING:
    from tests.simulation.world import World

BUDGET = timedelta(minutes=3)


class WaitingRoom:
    """Where runs wait for their tickets."""

    def __init__(self, world: "World") -> None:
        self._world = world
        stage = world.stage
        self.rows = MemoryQueue(stage.at, world.lag, stage.clock, world.tables.require)
        self.firings = MemoryFirings(stage.at, world.lag, stage.clock, world.tables.require)
        self.refusals = MemoryRefusals(self.firings, self.rows, world.rows)
        self.all_admissions = MemoryTenantAdmissions(world.rows)
        self.timetable = MemoryTimetable(self.firings)
        self.following = MemoryFollowing(rows=world.rows, queue=self.rows, at=stage.at)
        self.queue = RunQueue(
            store=self.rows, firings=self.firings, claims=world.jobs, announcer=silent(), clock=stage.clock
        )

    def line(self) -> QueueingRequests:
        """Make what requests join that may wait."""
        return QueueingRequests(queue=self.queue, clock=self._world.stage.clock)

    def backfills(self) -> Backfills:
        """Make what tenants ask for runs of the past."""
        world = self._world
        return Backfills(
            reader=MemoryBackfills(self.rows, world.rows),
            queue=self.queue,
            filler=self.filler(),
            stopper=world.stopper(),
            run_admission=world.run_admission(),
            quotes=Quotes(
                guard=lambda job, dry_run: "", identities=world.jobs, project="p", price=price_of("US")
            ),
            compile=world.compile,
            clock=world.stage.clock,
            at_once=world.stage.at_once,
        )

    def follow(self) -> None:
        """Begin what follows on runs that have completed, as the dispatcher does."""
        world = self._world
        followed = FollowedRuns(
            reader=self.following,
            start=world.run_service().start,
            queue=self.queue,
            clock=world.stage.clock,
        )
        followed()

    def freed_slots(self) -> FreedSlots:
        """Make what the end of a run calls."""
        return FreedSlots(queue=self.queue, filler=self.filler(), clock=self._world.stage.clock)

    def fill(self) -> None:
        """Fire what is due and fill what is free, as the dispatcher does."""
        clock = self._world.stage.clock
        due, _ = due_runs(self.timetable, clock())
        self.before_fill(due)
        self.filler().fill([*due, *self.queue.waiting()], clock() + BUDGET)

    def before_fill(self, due: Sequence[WaitingRun]) -> None:
        """Do nothing: a firing is recorded once it has become something."""

    def waits(self) -> bool:
        """Tell whether any run waits, or can wait once its row is visible, or is to follow on another."""
        for follower in self.following.found:
            keys = {(follower.tenant_id, name) for name in follower.after}
            completed = self.following.known(keys)
            if any(follower.config_id not in one.followed_by for one in completed):
                return True
        is_coming = any(row.visible_at > self._world.stage.now for row in self.rows.rows)
        return is_coming or any(e.status is RunStatus.QUEUED for e in self.rows.entries().values())

    def filler(self) -> SlotFiller:
        """Make what fills free slots."""
        world = self._world
        return SlotFiller(
            store=self.all_admissions,
            queue=self.queue,
            run_admission=world.run_admission(),
            claims=world.jobs,
            levels=MemoryBulkLevels(world.levels),
            compile=world.compile,
            cancel=world.stopper().canceller.cancel,
            clock=world.stage.clock,
            at_once=self._at_once_and_slowly,
        )

    def _at_once_and_slowly[T, R](self, work: Callable[[T], R], items: Sequence[T]) -> list[R]:
        done = self._world.stage.at_once(work, items)
        self._world.stall()
        return done

"""Slots that come free: the end of a run lets the next of its tenant's queue begin."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from common.errors import ConvergenceError
from common.queue.filling import SlotFiller
from common.queue.run_queue import RunQueue
from common.runs.run import Run
from common.times import Clock

logger = logging.getLogger(__name__)

# The level's worker has its own deadline; what is not done by then, the dispatcher does within the minute.
BUDGET = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class FreedSlots:
    """Fills the slot of a run that has ended."""

    queue: RunQueue
    filler: SlotFiller
    clock: Clock

    def __call__(self, run: Run) -> None:
        """Admit whose turn it is; a failure is the dispatcher's to make up for, not the ended run's."""
        try:
            if self.queue.may_wait(run.tenant_id):
                waiting = self.queue.waiting(run.tenant_id)
                self.filler.fill(waiting, self.clock() + BUDGET, ended=run)
        except ConvergenceError:
            logger.warning("freed slot left for the dispatcher", exc_info=True)

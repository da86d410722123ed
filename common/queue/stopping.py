"""Cancelling a run wherever it is: under way, or still in the queue."""

from dataclasses import dataclass

from common.errors import NotFound
from common.queue.run_queue import RunQueue
from common.runs.cancelling import RunCanceller
from common.runs.ports import StoredRun


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStopper:
    """Stops runs, and takes them out of the queue."""

    canceller: RunCanceller
    queue: RunQueue

    def cancel(self, tenant_id: str, run_id: str) -> StoredRun:
        """Cancel a run, and return it as it was found. Raises as `RunCanceller.cancel` does."""
        try:
            found = self.canceller.cancel(tenant_id, run_id)
        except NotFound:
            entry = self.queue.find(tenant_id, run_id)
            if entry is None:
                raise
            return self.queue.cancel(entry)
        return StoredRun(run=found.run, status=found.state)

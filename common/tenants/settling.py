"""Settling an onboarding that did not answer as hoped: was the tenant made, and if not, what has to go."""

import logging
from dataclasses import dataclass
from enum import Enum, auto

from common.claims import ClaimJobs, claim
from common.errors import Conflict, ConvergenceError, Unavailable
from common.tenants.attempts import REMOVAL_AGE, Attempt
from common.tenants.ports import CommitState, TenantDatasets, TenantStore
from common.times import Clock

logger = logging.getLogger(__name__)


class _Fate(Enum):
    COMMITTED = auto()
    NEVER = auto()
    SUPERSEDED = auto()
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """Finds out what became of an attempt, and undoes one that made no tenant."""

    datasets: TenantDatasets
    store: TenantStore
    claims: ClaimJobs
    clock: Clock

    def settle(self, attempt: Attempt, error: ConvergenceError) -> None:
        """Return where the tenant was made after all; else raise, and leave nothing in a repeat's way."""
        fate = self._fate(attempt)
        if fate is _Fate.COMMITTED:
            return
        if fate is _Fate.SUPERSEDED:
            raise Conflict(f"onboarding of {attempt.tenant_id} is under way in another request") from error
        if fate is _Fate.NEVER:
            self._remove(attempt)
        raise Unavailable(f"onboarding of {attempt.tenant_id} failed: {error}") from error

    def _fate(self, attempt: Attempt) -> _Fate:
        """Find out for good: an attempt that is found not to have committed cannot do so afterwards."""
        try:
            holder = claim(self.claims, attempt.job_id, attempt.fence_labels)
            if holder.is_held_by(attempt.fence_labels):
                return _Fate.NEVER
            if not holder.is_held_by(attempt.commit_labels):
                return _Fate.SUPERSEDED
            return self._fate_of_commit(attempt)
        except ConvergenceError:
            return _Fate.UNKNOWN

    def _fate_of_commit(self, attempt: Attempt) -> _Fate:
        match self.store.commit_state(attempt.job_id):
            case CommitState.DONE:
                return _Fate.COMMITTED
            case CommitState.RUNNING:
                return _Fate.UNKNOWN
            case CommitState.FAILED:
                # A job can be marked as failed after its transaction: only the rows tell.
                is_made = self.store.find_profile(attempt.tenant_id) is not None
                return _Fate.COMMITTED if is_made else _Fate.NEVER

    def _remove(self, attempt: Attempt) -> None:
        """Undo what the attempt made; where that fails too, a later request takes over."""
        try:
            for undo in (self.datasets.revoke_view, self.datasets.remove):
                if self._may_remove(attempt):
                    undo(attempt.tenant_id)
        except ConvergenceError:
            logger.warning("a failed onboarding left its dataset behind", extra={"tenant": attempt.tenant_id})

    def _may_remove(self, attempt: Attempt) -> bool:
        dataset = self.datasets.find(attempt.tenant_id)
        is_the_same = dataset is not None and dataset.owner == attempt.dataset_owner
        return is_the_same and self.clock() - attempt.began_at < REMOVAL_AGE

"""Whose turn it is to make a tenant, and what became of a turn that did not answer as hoped.

The dataset is the lock: who creates it owns attempt 1. An attempt becomes a tenant by one transaction, under
the job ID of the attempt; who takes over from a dead attempt, or gives one up, first claims that ID. So an
attempt that was only slow cannot commit behind the back of its successor: its job ID is gone.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto

from common.claims import Claim, ClaimJobs, claim, try_claim
from common.errors import Conflict, ConvergenceError, Unavailable, WarehouseError
from common.setup.views import TENANT_VIEW
from common.tenants.ports import CommitState, TenantDataset, TenantDatasets, TenantStore
from common.times import Clock

logger = logging.getLogger(__name__)

# An onboarding takes seconds, and its function is stopped after minutes: this old, it is dead.
TAKEOVER_AGE = timedelta(minutes=10)
# Who is slower than this leaves its traces: a successor may be at work on them.
REMOVAL_AGE = timedelta(minutes=5)
_MAX_ATTEMPTS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One onboarding's turn at a dataset."""

    tenant_id: str
    owner: str
    dataset_owner: str
    number: int
    began_at: datetime

    @property
    def job_id(self) -> str:
        """The ID of the job that makes the tenant, or that keeps this attempt from it.

        A dataset that is removed and created again has another owner: its attempts start afresh.
        """
        return f"cvg-onboard-{self.tenant_id}-{self.dataset_owner}-{self.number}"

    @property
    def commit_labels(self) -> Mapping[str, str]:
        """What the committing job says of itself."""
        return {"tenant": self.tenant_id, "onboarding": self.owner, "act": "commit"}

    @property
    def fence_labels(self) -> Mapping[str, str]:
        """What a claim in the committing job's place says of itself."""
        return {"tenant": self.tenant_id, "onboarding": self.owner, "act": "fence"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """Gives out attempts."""

    datasets: TenantDatasets
    store: TenantStore
    claims: ClaimJobs
    clock: Clock

    def begin(self, tenant_id: str, owner: str) -> Attempt:
        """Take the first turn, or one after a dead attempt; Conflict where there is nothing to make."""
        began_at = self.clock()
        try:
            self.datasets.create(tenant_id, owner)
        except WarehouseError as error:
            # Whatever the reason: if the dataset is there, its labels say whose it is.
            dataset = self.datasets.find(tenant_id)
            if dataset is None:
                raise Unavailable("the dataset can neither be created nor found") from error
            if dataset.owner != owner:
                return self._take_over(dataset, owner, began_at)
        # Ours: created now, or by a request whose answer got lost.
        return Attempt(tenant_id=tenant_id, owner=owner, dataset_owner=owner, number=1, began_at=began_at)

    def _take_over(self, dataset: TenantDataset, owner: str, began_at: datetime) -> Attempt:
        tenant_id = dataset.tenant_id
        if self.store.find_profile(tenant_id):
            raise Conflict(f"the tenant {tenant_id} exists already")
        if not dataset.owner or self.datasets.contents(tenant_id) - {TENANT_VIEW}:
            raise Conflict(f"the name {tenant_id} is taken")
        self._refuse_young(tenant_id, dataset.created_at)
        for number in range(1, _MAX_ATTEMPTS):
            dead = Attempt(
                tenant_id=tenant_id,
                owner=owner,
                dataset_owner=dataset.owner,
                number=number,
                began_at=began_at,
            )
            holder = try_claim(self.claims, dead.job_id, dead.fence_labels)
            if holder is None:
                continue  # So long dead that BigQuery has forgotten its job; the next attempt has another ID.
            if holder.is_held_by(dead.fence_labels):
                return replace(dead, number=number + 1)
            self._refuse_living(tenant_id, holder)
        raise Conflict(f"onboarding of {tenant_id} has failed too often: ask the operator of the platform")

    def _refuse_living(self, tenant_id: str, holder: Claim) -> None:
        is_commit = holder.labels.get("act") == "commit"
        if is_commit and self.store.commit_state(holder.job_id) is not CommitState.FAILED:
            raise Conflict(f"the tenant {tenant_id} exists already, or is being made at this moment")
        self._refuse_young(tenant_id, holder.claimed_at)

    def _refuse_young(self, tenant_id: str, moment: datetime) -> None:
        if self.clock() - moment < TAKEOVER_AGE:
            raise Conflict(f"onboarding of {tenant_id} is under way; try again in ten minutes")


class _Fate(Enum):
    COMMITTED = auto()
    NEVER = auto()
    SUPERSEDED = auto()
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptResolver:
    """Finds out what became of an attempt, and undoes one that made no tenant."""

    datasets: TenantDatasets
    store: TenantStore
    claims: ClaimJobs
    clock: Clock

    def resolve(self, attempt: Attempt, error: ConvergenceError) -> None:
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

"""Whose turn it is to make a tenant.

The dataset is the lock: who creates it owns attempt 1. An attempt becomes a tenant by one transaction, under
the job ID of the attempt; who takes over from a dead attempt, or gives one up, first claims that ID. So an
attempt that was only slow cannot commit behind the back of its successor: its job ID is gone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from common.claims import Claim, ClaimJobs, try_claim
from common.errors import Conflict, Unavailable, WarehouseError
from common.setup.views import TENANT_VIEW
from common.tenants.ports import CommitState, TenantDataset, TenantDatasets, TenantStore
from common.times import Clock

# An onboarding takes seconds, and its function is stopped after minutes: this old, it is dead.
TAKEOVER_AGE = timedelta(minutes=10)
# Who is slower than this leaves its traces: a successor may be at work on them.
REMOVAL_AGE = timedelta(minutes=5)
_MOST_ATTEMPTS = 100


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
        for number in range(1, _MOST_ATTEMPTS):
            dead = Attempt(
                tenant_id=tenant_id,
                owner=owner,
                dataset_owner=dataset.owner,
                number=number,
                began_at=began_at,
            )
            holder = try_claim(self.claims, dead.job_id, dead.fence_labels)
            if holder is None:
                continue  # So long dead that BigQuery has forgotten its job; whoever is next has another ID.
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

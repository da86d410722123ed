"""What tenants need of the outside: their datasets, and the central rows that say who they are."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from common.tenants.keys import KeyRecord
from common.tenants.tenant import Profile, Subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantDataset:
    """A dataset of a tenant's name; `owner` is the onboarding that created it, "" where none of ours did."""

    tenant_id: str
    owner: str
    created_at: datetime


class TenantDatasets(Protocol):
    """Datasets of tenants, each with one view over the central tables."""

    def create(self, tenant_id: str, owner: str) -> None:
        """Create the dataset; AlreadyExists where the name is taken: this is the lock of an onboarding."""

    def find(self, tenant_id: str) -> TenantDataset | None:
        """Return the dataset of that name, None where there is none."""

    def names(self) -> Collection[str]:
        """List all datasets of the project, tenants' and others."""

    def names_of(self, tenant_id: str) -> list[str]:
        """List the datasets that are marked as this tenant's."""

    def contents(self, tenant_id: str) -> frozenset[str]:
        """List the tables and views in the dataset."""

    def put_view(self, tenant_id: str) -> None:
        """Create the tenant's view, or bring it up to date."""

    def authorize_view(self, tenant_id: str) -> None:
        """Let the view read the central dataset; nothing happens where it may already."""

    def revoke_view(self, tenant_id: str) -> None:
        """Take that back; nothing happens where the view may not."""

    def admit_executor(self, tenant_id: str, *, is_isolated: bool = False) -> None:
        """Let the account that runs the tenant's SQL write the dataset, and no other account of ours."""

    def admit_accounts(self, tenant_id: str, accounts: Callable[[], Collection[str]]) -> None:
        """Let these accounts, of the tenant's own, read and fill its tables, and no others of their kind.

        They can neither make, change nor delete tables and views. Who it is is asked when it is known which
        state of the dataset is changed. Nothing happens where the dataset is gone.
        """

    def remove(self, tenant_id: str) -> None:
        """Delete the view, then the dataset, which must be empty then; nothing happens where it is gone."""


class CentralCatalog(Protocol):
    """What is in the central dataset."""

    def table_names(self) -> Collection[str]:
        """List its tables; NoSuchResource where there is no such dataset."""


class CommitState(StrEnum):
    """What became of the one transaction that makes a tenant."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTenant:
    """All rows of a tenant that is about to be."""

    profile: Profile
    key: KeyRecord
    subscription: Subscription


class TenantReads(Protocol):
    """Where it is read who a tenant is and what it may."""

    def find_profile(self, tenant_id: str) -> Profile | None:
        """Return a tenant's profile, None where there is no such tenant."""

    def find_subscription(self, tenant_id: str) -> Subscription | None:
        """Return a tenant's subscription, None where it has none."""


class TenantStore(TenantReads, Protocol):
    """The central rows of tenants, as onboarding writes them."""

    def commit(self, tenant: NewTenant, *, job_id: str, labels: Mapping[str, str]) -> None:
        """Append all rows in one transaction, whose job has this ID; AlreadyExists where the ID is taken."""

    def commit_state(self, job_id: str) -> CommitState:
        """Tell what became of the transaction under a job ID that is taken."""

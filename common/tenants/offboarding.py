"""Offboarding: a tenant ends at once, its data after a time of grace, and the evidence stays.

The state DELETED comes first and everything else follows from it: keys are refused, nothing is admitted, no
schedule fires, the dispatcher cancels what is under way and deletes the dataset when the grace is over. So a
request that dies half-way leaves nothing open, and a repeat finishes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from common.errors import Conflict, NotFound
from common.runs.offboarding_cleanup import Remover
from common.tenants.administration import Administration
from common.tenants.changes import TenantRecords
from common.tenants.credential_access import CredentialAccess
from common.tenants.ports import TenantDatasets
from common.tenants.tenant import Profile, TenantStatus
from common.times import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptTable:
    """A table or view of a tenant; rows and bytes where it has its own."""

    name: str
    type: str
    rows: int | None
    bytes: int | None


class Inventory(Protocol):
    """What is in tenants' datasets."""

    def tables_of(self, tenant_id: str) -> Sequence[KeptTable]:
        """List what is in a tenant's dataset, by name; none where the dataset is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a tenant leaves behind, and until when it can be exported."""

    tenant_id: str
    dataset: str
    tables: tuple[KeptTable, ...]
    keys_revoked: int
    deleted_at: datetime
    data_deleted_after: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Offboarding:
    """Ends tenants."""

    records: TenantRecords
    administration: Administration
    datasets: TenantDatasets
    access: CredentialAccess
    inventory: Inventory
    remover: Remover
    clock: Clock
    grace: timedelta

    def offboard(self, tenant_id: str, *, delete_data: bool = False) -> Manifest:
        """End a tenant and say what it leaves; a repeat finishes what an earlier one began. NotFound.

        With `delete_data` there is no time of grace: what it leaves is gone when this returns.
        """
        profile = self._deleted(tenant_id)
        directory = self.administration.directory
        keys = directory.keys_of(tenant_id)
        for record in keys:
            self.administration.revoke_key(record.api_key_hash)
        self.datasets.revoke_view(tenant_id)
        self.access.sync(tenant_id)
        deleted_at = profile.recorded_at or self.clock()
        manifest = Manifest(
            tenant_id=tenant_id,
            dataset=profile.tenant_dataset_id,
            tables=tuple(self.inventory.tables_of(tenant_id)),
            keys_revoked=len(keys),
            deleted_at=deleted_at,
            data_deleted_after=deleted_at + self.grace,
        )
        if not delete_data:
            return manifest
        self.remover.remove(tenant_id)
        return replace(manifest, data_deleted_after=self.clock())

    def _deleted(self, tenant_id: str) -> Profile:
        """Return the profile that says DELETED."""
        profile = self.records.find_profile(tenant_id)
        if profile is None:
            raise NotFound(f"there is no tenant {tenant_id}")
        if profile.status is TenantStatus.DELETED:
            return profile
        now = self.clock()
        ended = replace(profile, status=TenantStatus.DELETED)
        if not self.records.replace_profile(profile, ended, recorded_at=now):
            raise Conflict(f"the tenant {tenant_id} was changed at the same time; look, then try again")
        return replace(ended, recorded_at=now)

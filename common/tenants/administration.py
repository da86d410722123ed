"""What the operator does with tenants: look at one, give out keys, revoke them."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from common.errors import NotFound
from common.runs.quotas import Use
from common.tenants.keys import ALL_SCOPES, ApiKey, KeyRecord, Scope, is_key_hash, mint_key, whole_scopes
from common.tenants.ports import TenantDatasets, TenantReads
from common.tenants.tenant import Profile, Subscription, TenantStatus
from common.times import Clock


class TenantDirectory(TenantReads, Protocol):
    """Where tenants are looked up, and keys are kept."""

    def find_key_record(self, api_key_hash: str) -> KeyRecord | None:
        """Return what is kept of a key, None where no such key was ever made."""

    def keys_of(self, tenant_id: str) -> Sequence[KeyRecord]:
        """List a tenant's keys, revoked ones too, oldest first."""

    def count_use(self, tenant_id: str, now: datetime) -> Use:
        """Count a tenant's runs: admitted this UTC day, admitted this UTC month, under way."""

    def list_tenants(self, after: str, most: int) -> Sequence["ListedTenant"]:
        """List tenants whose IDs come after one, by ID."""

    def append_key(self, record: KeyRecord, *, recorded_at: datetime) -> None:
        """Append a key's state; it can be read at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedTenant:
    """A tenant in a list."""

    tenant_id: str
    company_name: str
    status: TenantStatus
    isolation: str | None
    created_at: datetime
    plan_name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantOverview:
    """All that the operator sees of a tenant."""

    profile: Profile
    subscription: Subscription | None
    use: Use
    keys: tuple[KeyRecord, ...]
    datasets: tuple[str, ...]
    data_deleted_after: datetime | None = None
    """Of a tenant that is DELETED: when its dataset goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedKey:
    """A new key in clear, with what is kept of it."""

    key: ApiKey
    record: KeyRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Administration:
    """The operator's side of tenants."""

    directory: TenantDirectory
    datasets: TenantDatasets
    clock: Clock
    new_id: Callable[[], str]
    grace: timedelta = timedelta(days=30)
    """How long the dataset of a tenant stays that has been ended."""

    def overview(self, tenant_id: str) -> TenantOverview:
        """Look at one tenant, one that has been ended too; NotFound where there is none."""
        profile = self.directory.find_profile(tenant_id)
        if profile is None:
            raise NotFound(f"there is no tenant {tenant_id}")
        ended_at = profile.recorded_at if profile.status is TenantStatus.DELETED else None
        return TenantOverview(
            profile=profile,
            data_deleted_after=ended_at + self.grace if ended_at else None,
            subscription=self.directory.find_subscription(tenant_id),
            use=self.directory.count_use(tenant_id, self.clock()),
            keys=tuple(self.directory.keys_of(tenant_id)),
            datasets=tuple(sorted(self.datasets.names_of(tenant_id))),
        )

    def issue_key(
        self,
        tenant_id: str,
        *,
        by: str,
        description: str | None = None,
        scopes: Collection[Scope] = ALL_SCOPES,
        expires_at: datetime | None = None,
    ) -> IssuedKey:
        """Make a key for a tenant; NotFound where there is none. Nothing but the answer ever shows it."""
        profile = self._profile(tenant_id)
        now = self.clock()
        key = mint_key(profile.tenant_id)
        record = KeyRecord(
            api_key_id=self.new_id(),
            api_key_hash=key.api_key_hash,
            tenant_id=key.tenant_id,
            key_prefix=key.prefix,
            scopes=whole_scopes(scopes),
            is_active=True,
            created_at=now,
            created_by=by,
            description=description,
            expires_at=expires_at,
        )
        self.directory.append_key(record, recorded_at=now)
        return IssuedKey(key=key, record=record)

    def end_in(self, days: int | None) -> datetime | None:
        """Return the moment so many days from now, None for no end."""
        return self.clock() + timedelta(days=days) if days else None

    def revoke_key(self, api_key_hash: str) -> KeyRecord:
        """Revoke a key; NotFound where there is none. Revoking it again answers the same."""
        record = self.directory.find_key_record(api_key_hash) if is_key_hash(api_key_hash) else None
        if record is None:
            raise NotFound("there is no API key with this hash")
        if not record.is_active:
            return record
        now = self.clock()
        revoked = replace(record, is_active=False, revoked_at=now)
        self.directory.append_key(revoked, recorded_at=now)
        return revoked

    def _profile(self, tenant_id: str) -> Profile:
        profile = self.directory.find_profile(tenant_id)
        if profile is None or profile.status is TenantStatus.DELETED:
            raise NotFound(f"there is no tenant {tenant_id}")
        return profile

"""Tenants' rows in the central dataset: `TenantStore`, `KeyStore`, `TenantDirectory` of `common.tenants`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from google.cloud import bigquery

from common.errors import AlreadyExists, WarehouseError
from common.pipelines.grants import TenantSqlGrants
from common.runs.quotas import Use
from common.tenants.administration import ListedTenant
from common.tenants.authentication import KnownKey
from common.tenants.keys import KeyRecord, Scope, whole_scopes
from common.tenants.ports import CommitState, NewTenant
from common.tenants.tenant import Profile, Subscription, SubscriptionStatus, TenantStatus
from common.times import start_of_day, start_of_month
from common.warehouse.bigquery import Queries, Row
from common.warehouse.clients import RETRY, TIMEOUT_SECONDS
from common.warehouse.replacing import replace_row
from common.warehouse.run_columns import budget_in, budget_text
from common.warehouse.translation import translated

_COMMIT_SECONDS = 30.0
_MAX_RUN = timedelta(days=32)
_DIGITS_OF_HASH = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantRows:
    """Appends rows by jobs, so that they can be read at once, and reads the latest of each key."""

    queries: Queries

    def find_profile(self, tenant_id: str) -> Profile | None:
        """Return a tenant's profile, None where there is no such tenant."""
        for row in self.queries.read("tenants/profile", tenant_id=tenant_id):
            typed = {
                "status": TenantStatus(row["status"]),
                "sources": tuple(row["sources"] or ()),
                "budget": budget_in(row["budget"]),
                "operator_budget": budget_in(row["operator_budget"]),
            }
            return Profile(**row | typed)
        return None

    def grants_of(self, tenant_id: str) -> TenantSqlGrants:
        """Return what the operator has set for a tenant's SQL, as an admission would read it."""
        profile = self.find_profile(tenant_id)
        return profile.grants if profile else TenantSqlGrants()

    def daily_limit_of(self, tenant_id: str) -> int | None:
        """Return how many runs a day a tenant's plan has, None where it has no plan."""
        found = self.find_subscription(tenant_id)
        return found.daily_limit if found else None

    def find_subscription(self, tenant_id: str) -> Subscription | None:
        """Return a tenant's subscription, None where it has none."""
        for row in self.queries.read("tenants/subscription", tenant_id=tenant_id):
            return Subscription(**row | {"status": SubscriptionStatus(row["status"])})
        return None

    def find_key(self, api_key_hash: str) -> KnownKey | None:
        """Return the latest record of a key and its tenant's state, None where no such key was ever made."""
        for row in self.queries.read("tenants/key", api_key_hash=api_key_hash):
            tenant_status = TenantStatus(row.pop("tenant_status"))
            return KnownKey(record=_key_record(row), tenant_status=tenant_status)
        return None

    def find_key_record(self, api_key_hash: str) -> KeyRecord | None:
        """Return what is kept of a key, None where no such key was ever made."""
        known = self.find_key(api_key_hash)
        return known.record if known else None

    def keys_of(self, tenant_id: str) -> list[KeyRecord]:
        """List a tenant's keys, revoked ones too, oldest first."""
        return [_key_record(row) for row in self.queries.read("tenants/keys", tenant_id=tenant_id)]

    def list_tenants(self, after: str, most: int) -> list[ListedTenant]:
        """List tenants whose IDs come after one, by ID."""
        rows = self.queries.read("tenants/list", after=after, most=most)
        return [ListedTenant(**row | {"status": TenantStatus(row["status"])}) for row in rows]

    def count_use(self, tenant_id: str, now: datetime) -> Use:
        """Count a tenant's runs: admitted this UTC day, admitted this UTC month, under way."""
        (row,) = self.queries.read(
            "tenants/use",
            tenant_id=tenant_id,
            day_start=start_of_day(now),
            month_start=start_of_month(now),
            since=now - _MAX_RUN,
        )
        return Use(**row)

    def commit(self, tenant: NewTenant, *, job_id: str, labels: Mapping[str, str]) -> None:
        """Append all rows in one transaction, whose job has this ID; AlreadyExists where the ID is taken."""
        self.queries.write("tenants/commit", job_id=job_id, labels=labels, **_values(tenant))

    def commit_state(self, job_id: str) -> CommitState:
        """Tell what became of the transaction under a job ID that is taken, once it has had time to end."""
        job = self._job(job_id)
        try:
            with translated():
                job.result(timeout=_COMMIT_SECONDS, job_retry=None)
        except WarehouseError:
            return CommitState.FAILED if job.state == "DONE" else CommitState.RUNNING
        return CommitState.DONE

    def append_key(self, record: KeyRecord, *, recorded_at: datetime) -> None:
        """Append a key's state; it can be read at once."""
        moment = f"{recorded_at:%Y%m%d%H%M%S%f}"
        job_id = f"cvg-key-{record.api_key_hash[:_DIGITS_OF_HASH]}-{moment}"
        values = asdict(record) | {"scopes": _names(record.scopes), "recorded_at": recorded_at}
        self._write_once("tenants/append_key", job_id, record.tenant_id, values)

    def _write_once(self, name: str, job_id: str, tenant_id: str, values: Mapping[str, Any]) -> None:
        try:
            self.queries.write(name, job_id=job_id, labels={"tenant": tenant_id}, **values)
        except AlreadyExists:
            # The client repeats an insert whose answer got lost; who else has this ID appends the same row.
            with translated():
                self._job(job_id).result(timeout=_COMMIT_SECONDS, job_retry=None)

    def _job(self, job_id: str) -> bigquery.QueryJob:
        central = self.queries.central
        with translated():
            return central.client.get_job(  # type: ignore[return-value]
                job_id, location=central.location, retry=RETRY, timeout=TIMEOUT_SECONDS
            )


def _values(tenant: NewTenant) -> dict[str, Any]:
    """Name the values of a new tenant's rows as the committing statement does."""
    profile, key, subscription = tenant.profile, tenant.key, tenant.subscription
    now = profile.created_at
    return {
        "tenant_id": profile.tenant_id,
        "company_name": profile.company_name,
        "admin_email": profile.admin_email,
        "tenant_dataset_id": profile.tenant_dataset_id,
        "tenant_status": profile.status.value,
        "isolation": profile.isolation,
        "api_key_id": key.api_key_id,
        "api_key_hash": key.api_key_hash,
        "key_prefix": key.key_prefix,
        "scopes": _names(key.scopes),
        "created_by": key.created_by,
        "subscription_id": subscription.subscription_id,
        "plan_name": subscription.plan_name,
        "subscription_status": subscription.status.value,
        "daily_limit": subscription.daily_limit,
        "monthly_limit": subscription.monthly_limit,
        "concurrent_limit": subscription.concurrent_limit,
        "max_team_members": subscription.max_team_members,
        "usage_id": f"{profile.tenant_id}_{now:%Y%m%d}",
        "usage_date": now.date(),
        "now": now,
    }


def _key_record(row: Row) -> KeyRecord:
    return KeyRecord(**row | {"scopes": whole_scopes(row["scopes"]), "created_by": row["created_by"] or ""})


def _names(scopes: frozenset[Scope]) -> list[str]:
    return sorted(scope.value for scope in scopes)


class TenantRecordRows(TenantRows):
    """Appends what has changed of a tenant."""

    def replace_profile(self, old: Profile, new: Profile, *, recorded_at: datetime) -> bool:
        """Append a profile in the place of another; False where somebody else has replaced that one."""
        replaced_at = old.recorded_at or old.created_at
        recorded_at = max(recorded_at, replaced_at + timedelta(microseconds=1))
        values = asdict(new) | {
            "sources": list(new.sources),
            "budget": budget_text(new.budget),
            "operator_budget": budget_text(new.operator_budget),
            "recorded_at": recorded_at,
        }
        replaced = f"cvg-profile-{old.tenant_id}-{replaced_at:%Y%m%d%H%M%S%f}"
        return replace_row(self.queries, "tenants/append_profile", replaced, old.tenant_id, values)

    def append_subscription(self, subscription: Subscription, *, recorded_at: datetime) -> None:
        """Append a subscription's state; it can be read at once."""
        job_id = f"cvg-subscription-{subscription.tenant_id}-{recorded_at:%Y%m%d%H%M%S%f}"
        values = asdict(subscription) | {"recorded_at": recorded_at}
        self._write_once("tenants/append_subscription", job_id, subscription.tenant_id, values)

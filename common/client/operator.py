"""The operators' side: tenants, keys, the audit log, what the platform is doing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypedDict, cast

from common.client.api import Api
from common.client.calls import Call, Content, segment
from common.client.keys import ApiKeyIssued
from common.client.paging import walk
from common.client.tenant import Onboarded, Usage

ADMIN = "/admin"


class BootstrapReport(TypedDict):
    """What the bootstrap found and did."""

    status: str
    dataset_created: bool
    tables_created: list[str]
    tables_existed: list[str]
    views_created: list[str]
    views_updated: list[str]
    drift: list[str]
    total_tables: int
    message: str


class TenantListed(TypedDict):
    """A tenant, in a list."""

    tenant_id: str
    company_name: str
    status: str
    isolation: str | None
    created_at: str
    plan_name: str | None


class TenantProfile(TypedDict):
    """All that the operator sees of a tenant."""

    tenant_id: str
    company_name: str
    admin_email: str
    tenant_dataset_id: str
    status: str
    isolation: str | None
    sources: list[str]
    budget: Mapping[str, Any]
    operator_budget: Mapping[str, Any]
    created_at: str
    subscription: Mapping[str, Any] | None
    use: Mapping[str, int]
    api_keys: list[Mapping[str, Any]]
    datasets: list[str]
    data_deleted_after: str | None


class TenantManifest(TypedDict):
    """What an offboarded tenant leaves behind."""

    tenant_id: str
    dataset: str
    tables: list[Mapping[str, Any]]
    keys_revoked: int
    deleted_at: str
    data_deleted_after: str


class AuditEntry(TypedDict):
    """One action."""

    audit_id: str
    occurred_at: str
    actor: str
    action: str
    outcome: str
    tenant_id: str | None
    source: str | None
    request_id: str | None
    details: Mapping[str, Any]


class Overview(TypedDict):
    """What the platform is doing, in all and by plan."""

    tenants: int
    due: int
    running: int
    queued: int
    admitted_today: int
    completed_today: int
    failed_today: int
    refused_today: int
    dead_letters_today: int
    oldest_queued_at: str | None
    as_of: str
    plans: list[Mapping[str, Any]]
    streaming_held: list[Mapping[str, str]]


class DispatcherJob(TypedDict):
    """The job that calls the dispatcher."""

    name: str
    state: str
    schedule: str
    time_zone: str
    next_run_time: str | None
    last_attempt_time: str | None
    last_attempt_failed: bool | None


@dataclass(frozen=True, slots=True)
class Operator:
    """The operators' API, by an operator's key."""

    api: Api

    def bootstrap(self, request: Mapping[str, Any] | None = None) -> BootstrapReport:
        """Set the platform up; a repeat changes nothing, unless something is to be recreated."""
        is_plain = not any((request or {}).values())
        return cast(
            "BootstrapReport",
            self.api.post(f"{ADMIN}/bootstrap", request or {}, is_repeatable=is_plain),
        )

    def onboard(self, request: Mapping[str, Any]) -> Onboarded:
        """Make a tenant, whether onboarding is open to the public or not."""
        return cast("Onboarded", self.api.post(f"{ADMIN}/tenants", request))

    def tenants(self, limit: int | None = None) -> Iterator[TenantListed]:
        """Yield tenants by ID, over all pages."""
        path = f"{ADMIN}/tenants"
        return walk(lambda after: self.api.get(path, after=after, limit=limit), "tenants", "next_after")

    def tenant(self, tenant_id: str) -> TenantProfile:
        """Show a tenant."""
        return cast("TenantProfile", self.api.get(_tenant(tenant_id)))

    def change(self, tenant_id: str, change: Mapping[str, Any]) -> TenantProfile:
        """Change a tenant: `status`, `subscription_plan`, `isolation`."""
        call = Call(method="PATCH", path=_tenant(tenant_id), content=Content.json(change), is_repeatable=True)
        return cast("TenantProfile", self.api.send(call).body)

    def remove(self, tenant_id: str, *, deletes_data: bool = False) -> TenantManifest:
        """End a tenant; its data stays for a time, or goes at once."""
        query = {"data": "delete" if deletes_data else None}
        call = Call(method="DELETE", path=_tenant(tenant_id), query=query)
        return cast("TenantManifest", self.api.send(call).body)

    def set_budget(self, tenant_id: str, budget: Mapping[str, Any]) -> Mapping[str, Any]:
        """Set what all runs of a tenant may be billed for; what is left out is no limit."""
        call = Call(method="PUT", path=f"{_tenant(tenant_id)}/budget", content=Content.json(budget))
        return cast("Mapping[str, Any]", self.api.send(call).body["budget"])

    def set_sources(self, tenant_id: str, sources: list[str]) -> list[str]:
        """Set what a tenant may read beside its own dataset."""
        content = Content.json({"sources": sources})
        call = Call(method="PUT", path=f"{_tenant(tenant_id)}/sources", content=content)
        return cast("list[str]", self.api.send(call).body["sources"])

    def audit(self, **filters: Any) -> Iterator[AuditEntry]:
        """Yield what was done to tenants and keys, newest first: `tenant_id`, `since`, `limit`."""
        path = f"{ADMIN}/audit"
        return walk(lambda before: self.api.get(path, **filters, before=before), "entries", "next_before")

    def issue_key(self, request: Mapping[str, Any]) -> ApiKeyIssued:
        """Make a key for a tenant."""
        return cast("ApiKeyIssued", self.api.post(f"{ADMIN}/api-keys", request))

    def revoke_key(self, api_key_hash: str) -> Mapping[str, Any]:
        """Revoke a key by its hash."""
        call = Call(method="DELETE", path=f"{ADMIN}/api-keys/{segment(api_key_hash)}")
        return cast("Mapping[str, Any]", self.api.send(call).body)

    def usage(self, **asked: Any) -> Usage:
        """Show what each tenant used and what it cost: `from`, `to`, `by`, `tenant_id`."""
        return cast("Usage", self.api.get(f"{ADMIN}/usage", **asked))

    def usage_csv(self, **asked: Any) -> str:
        """Return the same as CSV."""
        return cast("str", self.api.get(f"{ADMIN}/usage", **asked, format="csv"))

    def overview(self) -> Overview:
        """Show what is due, waiting, running and failed."""
        return cast("Overview", self.api.get(f"{ADMIN}/overview"))

    def dispatcher(self) -> DispatcherJob:
        """Show the job that calls the dispatcher each minute."""
        return cast("DispatcherJob", self.api.get(f"{ADMIN}/scheduler"))

    def tell_dispatcher(self, what: str) -> DispatcherJob:
        """Pause, resume or run the dispatcher."""
        return cast("DispatcherJob", self.api.post(f"{ADMIN}/scheduler/{segment(what)}", is_repeatable=True))


def _tenant(tenant_id: str) -> str:
    return f"{ADMIN}/tenants/{segment(tenant_id)}"

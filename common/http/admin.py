"""The operators' API: bootstrap, tenants, API keys."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from common.errors import Conflict, NotFound
from common.http.admin_parameters import API_KEY_HASH, AUDIT_FILTERS, TENANT_DATA, TENANT_ID, TENANT_PAGES
from common.http.calls import Answer, Call
from common.http.onboarded import onboarded_answer, onboarding_request
from common.http.routes import Access, Route, RouteTable
from common.http.scheduler import SCHEDULER_ROUTES
from common.http.tenant_services import AdminServices
from common.setup.bootstrap import BootstrapReport
from common.tenants.administration import TenantOverview
from common.tenants.audit import AuditFilter
from common.tenants.changes import Change
from common.tenants.keys import ALL_SCOPES, Scope
from common.tenants.tenant import Isolation, KeyRecord, Subscription, TenantStatus
from common.times import from_rfc3339

OPERATOR = "admin"
BEGINNING, END = datetime(2000, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


def bootstrap_platform(call: Call[AdminServices]) -> Answer:
    """Set the platform up.

    Creates the central dataset, its tables and its views where they are missing, adds columns that are new in
    their definitions, and replaces views whose text has changed. A repeat changes nothing. Recreation copies
    all rows to a backup dataset first; let no pipeline run meanwhile.
    """
    report = call.services.bootstrap.run(
        force_recreate_dataset=call.body.get("force_recreate_dataset", False),
        force_recreate_tables=call.body.get("force_recreate_tables", False),
        confirm=call.body.get("confirm", ""),
    )
    return Answer(body=_report_body(report))


def create_tenant(call: Call[AdminServices]) -> Answer:
    """Onboard a tenant, whether onboarding is open to the public or not."""
    onboarded = call.services.onboarding.onboard(onboarding_request(call.body), by=OPERATOR)
    return onboarded_answer(call.services.edge, onboarded)


def list_tenants(call: Call[AdminServices]) -> Answer:
    """List tenants by ID, those that are no more too.

    For the next page ask with `after` as `next_after` gives it.
    """
    limit = call.query["limit"]
    tenants = call.services.administration.directory.list_tenants(call.query["after"], limit)
    next_after = tenants[-1].tenant_id if len(tenants) == limit else None
    return Answer(body={"tenants": [asdict(tenant) for tenant in tenants], "next_after": next_after})


def offboard_tenant(call: Call[AdminServices]) -> Answer:
    """End a tenant.

    Its keys die within a minute, what is under way is cancelled, no schedule fires. Its dataset stays for a
    time, so that it can be exported by the manifest that this answers, and is deleted after that; with
    `data=delete` it is deleted at once. The rows of its past stay. A repeat answers the same.
    """
    is_deleted = call.query["data"] == "delete"
    manifest = call.services.offboarding.offboard(call.path["tenant_id"], delete_data=is_deleted)
    return Answer(body=asdict(manifest))


def read_tenant(call: Call[AdminServices]) -> Answer:
    """Show a tenant: profile, plan, use, API keys and datasets.

    One that has been ended is DELETED, and says when its dataset goes.
    """
    return Answer(body=_tenant_body(call.services.administration.overview(call.path["tenant_id"])))


def change_tenant(call: Call[AdminServices]) -> Answer:
    """Change a tenant: its plan, its state, whose account runs its SQL.

    A SUSPENDED tenant can call nothing; every instance refuses its keys within a minute, and what it has
    running or waiting is cancelled within two. A new plan holds from the next admission on. `dedicated` takes
    an account that the operator has configured.
    """
    body, tenant_id = call.body, call.path["tenant_id"]
    change = Change(
        status=TenantStatus(body["status"]) if "status" in body else None,
        plan=body.get("subscription_plan"),
        isolation=Isolation(body["isolation"]) if "isolation" in body else None,
    )
    call.services.changes.change(tenant_id, change)
    return Answer(body=_tenant_body(call.services.administration.overview(tenant_id)))


def set_sources(call: Call[AdminServices]) -> Answer:
    """Set what a tenant may read beside its own dataset and what every tenant may.

    Replaces the tenant's list. It holds for uploads and admissions from now on; a run keeps what it was
    admitted with.
    """
    tenant_id = call.path["tenant_id"]
    sources = call.services.changes.set_sources(tenant_id, call.body["sources"])
    return Answer(body={"tenant_id": tenant_id, "sources": list(sources)})


def read_audit(call: Call[AdminServices]) -> Answer:
    """Show what was done to tenants and keys: who, what, when, from where.

    Newest first; for the next page ask with `before` as `next_before` gives it.
    """
    query = call.query
    wanted = AuditFilter(
        since=from_rfc3339(query["since"]) if "since" in query else BEGINNING,
        before=from_rfc3339(query["before"]) if "before" in query else END,
        tenant_id=query.get("tenant_id", ""),
        limit=query["limit"],
    )
    entries = call.services.audit.read(wanted)
    is_full = len(entries) == wanted.limit
    return Answer(
        body={
            "entries": [asdict(entry) for entry in entries],
            "next_before": entries[-1].occurred_at if is_full else None,
        }
    )


def issue_api_key(call: Call[AdminServices]) -> Answer:
    """Make an API key for a tenant."""
    administration = call.services.administration
    issued = administration.issue_key(
        call.body["tenant_id"],
        by=OPERATOR,
        description=call.body.get("description"),
        scopes=[Scope(scope) for scope in call.body.get("scopes", ALL_SCOPES)],
        expires_at=administration.end_in(call.body.get("expires_in_days")),
    )
    kept = _key_body(issued.record)
    del kept["is_active"], kept["revoked_at"]
    return Answer(body={"api_key": issued.key.text} | kept, status=201)


def revoke_api_key(call: Call[AdminServices]) -> Answer:
    """Revoke an API key by its hash.

    Every instance refuses the key within a minute. Revoking it again answers the same.
    """
    record = call.services.administration.revoke_key(call.path["api_key_hash"])
    body = {
        "api_key_hash": record.api_key_hash,
        "api_key_id": record.api_key_id,
        "tenant_id": record.tenant_id,
        "revoked_at": record.revoked_at,
        "message": "the key is revoked; every instance refuses it within a minute",
    }
    return Answer(body=body)


def _report_body(report: BootstrapReport) -> dict[str, Any]:
    return {"status": "SUCCESS", "total_tables": report.total_tables, "message": report.message} | asdict(
        report
    )


def _tenant_body(overview: TenantOverview) -> dict[str, Any]:
    use = overview.use
    profile = asdict(overview.profile)
    del profile["recorded_at"]
    return profile | {
        "subscription": _subscription_body(overview.subscription) if overview.subscription else None,
        "use": {
            "pipelines_run_today": use.today,
            "pipelines_run_month": use.month,
            "concurrent_pipelines_running": use.running,
        },
        "api_keys": [_key_body(record) for record in overview.keys],
        "datasets": list(overview.datasets),
        "data_deleted_after": overview.data_deleted_after,
    }


def _subscription_body(subscription: Subscription) -> dict[str, Any]:
    body = asdict(subscription)
    del body["tenant_id"]
    return body


def _key_body(record: KeyRecord) -> dict[str, Any]:
    return asdict(record) | {"scopes": sorted(scope.value for scope in record.scopes)}


ADMIN_ROUTES: RouteTable[AdminServices] = RouteTable(
    Route(
        method="POST",
        path="/admin/bootstrap",
        endpoint=bootstrap_platform,
        access=Access.ADMIN,
        request_schema="bootstrap_request",
        makes_log=True,
        told_members=("force_recreate_dataset", "force_recreate_tables"),
        answers={200: "bootstrap_report"},
        problems=(Conflict,),
        tag="Admin",
    ),
    Route(
        method="POST",
        path="/admin/tenants",
        endpoint=create_tenant,
        access=Access.ADMIN,
        request_schema="tenant_request",
        answers={201: "tenant_onboarded"},
        problems=(Conflict,),
        tag="Admin",
    ),
    Route(
        method="GET",
        path="/admin/tenants/{tenant_id}",
        endpoint=read_tenant,
        access=Access.ADMIN,
        parameters=(TENANT_ID,),
        answers={200: "tenant"},
        tag="Admin",
    ),
    Route(
        method="GET",
        path="/admin/tenants",
        endpoint=list_tenants,
        access=Access.ADMIN,
        parameters=TENANT_PAGES,
        answers={200: "tenant_list"},
        tag="Admin",
    ),
    Route(
        method="DELETE",
        path="/admin/tenants/{tenant_id}",
        endpoint=offboard_tenant,
        access=Access.ADMIN,
        parameters=(TENANT_ID, TENANT_DATA),
        answers={200: "tenant_manifest"},
        problems=(NotFound, Conflict),
        tag="Admin",
    ),
    Route(
        method="PATCH",
        path="/admin/tenants/{tenant_id}",
        endpoint=change_tenant,
        access=Access.ADMIN,
        parameters=(TENANT_ID,),
        request_schema="tenant_change",
        told_members=("status", "subscription_plan", "isolation"),
        answers={200: "tenant"},
        problems=(NotFound, Conflict),
        tag="Admin",
    ),
    Route(
        method="PUT",
        path="/admin/tenants/{tenant_id}/sources",
        endpoint=set_sources,
        access=Access.ADMIN,
        parameters=(TENANT_ID,),
        request_schema="tenant_sources_request",
        told_members=("sources",),
        answers={200: "tenant_sources"},
        problems=(NotFound, Conflict),
        tag="Admin",
    ),
    Route(
        method="GET",
        path="/admin/audit",
        endpoint=read_audit,
        access=Access.ADMIN,
        parameters=AUDIT_FILTERS,
        answers={200: "audit"},
        tag="Admin",
    ),
    Route(
        method="POST",
        path="/admin/api-keys",
        endpoint=issue_api_key,
        access=Access.ADMIN,
        request_schema="api_key_request",
        told_members=("scopes", "expires_in_days"),
        answers={201: "api_key_issued"},
        problems=(NotFound,),
        tag="Admin",
    ),
    Route(
        method="DELETE",
        path="/admin/api-keys/{api_key_hash}",
        endpoint=revoke_api_key,
        access=Access.ADMIN,
        parameters=(API_KEY_HASH,),
        answers={200: "api_key_revoked"},
        tag="Admin",
    ),
    *SCHEDULER_ROUTES,
)

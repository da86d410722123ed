"""The operators' API of tenants: make, look at, change and end them, and their API keys."""

from dataclasses import asdict
from typing import Any

from common.errors import Conflict, NotFound
from common.http.endpoints.budgets import BUDGET_MEMBERS, set_tenants_budget
from common.http.endpoints.tenants import onboarded_answer, onboarding_request
from common.http.routing import Access, Answer, Call, Parameter, Place, Route
from common.http.services import AdminServices
from common.tenants.administration import TenantOverview
from common.tenants.changes import Change
from common.tenants.keys import ALL_SCOPES, KeyRecord, Scope
from common.tenants.tenant import Isolation, Subscription, TenantStatus

TENANT_ID = Parameter(
    name="tenant_id",
    place=Place.PATH,
    description="The tenant.",
    schema={"type": "string", "pattern": "^[a-z][a-z0-9_]{2,49}$"},
    example="customer_name",
)
TENANT_DATA = Parameter(
    name="data",
    place=Place.QUERY,
    description="What becomes of its dataset: it is kept for the time of grace, or deleted now, for good.",
    schema={"type": "string", "enum": ["keep", "delete"], "default": "keep"},
    example="keep",
)
API_KEY_HASH = Parameter(
    name="api_key_hash",
    place=Place.PATH,
    description="SHA-256 of the key, as the tenant's page and the answer to its creation give it.",
    schema={"type": "string", "pattern": "^[0-9a-f]{64}$"},
    example="5f2e1d0c9b8a79685746352413021f0e0d1c2b3a495867768594a3b2c1d0e9f8",
)

TENANT_PAGES = (
    Parameter(
        name="after",
        place=Place.QUERY,
        description="Only tenants whose IDs come after this one.",
        schema={"type": "string", "pattern": "^[a-z0-9_]{0,50}$", "default": ""},
        example="customer_name",
    ),
    Parameter(
        name="limit",
        place=Place.QUERY,
        description="How many at most.",
        schema={"type": "integer", "minimum": 1, "maximum": 500, "default": 100},
        example=100,
    ),
)

OPERATOR = "admin"


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


ADMIN_TENANT_ROUTES: tuple[Route[AdminServices], ...] = (
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
        audited_members=("status", "subscription_plan", "isolation"),
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
        audited_members=("sources",),
        answers={200: "tenant_sources"},
        problems=(NotFound, Conflict),
        tag="Admin",
    ),
    Route(
        method="PUT",
        path="/admin/tenants/{tenant_id}/budget",
        endpoint=set_tenants_budget,
        access=Access.ADMIN,
        parameters=(TENANT_ID,),
        request_schema="budget_request",
        audited_members=BUDGET_MEMBERS,
        answers={200: "tenant_budget"},
        problems=(NotFound, Conflict),
        tag="Admin",
    ),
    Route(
        method="POST",
        path="/admin/api-keys",
        endpoint=issue_api_key,
        access=Access.ADMIN,
        request_schema="api_key_request",
        audited_members=("scopes", "expires_in_days"),
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
)

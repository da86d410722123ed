"""The operator's pages: what the platform is doing, tenants, and what was done to them."""

from itertools import islice
from typing import Any

from common.client import Problem
from common.client.calls import segment
from common.console.onboarding_pages import PLANS
from common.console.sessions import Role
from common.console.visits import OVERVIEW_SECONDS, Answered, Elsewhere, Page, PageRoute, Visit

HOME = "/console/operator"
MAX_LISTED = 500
MAX_ENTRIES = 200


def platform(visit: Visit) -> Answered:
    """Show what is due, waiting, running and failed, and the job that calls the dispatcher."""
    try:
        shown: dict[str, Any] = {"overview": visit.operator.overview(), "told": ""}
    except Problem as problem:
        if problem.kind != "not-configured":
            raise
        shown = {"overview": None, "told": problem.detail}
    return Page(
        template="platform.html",
        is_live=True,
        live_seconds=OVERVIEW_SECONDS,
        values={**shown, "dispatcher": visit.operator.dispatcher()},
    )


def tell_dispatcher(visit: Visit) -> Answered:
    """Pause, resume or run the dispatcher."""
    visit.operator.tell_dispatcher(visit.form.get("what", ""))
    return Elsewhere(HOME)


def tenants(visit: Visit) -> Answered:
    """List the tenants, each with what it has used of this month and what that cost."""
    usage = visit.operator.usage()
    values = {
        "tenants": list(islice(visit.operator.tenants(), MAX_LISTED)),
        "used": {row["tenant_id"]: row for row in usage["rows"]},
        "usage": usage,
    }
    return Page(template="tenants.html", values=values)


def tenant(visit: Visit) -> Answered:
    """Show a tenant: its plan, the use of it and what that cost, its keys, its datasets."""
    tenant_id = visit.path["tenant_id"]
    values = {
        "tenant": visit.operator.tenant(tenant_id),
        "usage": visit.operator.usage(tenant_id=tenant_id, by="pipeline"),
        "plans": PLANS,
    }
    return Page(template="tenant.html", values=values)


def change_tenant(visit: Visit) -> Answered:
    """Suspend or reactivate a tenant, or change its plan."""
    change = {name: visit.form[name] for name in ("status", "subscription_plan") if visit.form.get(name)}
    visit.operator.change(visit.path["tenant_id"], change)
    return Elsewhere(f"{HOME}/tenants/{segment(visit.path['tenant_id'])}")


def audit(visit: Visit) -> Answered:
    """List what was done to tenants and keys, the latest first."""
    tenant_id = visit.query.get("tenant_id") or None
    entries = list(islice(visit.operator.audit(tenant_id=tenant_id), MAX_ENTRIES))
    return Page(template="audit.html", values={"entries": entries, "tenant_id": tenant_id or ""})


ROUTES = (
    PageRoute(path=HOME, visit=platform, role=Role.OPERATOR),
    PageRoute(path=f"{HOME}/scheduler", visit=tell_dispatcher, method="POST", role=Role.OPERATOR),
    PageRoute(path=f"{HOME}/tenants", visit=tenants, role=Role.OPERATOR),
    PageRoute(path=f"{HOME}/tenants/<tenant_id>", visit=tenant, role=Role.OPERATOR),
    PageRoute(path=f"{HOME}/tenants/<tenant_id>", visit=change_tenant, method="POST", role=Role.OPERATOR),
    PageRoute(path=f"{HOME}/audit", visit=audit, role=Role.OPERATOR),
)

"""The tenant API of tenants themselves: dry run, onboarding, quota."""

from collections.abc import Iterable, Mapping
from typing import Any

from common.errors import Conflict, Forbidden, NotConfigured, NotFound, RateLimited, Unauthenticated
from common.http.edge import Edge
from common.http.endpoints.budgets import TENANT_BUDGET_ROUTES, spending_body
from common.http.endpoints.credentials import CREDENTIAL_ROUTES
from common.http.endpoints.keys import KEY_ROUTES
from common.http.endpoints.links import tenant_links
from common.http.endpoints.usage import TENANT_USAGE_ROUTES
from common.http.routing import Access, Answer, Call, Parameter, Place, Route, RouteTable
from common.http.schemas import schemas
from common.http.services import TenantServices
from common.runs.quotas import Quota
from common.tenants.onboarding import Onboarded
from common.tenants.onboarding_checks import DryRunReport, OnboardingRequest
from common.times import to_rfc3339


def onboarding_request(body: Mapping[str, Any]) -> OnboardingRequest:
    """Read a `tenant_request`; the rest of its rules are the domain's."""
    defaults = schemas()["tenant_request"]["properties"]
    return OnboardingRequest(
        tenant_id=body["tenant_id"],
        company_name=body["company_name"],
        admin_email=body["admin_email"],
        subscription_plan=body.get("subscription_plan", defaults["subscription_plan"]["default"]),
    )


def onboarded_answer(edge: Edge, onboarded: Onboarded) -> Answer:
    """Answer with the new tenant and, this once, its key."""
    body = {
        "tenant_id": onboarded.tenant_id,
        "api_key": onboarded.key.text,
        "subscription_plan": onboarded.plan.name,
        "dataset_created": onboarded.dataset_created,
        "tables_created": list(onboarded.tables_created),
        "dryrun_status": "SUCCESS",
        "message": f"{onboarded.tenant_id} is onboarded; keep the API key, it is shown only once",
        "links": tenant_links(edge),
    }
    return Answer(body=body, status=201)


def quota_body(tenant_id: str, plan_name: str, quotas: Iterable[Quota]) -> dict[str, Any]:
    """Describe the three limits of a tenant's plan and the use of them."""
    return {"tenant_id": tenant_id, "plan_name": plan_name} | {quota.name: _use(quota) for quota in quotas}


def _use(quota: Quota) -> dict[str, Any]:
    return {
        "used": quota.used,
        "limit": quota.limit,
        "remaining": max(0, quota.limit - quota.used),
        "percent": quota.percent,
        "resets_at": quota.resets_at,
    }


TOKEN_HEADER = "X-Onboarding-Token"  # noqa: S105 - the name of a header


def check_onboarding(call: Call[TenantServices]) -> Answer:
    """Check whether an onboarding would go through.

    Makes nothing, and answers 200 whatever the checks say. It is as open, or as closed, as onboarding itself.
    """
    _authorize(call)
    return Answer(body=_dry_run_body(call.services.dry_run.check(onboarding_request(call.body))))


def onboard_tenant(call: Call[TenantServices]) -> Answer:
    """Onboard a tenant.

    Makes its dataset with tenant_comprehensive_view, its profile, its subscription and its first API key: all
    of it, or nothing. A tenant that exists stays as it is: 409. After any other refusal a repeat is safe.
    An hour takes so many onboardings from one address, and so many in all: 429.
    """
    _authorize(call)
    request = onboarding_request(call.body)
    call.services.onboarding.check(request)
    call.services.rates.take(call.source)
    onboarded = call.services.onboarding.onboard(request)
    return onboarded_answer(call.services.edge, onboarded)


def read_quota(call: Call[TenantServices]) -> Answer:
    """Show the plan's limits, budgets, and the use of them.

    Counted from the runs as an admission would count them now. The daily limit resets at midnight UTC, the
    monthly one with the month; a concurrent run gives its place back as soon as it ends.
    """
    tenant_id = call.caller.tenant_id
    subscription = call.services.subscriptions.find_subscription(tenant_id)
    if subscription is None:
        raise NotFound("this tenant has no subscription")
    allowed = call.services.run_queries.allowed(tenant_id)
    body = quota_body(tenant_id, subscription.plan_name, allowed.quotas)
    return Answer(body=body | spending_body(allowed, call.services.usage.price))


def _authorize(call: Call[TenantServices]) -> None:
    """Let the request in where onboarding is open to it; who guesses tokens is slowed down like with keys."""
    token, wrong_keys = call.headers.get(TOKEN_HEADER), call.services.edge.wrong_keys
    wrong_keys.check(call.source)
    try:
        call.services.onboarding_policy.authorize(token)
    except Forbidden:
        if token:
            wrong_keys.count(call.source)
        raise


def _dry_run_body(report: DryRunReport) -> dict[str, object]:
    request, total = report.request, len(report.checks)
    moment = to_rfc3339(report.checked_at)
    results = [
        {
            "check_name": check.name,
            "passed": check.passed,
            "message": check.message,
            "details": check.details or None,
            "timestamp": moment,
        }
        for check in report.checks
    ]
    return {
        "status": "SUCCESS" if report.is_ready else "FAILED",
        "tenant_id": request.tenant_id,
        "subscription_plan": request.subscription_plan,
        "company_name": request.company_name,
        "admin_email": request.admin_email,
        "validation_summary": {
            "total_checks": total,
            "passed": total - report.failed,
            "failed": report.failed,
            "all_passed": report.is_ready,
        },
        "validation_results": results,
        "message": f"{report.failed} of {total} checks failed" if report.failed else "ready for onboarding",
        "ready_for_onboarding": report.is_ready,
    }


ONBOARDING_TOKEN = Parameter(
    name=TOKEN_HEADER,
    place=Place.HEADER,
    description="The token that the operator gave you, where onboarding asks for one.",
    schema={"type": "string", "pattern": "^[!-~]{1,255}$"},
    example="the-token",
)
_CLOSED = (Unauthenticated, Forbidden, RateLimited, NotConfigured)

TENANT_ROUTES: RouteTable[TenantServices] = RouteTable(
    Route(
        method="POST",
        path="/api/v1/tenants/dryrun",
        endpoint=check_onboarding,
        access=Access.PUBLIC,
        parameters=(ONBOARDING_TOKEN,),
        request_schema="tenant_request",
        answers={200: "tenant_dry_run"},
        problems=_CLOSED,
        tag="Tenants",
    ),
    Route(
        method="POST",
        path="/api/v1/tenants/onboard",
        endpoint=onboard_tenant,
        access=Access.PUBLIC,
        parameters=(ONBOARDING_TOKEN,),
        request_schema="tenant_request",
        answers={201: "tenant_onboarded"},
        problems=(Conflict, *_CLOSED),
        tag="Tenants",
        is_audited=True,
        audited_members=("subscription_plan",),
    ),
    Route(
        method="GET",
        path="/api/v1/tenants/quota",
        endpoint=read_quota,
        access=Access.READ,
        answers={200: "quota"},
        problems=(NotFound,),
        tag="Tenants",
    ),
    *TENANT_USAGE_ROUTES,
    *TENANT_BUDGET_ROUTES,
    *KEY_ROUTES,
    *CREDENTIAL_ROUTES,
)

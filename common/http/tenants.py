"""The tenant API of tenants themselves: dry run, onboarding, quota."""

from common.errors import (
    Conflict,
    Forbidden,
    NotConfigured,
    NotFound,
    RateLimited,
    Unauthenticated,
)
from common.http.calls import Answer, Call
from common.http.credentials import CREDENTIAL_ROUTES
from common.http.keys import KEY_ROUTES
from common.http.onboarded import onboarded_answer, onboarding_request
from common.http.quotas import quota_body
from common.http.routes import Access, Parameter, Place, Route, RouteTable
from common.http.tenant_services import TenantServices
from common.tenants.dry_run import DryRunReport
from common.times import to_rfc3339

TOKEN_HEADER = "X-Onboarding-Token"  # noqa: S105 - the name of a header


def check_onboarding(call: Call[TenantServices]) -> Answer:
    """Check whether an onboarding would go through.

    Makes nothing, and answers 200 whatever the checks say. It is as open, or as closed, as onboarding itself.
    """
    _knock(call)
    return Answer(body=_dry_run_body(call.services.dry_run.check(onboarding_request(call.body))))


def onboard_tenant(call: Call[TenantServices]) -> Answer:
    """Onboard a tenant.

    Makes its dataset with tenant_comprehensive_view, its profile, its subscription and its first API key: all
    of it, or nothing. A tenant that exists stays as it is: 409. After any other refusal a repeat is safe.
    An hour takes so many onboardings from one address, and so many in all: 429.
    """
    _knock(call)
    request = onboarding_request(call.body)
    call.services.onboarding.check(request)
    call.services.rates.take(call.source)
    onboarded = call.services.onboarding.onboard(request)
    return onboarded_answer(call.services.edge, onboarded)


def read_quota(call: Call[TenantServices]) -> Answer:
    """Show the plan's limits and the use of them.

    Counted from the runs as an admission would count them now. The daily limit resets at midnight UTC, the
    monthly one with the month; a concurrent run gives its place back as soon as it ends.
    """
    tenant_id = call.caller.tenant_id
    subscription = call.services.subscriptions.find_subscription(tenant_id)
    if subscription is None:
        raise NotFound("this tenant has no subscription")
    quotas = call.services.run_log.quotas(tenant_id)
    return Answer(body=quota_body(tenant_id, subscription.plan_name, quotas))


def _knock(call: Call[TenantServices]) -> None:
    """Let the request in where onboarding is open to it; who guesses tokens is slowed down like with keys."""
    token, wrong_keys = call.headers.get(TOKEN_HEADER), call.services.edge.wrong_keys
    wrong_keys.check(call.source)
    try:
        call.services.door.check(token)
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
        told_members=("subscription_plan",),
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
    *KEY_ROUTES,
    *CREDENTIAL_ROUTES,
)

"""Onboarding: who has no key yet asks for a tenant of its own, and is shown its first key this once."""

from typing import Any

from common.client import Problem
from common.console.sessions import Role, Session
from common.console.visits import Answered, Page, PageRoute, Visit

PATH = "/console/onboard"
PLANS = ("STARTER", "PROFESSIONAL", "SCALE")
ASKED = ("tenant_id", "company_name", "admin_email", "subscription_plan")


def ask_for_tenant(visit: Visit) -> Answered:
    """Ask who wants to be a tenant, and on which plan."""
    return _form(visit)


def onboard(visit: Visit) -> Answered:
    """Make a tenant and sign it in, or check whether that could be; what is refused stays in the form."""
    asked = {name: visit.form.get(name, "").strip() for name in ASKED}
    token = visit.form.get("token", "").strip()
    try:
        if visit.form.get("what") == "check":
            return _form(visit, checked=visit.client.tenant.check_onboarding(asked, token))
        onboarded = visit.client.tenant.onboard(asked, token)
    except Problem as problem:
        if problem.status >= 500:
            raise
        return _form(visit, problem=problem)
    return Page(
        template="welcome.html",
        values={"onboarded": onboarded},
        begins=Session.of_key(onboarded["api_key"]),
    )


def _form(visit: Visit, **told: Any) -> Page:
    problem = told.get("problem")
    values = {
        "given": {name: visit.form.get(name, "") for name in ASKED},
        "plans": PLANS,
        "problem": None,
        "checked": None,
        **told,
    }
    return Page(template="onboard.html", values=values, status=problem.status if problem else 200)


ROUTES = (
    PageRoute(path=PATH, visit=ask_for_tenant, role=Role.NOBODY),
    PageRoute(path=PATH, visit=onboard, method="POST", role=Role.NOBODY),
)

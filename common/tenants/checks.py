"""What an onboarding request must fulfil, each rule as a check with a name, a verdict and its reason."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from common.errors import Fault, InvalidInput
from common.tenants.identifiers import form_fault, reservation_fault
from common.tenants.plans import DEFAULT_PLAN, Plan, find_plan, plans

LONGEST_COMPANY_NAME = 200
_EMAIL = re.compile(
    r"(?=.{3,254}\Z)(?=[^@]{1,64}@)"
    r"[A-Za-z0-9_%+-]+(?:\.[A-Za-z0-9_%+-]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnboardingRequest:
    """What a tenant says of itself."""

    tenant_id: str
    company_name: str
    admin_email: str
    subscription_plan: str = DEFAULT_PLAN


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A rule, applied: `message` says what holds or what the rule asks for, `details` what was looked at."""

    name: str
    passed: bool
    message: str
    details: str = ""


# Where in the request each check looks.
_POINTERS: Mapping[str, str] = {
    "tenant_id_format": "/tenant_id",
    "tenant_id_reserved": "/tenant_id",
    "company_name": "/company_name",
    "email_format": "/admin_email",
    "subscription_plan": "/subscription_plan",
}


def request_checks(request: OnboardingRequest, central_dataset: str) -> list[Check]:
    """Check all that can be said of a request without asking anybody."""
    form = form_fault(request.tenant_id)
    reservation = reservation_fault(request.tenant_id, central_dataset)
    return [
        _check("tenant_id_format", form, "the tenant ID is well-formed", request.tenant_id),
        _check("tenant_id_reserved", reservation, "the tenant ID is not reserved", request.tenant_id),
        _check("company_name", _company_name_fault(request.company_name), "the company name can be kept"),
        _check("email_format", _email_fault(request.admin_email), "the e-mail address is well-formed"),
        _check("subscription_plan", _plan_fault(request.subscription_plan), "there is such a plan"),
    ]


def checked_plan(request: OnboardingRequest, central_dataset: str) -> Plan:
    """Return the plan of a request that fulfils all rules; InvalidInput, with all faults, otherwise."""
    failed = [check for check in request_checks(request, central_dataset) if not check.passed]
    plan = find_plan(request.subscription_plan)
    if failed or plan is None:
        raise InvalidInput([Fault(_POINTERS[check.name], check.message) for check in failed])
    return plan


def _check(name: str, fault: str | None, praise: str, details: str = "") -> Check:
    return Check(name=name, passed=fault is None, message=fault or praise, details=details)


def _company_name_fault(name: str) -> str | None:
    if name.strip() and len(name) <= LONGEST_COMPANY_NAME and name.isprintable():
        return None
    return f"must be 1 to {LONGEST_COMPANY_NAME} printable characters"


def _email_fault(address: str) -> str | None:
    return None if _EMAIL.fullmatch(address) else "must be an e-mail address, such as admin@example.com"


def _plan_fault(name: str) -> str | None:
    return None if find_plan(name) else f"must be one of {', '.join(plans())}"

"""What an onboarding must fulfil, each rule as a check with a name, verdict and reason; and its dry run.

Tenant IDs are names that are safe as a dataset, a label and a part of a job ID, and hard to confuse. A dry
run makes nothing, and tells nothing that onboarding would not tell.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from common.errors import InvalidInput, NoSuchResource, NotConfigured, Unavailable, Violation
from common.setup.tables import central_tables
from common.tenants.ports import CentralCatalog, TenantDatasets
from common.tenants.tenant import DEFAULT_PLAN, Plan, find_plan, plans
from common.times import Clock

RESERVED_FILE = Path(__file__).parent / "reserved.json"
_ALIKE = (("_", ""), ("0", "o"), ("1", "l"), ("i", "l"), ("5", "s"), ("rn", "m"), ("vv", "w"))
_FORM = re.compile(r"[a-z][a-z0-9_]{2,49}")


def form_violation(tenant_id: str) -> str | None:
    """Return the rule of form that a tenant ID breaks, None where it breaks none.

    Lower case alone: BigQuery tells `Acme` from `acme`, people do not.
    """
    if _FORM.fullmatch(tenant_id):
        return None
    if _FORM.fullmatch(tenant_id.lower()):
        return f"must be in lower case: {tenant_id.lower()}"
    return "must be 3 to 50 lower-case letters, digits and underscores, a letter first"


def reservation_violation(tenant_id: str, central_dataset: str) -> str | None:
    """Return why a well-formed tenant ID is kept from tenants, None where it is not.

    A dataset named like a word of SQL would need backticks wherever the tenant names a table of its own.
    Copies of the central dataset have names that begin like its own, and people look for them there.
    """
    if tenant_id in _reserved()["sql_keywords"]:
        return "is a reserved word of SQL"
    names = {*_reserved()["platform"], central_dataset.lower()}
    prefixes = (*_reserved()["platform_prefixes"], central_dataset.lower())
    if tenant_id in names or tenant_id.startswith(prefixes):
        return "is reserved for the platform"
    if _looks(tenant_id) in map(_looks, names):
        return "looks like a name that is reserved for the platform"
    return None


def looks_taken(tenant_id: str, names: Iterable[str]) -> bool:
    """Tell whether people could take a tenant ID for one of these other names: `acrne` for `acme`."""
    look = _looks(tenant_id)
    return any(_looks(name.lower()) == look for name in names if name != tenant_id)


def _looks(name: str) -> str:
    """Write a name as people read it at a glance: `ten_ant5` is `tenants` to them."""
    for written, read in _ALIKE:
        name = name.replace(written, read)
    return name


@cache
def _reserved() -> Mapping[str, frozenset[str]]:
    lists = json.loads(RESERVED_FILE.read_text(encoding="utf-8"))
    return {kind: frozenset(names) for kind, names in lists.items()}


MAX_COMPANY_NAME = 200
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
    form = form_violation(request.tenant_id)
    reservation = reservation_violation(request.tenant_id, central_dataset)
    return [
        _check("tenant_id_format", form, "the tenant ID is well-formed", request.tenant_id),
        _check("tenant_id_reserved", reservation, "the tenant ID is not reserved", request.tenant_id),
        _check("company_name", _company_name_violation(request.company_name), "the company name can be kept"),
        _check("email_format", _email_violation(request.admin_email), "the e-mail address is well-formed"),
        _check("subscription_plan", _plan_violation(request.subscription_plan), "there is such a plan"),
    ]


def checked_plan(request: OnboardingRequest, central_dataset: str) -> Plan:
    """Return the plan of a request that fulfils all rules; InvalidInput, with all violations, otherwise."""
    failed = [check for check in request_checks(request, central_dataset) if not check.passed]
    plan = find_plan(request.subscription_plan)
    if failed or plan is None:
        raise InvalidInput([Violation(_POINTERS[check.name], check.message) for check in failed])
    return plan


def _check(name: str, violation: str | None, praise: str, details: str = "") -> Check:
    return Check(name=name, passed=violation is None, message=violation or praise, details=details)


def _company_name_violation(name: str) -> str | None:
    if name.strip() and len(name) <= MAX_COMPANY_NAME and name.isprintable():
        return None
    return f"must be 1 to {MAX_COMPANY_NAME} printable characters"


def _email_violation(address: str) -> str | None:
    return None if _EMAIL.fullmatch(address) else "must be an e-mail address, such as admin@example.com"


def _plan_violation(name: str) -> str | None:
    return None if find_plan(name) else f"must be one of {', '.join(plans())}"


NOT_SET_UP = "the platform is not set up yet: its operator has to call POST /admin/bootstrap"


def missing_tables(catalog: CentralCatalog) -> list[str]:
    """List the central tables that are not there yet."""
    try:
        existing = catalog.table_names()
    except NoSuchResource:
        existing = ()
    return [table.name for table in central_tables() if table.name not in existing]


def require_tables(catalog: CentralCatalog) -> None:
    """Raise NotConfigured where a central table is missing."""
    if missing_tables(catalog):
        raise NotConfigured(NOT_SET_UP)


_UNKNOWN = "could not be checked: BigQuery does not answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRunReport:
    """The verdicts on one request, at one moment."""

    request: OnboardingRequest
    checks: tuple[Check, ...]
    checked_at: datetime

    @property
    def is_ready(self) -> bool:
        """Tell whether an onboarding would go through now."""
        return all(check.passed for check in self.checks)

    @property
    def failed(self) -> int:
        """Count the checks that failed."""
        return sum(not check.passed for check in self.checks)


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """Checks requests. It reads metadata only, which bills nothing."""

    datasets: TenantDatasets
    catalog: CentralCatalog
    clock: Clock
    central_dataset: str

    def check(self, request: OnboardingRequest) -> DryRunReport:
        """Apply all checks."""
        checks = request_checks(request, self.central_dataset)
        is_well_formed = all(check.passed for check in checks if check.name.startswith("tenant_id"))
        return DryRunReport(
            request=request,
            checks=(*checks, *self._platform_checks(), self._existence(request.tenant_id, is_well_formed)),
            checked_at=self.clock(),
        )

    def _platform_checks(self) -> tuple[Check, Check]:
        try:
            missing = missing_tables(self.catalog)
        except Unavailable:
            return (
                Check(name="bigquery_connectivity", passed=False, message="BigQuery does not answer"),
                Check(name="central_tables", passed=False, message=_UNKNOWN),
            )
        return (
            Check(name="bigquery_connectivity", passed=True, message="BigQuery answers"),
            Check(
                name="central_tables",
                passed=not missing,
                message="the platform is not set up yet" if missing else "the central tables are in place",
            ),
        )

    def _existence(self, tenant_id: str, is_well_formed: bool) -> Check:
        if not is_well_formed:
            return _existence(False, "not looked up: the tenant ID breaks rules")
        try:
            is_taken = self.datasets.find(tenant_id) is not None
            is_confusable = looks_taken(tenant_id, self.datasets.names())
        except Unavailable:
            return _existence(False, _UNKNOWN)
        if is_confusable:
            return _existence(False, "the tenant ID looks like another one that is taken")
        return _existence(not is_taken, "the tenant ID is taken" if is_taken else "the tenant ID is free")


def _existence(passed: bool, message: str) -> Check:
    return Check(name="tenant_existence", passed=passed, message=message)

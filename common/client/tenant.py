"""The tenant itself: its onboarding, its plan's limits and the use of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict, cast

from common.client.api import Api
from common.client.calls import Call, Content

TENANTS = "/api/v1/tenants"


class QuotaUse(TypedDict):
    """One limit of the plan and the use of it."""

    used: int
    limit: int
    remaining: int
    percent: float
    resets_at: str


class Quota(TypedDict):
    """The three limits of the tenant's plan and the use of them; budgets, and what is spent of them."""

    tenant_id: str
    plan_name: str
    daily: QuotaUse
    monthly: QuotaUse
    concurrent: QuotaUse
    budgets: list[Mapping[str, Any]]
    spending: Mapping[str, Any]
    spending_by_pipeline: list[Mapping[str, Any]]
    price: Mapping[str, Any]


class Onboarded(TypedDict):
    """A new tenant, and its first key: nothing but this answer ever shows it."""

    tenant_id: str
    api_key: str
    subscription_plan: str
    dataset_created: bool
    tables_created: list[str]
    dryrun_status: str
    message: str
    links: Mapping[str, str]


class OnboardingCheck(TypedDict):
    """One check of an onboarding."""

    check_name: str
    passed: bool
    message: str
    details: str | None
    timestamp: str


class OnboardingDryRun(TypedDict):
    """Whether an onboarding would go through now, check by check."""

    status: str
    tenant_id: str
    subscription_plan: str
    company_name: str
    admin_email: str
    validation_summary: Mapping[str, Any]
    validation_results: list[OnboardingCheck]
    message: str
    ready_for_onboarding: bool


class UsageRow(TypedDict):
    """What some runs and jobs came to; None in a key: rows are not told apart by it."""

    tenant_id: str | None
    day: str | None
    pipeline_id: str | None
    step_id: str | None
    runs: int
    failures: int
    jobs: int
    jobs_of_unknown_bytes: int
    bytes_processed: int
    bytes_billed: int
    own_project_bytes_billed: int
    cost: float | None


class Price(TypedDict):
    """The on-demand price by which costs are worked out."""

    location: str
    per_tebibyte: float | None
    currency: str
    source: str
    as_of: str


class Budget(TypedDict):
    """What runs may be billed for; None is no limit."""

    max_bytes_per_run: int | None
    max_bytes_per_month: int | None
    max_cost_per_month: float | None


Usage = TypedDict(
    "Usage",
    {
        "from": str,
        "to": str,
        "by": list[str],
        "price": Price,
        "rows": list[UsageRow],
        "total": UsageRow,
    },
)
"""What runs and jobs came to in a span of days, and what they cost."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """The tenant whose key the client has."""

    api: Api

    def quota(self) -> Quota:
        """Show the plan's limits and the use of them."""
        return cast("Quota", self.api.get(f"{TENANTS}/quota"))

    def set_budget(self, budget: Mapping[str, Any]) -> Budget:
        """Set what all runs may be billed for; what is left out is no limit."""
        call = Call(method="PUT", path=f"{TENANTS}/budget", content=Content.json(budget))
        return cast("Budget", self.api.send(call).body["budget"])

    def usage(self, **asked: Any) -> Usage:
        """Show what runs used and what it cost: `from`, `to`, `by`, `pipeline_id`."""
        return cast("Usage", self.api.get(f"{TENANTS}/usage", **asked))

    def onboard(self, request: Mapping[str, Any], token: str = "") -> Onboarded:
        """Make a tenant. An answer that is lost takes the key with it, so nothing is sent twice."""
        return cast("Onboarded", self._ask("onboard", request, token, is_repeatable=False))

    def check_onboarding(self, request: Mapping[str, Any], token: str = "") -> OnboardingDryRun:
        """Check whether an onboarding would go through."""
        return cast("OnboardingDryRun", self._ask("dryrun", request, token, is_repeatable=True))

    def _ask(self, what: str, request: Mapping[str, Any], token: str, *, is_repeatable: bool) -> Any:
        call = Call(
            method="POST",
            path=f"{TENANTS}/{what}",
            content=Content.json(request),
            headers={"X-Onboarding-Token": token} if token else {},
            is_repeatable=is_repeatable,
        )
        return self.api.send(call).body

"""A tenant as its latest rows tell it, and the plans, whose numbers are in `plans.json` alone."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from pathlib import Path

from common.costs.budgets import NO_BUDGET, Budget, budget_of
from common.pipelines.grants import TenantSqlGrants

PLANS_FILE = Path(__file__).parent / "plans.json"
DEFAULT_PLAN = "STARTER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a subscription grants: runs per UTC day, per UTC month and at once, people, and bytes."""

    name: str
    daily_limit: int
    monthly_limit: int
    concurrent_limit: int
    max_team_members: int
    budget: Budget = NO_BUDGET
    """What all runs of a tenant may be billed for; it holds as it is in the file, whenever it was granted."""


@cache
def plans() -> Mapping[str, Plan]:
    """Read all plans, by name, the smallest first."""
    entries = json.loads(PLANS_FILE.read_text(encoding="utf-8"))
    return {
        name: Plan(name=name, **limits | {"budget": budget_of(limits.get("budget"))})
        for name, limits in entries.items()
    }


def find_plan(name: str) -> Plan | None:
    """Return the plan of that name, in whatever case it is written; None where there is none."""
    return plans().get(name.upper())


class TenantStatus(StrEnum):
    """State of a tenant; only an ACTIVE one may call."""

    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    DELETED = "DELETED"


class Isolation(StrEnum):
    """Whose account runs a tenant's SQL: one that tenants share, or its own."""

    SHARED = "shared"
    DEDICATED = "dedicated"


class SubscriptionStatus(StrEnum):
    """State of a subscription."""

    ACTIVE = "ACTIVE"
    TRIAL = "TRIAL"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Who a tenant is."""

    tenant_id: str
    company_name: str
    admin_email: str
    tenant_dataset_id: str
    status: TenantStatus
    created_at: datetime
    isolation: str | None = None
    sources: tuple[str, ...] = ()
    budget: Budget = NO_BUDGET
    """What the tenant itself has set for all of its runs."""
    operator_budget: Budget = NO_BUDGET
    """What the operator has set for them."""
    recorded_at: datetime | None = None
    """When the row was appended that says so, None for one that is yet to be."""

    @property
    def grants(self) -> TenantSqlGrants:
        """What the operator has set for the tenant's SQL."""
        return TenantSqlGrants(
            sources=frozenset(self.sources), is_isolated=self.isolation == Isolation.DEDICATED
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """What a tenant subscribed to, with the limits that it was granted."""

    subscription_id: str
    tenant_id: str
    plan_name: str
    status: SubscriptionStatus
    daily_limit: int
    monthly_limit: int
    concurrent_limit: int
    created_at: datetime
    max_team_members: int | None = None
    trial_end_date: date | None = None
    subscription_end_date: date | None = None


def why_ended(status: str, trial_end: date | None, subscription_end: date | None, today: date) -> str:
    """Say why nothing runs on a subscription any more, "" where it goes on; its last day is its own (UTC)."""
    if status in {SubscriptionStatus.EXPIRED, SubscriptionStatus.CANCELLED}:
        reason = f"the tenant's subscription is {status}"
    elif status == SubscriptionStatus.TRIAL and trial_end and today > trial_end:
        reason = f"the tenant's trial ended with {trial_end.isoformat()}"
    elif subscription_end and today > subscription_end:
        reason = f"the tenant's subscription ended with {subscription_end.isoformat()}"
    else:
        return ""
    return f"{reason}: it cannot run pipelines until the operator of the platform gives it a plan"

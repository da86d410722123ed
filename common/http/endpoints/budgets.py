"""Budgets for all runs of a tenant: set by itself, or by the operator for it; and what is spent of them."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from common.costs.budgets import Budget, Spending, budget_of
from common.costs.prices import Price
from common.errors import BudgetExceeded, Conflict, NotFound, QuotaExceeded
from common.http.endpoints.usage import as_number, price_body
from common.http.routing import Access, Answer, Call, Route
from common.http.services import AdminServices, TenantServices
from common.runs.run_queries import Allowed

BUDGET_MEMBERS = tuple(field.name for field in fields(Budget))
NO_ROOM = (QuotaExceeded, BudgetExceeded)
"""What a request for a run is refused by that the plan or a budget leaves no room for."""


def set_own_budget(call: Call[TenantServices]) -> Answer:
    """Set what all of your runs may be billed for.

    It takes the place of the one that you have set before, and holds from the next admission on, beside those
    of pipelines, of the operator and of the plan: the narrowest counts. What is left out is no limit.
    """
    tenant_id = call.caller.tenant_id
    profile = call.services.budgets.set_own(tenant_id, budget_of(call.body))
    return Answer(body={"tenant_id": tenant_id, "budget": asdict(profile.budget)})


def set_tenants_budget(call: Call[AdminServices]) -> Answer:
    """Set what all runs of a tenant may be billed for.

    It takes the place of the operator's budget of before, and holds from the next admission on, beside the
    tenant's own: the narrowest counts. What is left out is no limit.
    """
    tenant_id = call.path["tenant_id"]
    profile = call.services.budgets.set_operators(tenant_id, budget_of(call.body))
    return Answer(body={"tenant_id": tenant_id, "budget": asdict(profile.operator_budget)})


def spending_body(allowed: Allowed, price: Price) -> dict[str, Any]:
    """Describe the budgets that hold for all runs of a tenant, and what is spent of them this month."""
    by_pipeline = sorted(allowed.spending.items())
    return {
        "budgets": [
            {"scope": owner.value, "budget": asdict(budget)} for owner, budget in allowed.budgets.items()
        ],
        "spending": _spending(None, sum(allowed.spending.values(), Spending()), price),
        "spending_by_pipeline": [_spending(config_id, spent, price) for config_id, spent in by_pipeline],
        "price": price_body(price),
    }


def _spending(pipeline_id: str | None, spent: Spending, price: Price) -> Mapping[str, Any]:
    return {
        "pipeline_id": pipeline_id,
        "used": spent.billed,
        "held": spent.held,
        "cost_used": as_number(price.cost(spent.billed)),
        "cost_held": as_number(price.cost(spent.held)),
        "runs_without_limit": spent.boundless,
        "runs_of_unknown_bytes": spent.unknown,
    }


TENANT_BUDGET_ROUTES: tuple[Route[TenantServices], ...] = (
    Route(
        method="PUT",
        path="/api/v1/tenants/budget",
        endpoint=set_own_budget,
        access=Access.MANAGE,
        request_schema="budget_request",
        answers={200: "tenant_budget"},
        problems=(NotFound, Conflict),
        tag="Tenants",
        is_audited=True,
        audited_members=BUDGET_MEMBERS,
    ),
)

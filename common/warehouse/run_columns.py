"""What rows say of a run or its config without a column of their own, or in several."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from common.costs.budgets import NO_BUDGET, Budget, Owner, budget_of
from common.pipelines.codec import to_json
from common.pipelines.grants import TenantSqlGrants
from common.pipelines.intervals import Interval
from common.pipelines.pipeline import DEFAULT_PRIORITY, SealedValue
from common.tenants.tenant import Isolation, find_plan
from common.times import from_rfc3339, to_rfc3339
from common.warehouse.bigquery import Row


def budget_text(budget: Budget) -> str | None:
    """Write a budget, None where it limits nothing."""
    return None if budget == NO_BUDGET else json.dumps(to_json(budget))


def budget_in(text: str | None) -> Budget:
    """Read a budget."""
    return budget_of(json.loads(text)) if text else NO_BUDGET


def budgets_of(row: Row) -> dict[Owner, Budget]:
    """Read the budgets that hold for all runs of a tenant, its plan's among them."""
    plan = find_plan(row["plan_name"] or "")
    found = {
        Owner.TENANT: budget_in(row["budget"]),
        Owner.OPERATOR: budget_in(row["operator_budget"]),
        Owner.PLAN: plan.budget if plan else NO_BUDGET,
    }
    return {owner: budget for owner, budget in found.items() if budget != NO_BUDGET}


def interval_columns(interval: Interval | None) -> dict[str, str | None]:
    """Write an interval."""
    return {
        "interval_start": to_rfc3339(interval.start) if interval else None,
        "interval_end": to_rfc3339(interval.end) if interval else None,
    }


def interval_of(metadata: Mapping[str, Any]) -> Interval | None:
    """Read an interval, None in rows of before."""
    start, end = metadata.get("interval_start"), metadata.get("interval_end")
    return Interval(start=from_rfc3339(start), end=from_rfc3339(end)) if start and end else None


def sealed_parts(values: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return what `run_metadata.sealed_parameters` holds of a run's values."""
    return {name: asdict(value) for name, value in values.items() if isinstance(value, SealedValue)}


def with_sealed_parts(values: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Put the sealed values back where their masks are."""
    sealed = metadata.get("sealed_parameters") or {}
    return {**values, **{name: SealedValue(**part) for name, part in sealed.items()}}


def sealed_names(text: str | None) -> frozenset[str]:
    """Read the names out of `run_metadata.sealed_parameters`, as BigQuery writes it."""
    return frozenset(json.loads(text or "null") or ())


def priority_of(row: Row) -> int:
    """Read the priority that a config gives its runs; versions of before there were any have none."""
    return DEFAULT_PRIORITY if row["priority"] is None else int(row["priority"])


def grants_of(row: Row) -> TenantSqlGrants:
    """Read what the operator has set for the tenant's SQL."""
    return TenantSqlGrants(
        sources=frozenset(row["sources"] or ()), is_isolated=row["isolation"] == Isolation.DEDICATED
    )

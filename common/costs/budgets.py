"""Budgets: what runs may be billed for, and what each run holds of that from its admission on.

A run holds what it may be billed for at the most. Once it has ended, what it was billed for counts in its
place; where nobody knows that, what it held. So the sum of both is never less than what is billed in the end.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from common.costs.prices import LEAST_BILLED_BYTES, Price
from common.errors import BudgetExceeded, Conflict
from common.times import next_month

HELD_RETRY = timedelta(minutes=1)
"""What runs under way hold comes free as soon as one ends: when it is worth asking again."""


class Owner(StrEnum):
    """Whose budget it is: a pipeline file's, the tenant's own, the operator's for the tenant, a plan's."""

    PIPELINE = "pipeline"
    TENANT = "tenant"
    OPERATOR = "operator"
    PLAN = "plan"


_WHOSE = {
    Owner.PIPELINE: "the pipeline",
    Owner.TENANT: "the tenant",
    Owner.OPERATOR: "the operator of the platform for this tenant",
    Owner.PLAN: "your plan",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What runs may be billed for; None is no limit. The cost is in the currency of the price."""

    max_bytes_per_run: int | None = None
    max_bytes_per_month: int | None = None
    max_cost_per_month: float | None = None


NO_BUDGET = Budget()


def budget_of(document: Mapping[str, Any] | None) -> Budget:
    """Read a budget that keeps the rules of its schema."""
    given = document or {}
    cost = given.get("max_cost_per_month")
    return Budget(
        max_bytes_per_run=_whole(given.get("max_bytes_per_run")),
        max_bytes_per_month=_whole(given.get("max_bytes_per_month")),
        max_cost_per_month=None if cost is None else float(cost),
    )


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """What runs that were admitted in a UTC month come to, in bytes.

    `billed` is of runs that have ended, `held` of those under way. `boundless` runs are under way and hold
    nothing: nobody can tell what they will be billed for. Of `unknown` ones, which have ended and held
    nothing, nobody knows what they were billed for: they are in no sum.
    """

    billed: int = 0
    held: int = 0
    boundless: int = 0
    unknown: int = 0

    def __add__(self, other: "Spending") -> "Spending":
        sums = {one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)}
        return Spending(**sums)


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthLimit:
    """One limit of a month in bytes, and what is spent of it; `cost` where it was given as a sum of money."""

    name: str
    owner: Owner
    limit: int
    spending: Spending
    cost: Decimal | None = None
    currency: str = ""

    @property
    def left(self) -> int:
        """What is neither billed nor held."""
        return max(0, self.limit - self.spending.billed - self.spending.held)

    def hold(self, wanted: int | None, now: datetime) -> int:
        """Return what a run is to hold that may be billed for `wanted` bytes, None: for all there are.

        A run gets less than it wants where it is the only one: then no waiting gets it more. It gets no less
        than a query is billed for that reads anything at all. Raises BudgetExceeded.
        """
        spent = self.spending
        is_alone = not spent.held and not spent.boundless
        if is_alone and self.left >= LEAST_BILLED_BYTES:
            return self.left if wanted is None else min(wanted, self.left)
        if not spent.boundless and wanted is not None and self.left >= wanted:
            return wanted
        is_used_up = self.limit - spent.billed < LEAST_BILLED_BYTES
        raise BudgetExceeded(
            limit_name=self.name,
            scope=self.owner.value,
            whose=_WHOSE[self.owner],
            used=spent.billed,
            held=spent.held,
            limit=self.limit,
            worth=f" ({self.cost} {self.currency})" if self.cost is not None else "",
            is_held=not is_used_up and not is_alone,
            resets_at=next_month(now) if is_used_up or is_alone else now + HELD_RETRY,
            now=now,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetUse:
    """A budget, and what the runs come to that it is for."""

    owner: Owner
    budget: Budget
    spending: Spending

    def limits(self, price: Price | None) -> Iterator[MonthLimit]:
        """List the limits of a month; Conflict where there is one of cost, and no price to measure it by."""
        budget = self.budget
        if budget.max_bytes_per_month is not None:
            yield MonthLimit(
                name="max_bytes_per_month",
                owner=self.owner,
                limit=budget.max_bytes_per_month,
                spending=self.spending,
            )
        if budget.max_cost_per_month is not None:
            cost = Decimal(str(budget.max_cost_per_month))
            affordable = price.affordable(cost) if price else None
            if price is None or affordable is None:
                where = f" in {price.location}" if price else ""
                raise Conflict(
                    f"max_cost_per_month of {_WHOSE[self.owner]} cannot be kept: what a query costs{where} "
                    "is not known; give max_bytes_per_month"
                )
            yield MonthLimit(
                name="max_cost_per_month",
                owner=self.owner,
                limit=affordable,
                spending=self.spending,
                cost=cost,
                currency=price.currency,
            )


def hold_of(uses: Sequence[BudgetUse], price: Price | None, now: datetime) -> int | None:
    """Return what a run holds of all budgets that it is in, None where nothing bounds it; BudgetExceeded."""
    caps = [cap for use in uses if (cap := use.budget.max_bytes_per_run) is not None]
    wanted = min(caps, default=None)
    holds = [limit.hold(wanted, now) for use in uses for limit in use.limits(price)]
    return min([*caps, *holds], default=None)

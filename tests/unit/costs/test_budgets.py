"""A run holds what it may be billed for, and no sum of holds and bills passes a budget."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from common.costs.budgets import NO_BUDGET, Budget, BudgetUse, Owner, Spending, budget_of, hold_of
from common.costs.prices import LEAST_BILLED_BYTES, TEBIBYTE, Price
from common.errors import BudgetExceeded, Conflict

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
GIB = 2**30
NOTHING = Spending()
PRICE = Price(location="US", per_tebibyte=Decimal("6.25"), currency="USD", source="-", as_of=date(2026, 3, 1))


def hold(budget: Budget, spending: Spending = NOTHING, price: Price | None = PRICE) -> int | None:
    return hold_of([BudgetUse(owner=Owner.PIPELINE, budget=budget, spending=spending)], price, NOW)


def refusal(budget: Budget, spending: Spending) -> BudgetExceeded:
    with pytest.raises(BudgetExceeded) as refused:
        hold(budget, spending)
    return refused.value


def test_without_a_budget_a_run_holds_nothing() -> None:
    assert hold(NO_BUDGET, Spending(billed=10**18, boundless=3)) is None


def test_a_run_holds_the_most_that_it_may_be_billed_for() -> None:
    assert hold(Budget(max_bytes_per_run=GIB)) == GIB
    assert hold(Budget(max_bytes_per_run=GIB, max_bytes_per_month=10 * GIB)) == GIB


def test_a_run_that_nothing_bounds_holds_all_that_is_left_of_the_month() -> None:
    assert hold(Budget(max_bytes_per_month=10 * GIB), Spending(billed=4 * GIB)) == 6 * GIB


def test_a_run_that_is_alone_gets_what_is_left_where_that_is_less_than_it_may_be_billed_for() -> None:
    assert hold(
        Budget(max_bytes_per_run=5 * GIB, max_bytes_per_month=10 * GIB), Spending(billed=8 * GIB)
    ) == (2 * GIB)


def test_a_month_that_is_used_up_is_refused_until_the_next_with_its_numbers() -> None:
    error = refusal(Budget(max_bytes_per_month=10 * GIB), Spending(billed=10 * GIB))
    assert (error.limit_name, error.scope) == ("max_bytes_per_month", "pipeline")
    assert (error.used, error.held, error.limit) == (10 * GIB, 0, 10 * GIB)
    assert (error.is_held, error.resets_at) == (False, datetime(2026, 4, 1, tzinfo=UTC))
    assert "of 10,737,418,240 bytes 10,737,418,240 are billed this month" in str(error)


def test_less_than_any_query_is_billed_for_is_nothing_left() -> None:
    budget = Budget(max_bytes_per_month=10 * GIB)
    assert hold(budget, Spending(billed=10 * GIB - LEAST_BILLED_BYTES)) == LEAST_BILLED_BYTES
    assert not refusal(budget, Spending(billed=10 * GIB - LEAST_BILLED_BYTES + 1)).is_held


def test_what_others_hold_is_not_given_away_and_comes_free_soon() -> None:
    budget = Budget(max_bytes_per_run=4 * GIB, max_bytes_per_month=10 * GIB)
    assert hold(budget, Spending(held=6 * GIB)) == 4 * GIB
    error = refusal(budget, Spending(held=6 * GIB + 1))
    assert (error.is_held, error.held, error.retry_after_seconds) == (True, 6 * GIB + 1, 60)


def test_a_run_that_nothing_bounds_waits_for_those_under_way() -> None:
    assert refusal(Budget(max_bytes_per_month=10 * GIB), Spending(held=1)).is_held


def test_a_run_of_unknown_bytes_under_way_counts_as_all_there_is() -> None:
    budget = Budget(max_bytes_per_run=GIB, max_bytes_per_month=10 * GIB)
    assert refusal(budget, Spending(boundless=1)).is_held


def test_nothing_is_held_of_a_month_that_is_used_up_by_bills_alone() -> None:
    assert not refusal(Budget(max_bytes_per_month=GIB), Spending(billed=GIB, held=GIB)).is_held


def test_the_narrowest_of_several_budgets_counts() -> None:
    uses = [
        BudgetUse(
            owner=Owner.PIPELINE, budget=Budget(max_bytes_per_run=3 * GIB), spending=Spending(billed=GIB)
        ),
        BudgetUse(
            owner=Owner.TENANT,
            budget=Budget(max_bytes_per_run=5 * GIB, max_bytes_per_month=4 * GIB),
            spending=Spending(billed=2 * GIB),
        ),
        BudgetUse(
            owner=Owner.PLAN, budget=Budget(max_bytes_per_month=100 * GIB), spending=Spending(billed=2 * GIB)
        ),
    ]
    assert hold_of(uses, PRICE, NOW) == 2 * GIB


def test_a_cost_is_measured_by_the_price_of_the_location() -> None:
    assert hold(Budget(max_cost_per_month=6.25)) == TEBIBYTE
    error = refusal(Budget(max_cost_per_month=6.25), Spending(billed=TEBIBYTE))
    assert (error.limit_name, error.limit) == ("max_cost_per_month", TEBIBYTE)
    assert "of 1,099,511,627,776 bytes (6.25 USD)" in str(error)


@pytest.mark.parametrize("price", [None, replace(PRICE, per_tebibyte=None)])
def test_an_unknown_price_is_said_and_never_taken_for_nought(price: Price | None) -> None:
    with pytest.raises(Conflict, match=r"what a query costs.* is not known; give max_bytes_per_month"):
        hold(Budget(max_cost_per_month=6.25), price=price)


def test_a_budget_is_read_as_a_file_has_it() -> None:
    assert budget_of({"max_bytes_per_run": 1e9, "max_cost_per_month": 3}) == Budget(
        max_bytes_per_run=10**9, max_cost_per_month=3.0
    )
    assert budget_of(None) == budget_of({}) == NO_BUDGET

"""What a run holds of budgets, by the same rows and tickets as the limits of runs."""

from datetime import datetime

from common.claims import as_label
from common.costs.budgets import BudgetUse, Owner, Spending, hold_of
from common.costs.prices import Price
from common.runs.tickets import Applicant, Ledger, Ticket, spending_of
from common.times import start_of_month


def spending_now(ledger: Ledger, rowless: list[Ticket], now: datetime) -> dict[str, Spending]:
    """Return what a tenant's runs of this month come to, by config; of tickets without rows, by its label."""
    found = dict(ledger.spending)
    for one in _counted(rowless, now):
        found[one.config_id] = found.get(one.config_id, Spending()) + spending_of(one)
    return found


def _counted(rowless: list[Ticket], now: datetime) -> list[Ticket]:
    return [one for one in rowless if one.admitted_at >= start_of_month(now) and not one.is_orphaned(now)]


def hold_for(
    applicant: Applicant, ledger: Ledger, rowless: list[Ticket], price: Price | None, now: datetime
) -> int | None:
    """Return what a run is to hold, None where nothing bounds it.

    Raises BudgetExceeded, and Conflict where a budget of cost cannot be measured.
    """
    counted = _counted(rowless, now)
    config_id, label = applicant.config_id, as_label(applicant.config_id)
    mine = sum(
        (spending_of(one) for one in counted if one.config_id == label),
        ledger.spending.get(config_id, Spending()),
    )
    everyones = sum((spending_of(one) for one in counted), sum(ledger.spending.values(), Spending()))
    uses = [BudgetUse(owner=Owner.PIPELINE, budget=applicant.budget, spending=mine)]
    uses += [
        BudgetUse(owner=owner, budget=budget, spending=everyones) for owner, budget in ledger.budgets.items()
    ]
    return hold_of(uses, price, now)

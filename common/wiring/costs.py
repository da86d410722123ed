"""What tells of costs, on the adapters: the price, what was used, what a run would use."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from common.times import utc_now

if TYPE_CHECKING:
    from common.costs.prices import Price
    from common.costs.usage import Usage
    from common.runs.guarding import PolicyGuard
    from common.runs.quotes import Quotes
    from common.tenants.budgets import TenantBudgets
    from common.wiring.accounts import Accounts
    from common.wiring.adapters import Adapters


class Costs:
    """Each property is made when it is first asked for, and kept for the life of the instance."""

    def __init__(self, adapters: Adapters, accounts: Accounts, guard: PolicyGuard) -> None:
        self.adapters = adapters
        self.accounts = accounts
        self.guard = guard

    @cached_property
    def price(self) -> Price:
        from common.costs.prices import price_of

        return price_of(self.adapters.settings.location)

    @cached_property
    def usage(self) -> Usage:
        from common.costs.usage import Usage

        return Usage(reader=self.adapters.usage_rows, price=self.price, clock=utc_now)

    @cached_property
    def budgets(self) -> TenantBudgets:
        from common.tenants.budgets import TenantBudgets

        return TenantBudgets(records=self.adapters.tenant_records, clock=utc_now)

    @cached_property
    def quotes(self) -> Quotes:
        from common.runs.quotes import Quotes

        return Quotes(
            identities=self.accounts.shared_identities,
            guard=self.guard,
            project=self.adapters.settings.project,
            price=self.price,
            learned=self.adapters.usage_rows,
        )

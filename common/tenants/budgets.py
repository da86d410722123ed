"""Budgets for all runs of a tenant: its own, and the operator's for it. A change is a row of the profile."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from common.costs.budgets import Budget
from common.errors import Conflict, NotFound
from common.tenants.changes import TenantRecords
from common.tenants.tenant import Profile, TenantStatus
from common.times import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantBudgets:
    """Sets budgets; they hold from the next admission on. A repeat changes nothing."""

    records: TenantRecords
    clock: Clock

    def set_own(self, tenant_id: str, budget: Budget) -> Profile:
        """Set what a tenant gives itself; NotFound, Conflict (changed at the same time)."""
        return self._set(tenant_id, lambda profile: replace(profile, budget=budget))

    def set_operators(self, tenant_id: str, budget: Budget) -> Profile:
        """Set what the operator gives a tenant; NotFound, Conflict (changed at the same time)."""
        return self._set(tenant_id, lambda profile: replace(profile, operator_budget=budget))

    def _set(self, tenant_id: str, change: Callable[[Profile], Profile]) -> Profile:
        profile = self.records.find_profile(tenant_id)
        if profile is None or profile.status is TenantStatus.DELETED:
            raise NotFound(f"there is no tenant {tenant_id}")
        wanted = change(profile)
        if wanted != profile and not self.records.replace_profile(profile, wanted, recorded_at=self.clock()):
            raise Conflict(f"the tenant {tenant_id} was changed at the same time; look, then try again")
        return wanted

"""A platform in memory that tenants are onboarded to."""

from collections.abc import Callable
from itertools import count

from common.tenants.onboarding import Onboarded, Onboarding
from common.tenants.onboarding_checks import OnboardingRequest
from tests.fakes.clock import VirtualClock
from tests.fakes.jobs import MemoryJobs
from tests.fakes.tenants import MemoryCatalog, MemoryDatasets, MemoryTenants


class OnboardingPlatform:
    """Ports in memory over one clock; `trouble` is called at every point where something can go wrong."""

    def __init__(self) -> None:
        self.trouble: Callable[[str], None] = lambda _point: None
        self.points: list[str] = []
        self.clock = VirtualClock()
        self.jobs = MemoryJobs(self.clock, self._at)
        self.datasets = MemoryDatasets(self.clock, self._at)
        self.tenants = MemoryTenants(self.jobs, self._at)
        self.catalog = MemoryCatalog()
        self._ids = count(1)

    def onboarding(self) -> Onboarding:
        """Put onboarding together, as one process would."""
        return Onboarding(
            datasets=self.datasets,
            store=self.tenants,
            claims=self.jobs,
            catalog=self.catalog,
            clock=self.clock,
            new_id=lambda: f"id-{next(self._ids)}",
            central_dataset="tenants",
        )

    def onboard(self, tenant_id: str = "acme", plan: str = "STARTER") -> Onboarded:
        """Onboard a tenant."""
        return self.onboarding().onboard(
            OnboardingRequest(
                tenant_id=tenant_id, company_name="Acme", admin_email="a@acme.com", subscription_plan=plan
            )
        )

    def _at(self, point: str) -> None:
        self.points.append(point)
        self.trouble(point)

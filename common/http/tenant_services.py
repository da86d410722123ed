"""What the functions of tenants stand on: onboarding, for tenants, and admin, for operators."""

from dataclasses import dataclass
from typing import Protocol

from common.http.calls import Edge
from common.runs.reading import RunLog
from common.schedules.control import DispatcherJob, PlatformWatch
from common.setup.bootstrap import Bootstrap
from common.tenants.administration import Administration
from common.tenants.audit import AuditLog
from common.tenants.changes import TenantChanges
from common.tenants.credentials import Credentials
from common.tenants.dry_run import DryRun
from common.tenants.gates import OnboardingDoor
from common.tenants.offboarding import Offboarding
from common.tenants.onboarding import Onboarding
from common.tenants.onboarding_rates import OnboardingRates
from common.tenants.own_keys import OwnKeys
from common.tenants.tenant import Subscription


class SubscriptionReader(Protocol):
    """Where subscriptions are read."""

    def find_subscription(self, tenant_id: str) -> Subscription | None:
        """Return a tenant's subscription, None where it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantServices:
    """Services of the tenant API of tenants themselves."""

    edge: Edge
    door: OnboardingDoor
    onboarding: Onboarding
    rates: OnboardingRates
    dry_run: DryRun
    subscriptions: SubscriptionReader
    run_log: RunLog
    keys: OwnKeys
    credentials: Credentials


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminServices:
    """Services of the operators' API."""

    edge: Edge
    bootstrap: Bootstrap
    onboarding: Onboarding
    administration: Administration
    changes: TenantChanges
    audit: AuditLog
    offboarding: Offboarding
    scheduler: DispatcherJob
    watch: PlatformWatch

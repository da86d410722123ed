"""Onboarding: a tenant comes to be as a whole, or not at all.

    begin an attempt (the dataset is the lock) ─ view ─ authorize it ─ commit all rows ─ hand out the key

No two tenants have names that people confuse. That is looked up before the attempt, and again once its
dataset stands: of two such requests at once, at least one then sees the other's dataset.

Until the commit nothing of the tenant counts. What an attempt that fails has made, it removes itself; what an
attempt that dies has made, a later request takes over (`onboarding_attempts`).
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from common.claims import ClaimJobs
from common.errors import Conflict, ConvergenceError
from common.setup.views import TENANT_VIEW
from common.tenants.keys import ALL_SCOPES, ApiKey, KeyRecord, mint_key
from common.tenants.onboarding_attempts import AttemptResolver, Turns
from common.tenants.onboarding_checks import OnboardingRequest, checked_plan, looks_taken, require_tables
from common.tenants.ports import CentralCatalog, NewTenant, TenantDatasets, TenantStore
from common.tenants.tenant import Plan, Profile, Subscription, SubscriptionStatus, TenantStatus
from common.times import Clock

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Onboarded:
    """A new tenant, with its key in clear: the only time that anybody sees it."""

    tenant_id: str
    key: ApiKey
    plan: Plan
    dataset_created: bool
    tables_created: tuple[str, ...] = (TENANT_VIEW,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Onboarding:
    """Makes tenants. `new_id` gives IDs that fit in labels: at most 63 of a-z, 0-9 and hyphens."""

    datasets: TenantDatasets
    store: TenantStore
    claims: ClaimJobs
    catalog: CentralCatalog
    clock: Clock
    new_id: Callable[[], str]
    central_dataset: str

    def check(self, request: OnboardingRequest) -> None:
        """Raise InvalidInput, with all violations, where the request breaks rules; asks nobody."""
        checked_plan(request, self.central_dataset)

    def onboard(self, request: OnboardingRequest, *, by: str = "onboarding") -> Onboarded:
        """Make a tenant. InvalidInput, Conflict, NotConfigured, or Unavailable: a repeat is safe after each.

        `by` is who asked, for the record of the key.
        """
        plan = checked_plan(request, self.central_dataset)
        require_tables(self.catalog)
        self._refuse_lookalike(request.tenant_id)
        key = mint_key(request.tenant_id)
        attempt = self._turns.begin(request.tenant_id, self.new_id())
        try:
            self._refuse_lookalike(request.tenant_id)
            self.datasets.admit_executor(request.tenant_id)
            self.datasets.put_view(request.tenant_id)
            self.datasets.authorize_view(request.tenant_id)
            rows = self._rows(request, plan, key, by)
            self.store.commit(rows, job_id=attempt.job_id, labels=attempt.commit_labels)
        except ConvergenceError as error:
            self._resolver.resolve(attempt, error)
        logger.info("tenant onboarded", extra={"tenant": request.tenant_id, "plan": plan.name})
        return Onboarded(tenant_id=request.tenant_id, key=key, plan=plan, dataset_created=attempt.number == 1)

    def _refuse_lookalike(self, tenant_id: str) -> None:
        if looks_taken(tenant_id, self.datasets.names()):
            raise Conflict(f"the name {tenant_id} looks like another one that is taken")

    @property
    def _turns(self) -> Turns:
        return Turns(datasets=self.datasets, store=self.store, claims=self.claims, clock=self.clock)

    @property
    def _resolver(self) -> AttemptResolver:
        return AttemptResolver(datasets=self.datasets, store=self.store, claims=self.claims, clock=self.clock)

    def _rows(self, request: OnboardingRequest, plan: Plan, key: ApiKey, by: str) -> NewTenant:
        now = self.clock()
        return NewTenant(
            profile=Profile(
                tenant_id=request.tenant_id,
                company_name=request.company_name.strip(),
                admin_email=request.admin_email,
                tenant_dataset_id=request.tenant_id,
                status=TenantStatus.ACTIVE,
                created_at=now,
            ),
            key=KeyRecord(
                api_key_id=self.new_id(),
                api_key_hash=key.api_key_hash,
                tenant_id=request.tenant_id,
                key_prefix=key.prefix,
                scopes=ALL_SCOPES,
                is_active=True,
                created_at=now,
                created_by=by,
            ),
            subscription=_subscription(self.new_id(), request.tenant_id, plan, now),
        )


def _subscription(subscription_id: str, tenant_id: str, plan: Plan, now: datetime) -> Subscription:
    return Subscription(
        subscription_id=subscription_id,
        tenant_id=tenant_id,
        plan_name=plan.name,
        status=SubscriptionStatus.ACTIVE,
        daily_limit=plan.daily_limit,
        monthly_limit=plan.monthly_limit,
        concurrent_limit=plan.concurrent_limit,
        max_team_members=plan.max_team_members,
        created_at=now,
    )

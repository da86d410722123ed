"""A tenant as its latest rows tell it: profile, subscription, API keys."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from common.pipelines.confines import Confines
from common.tenants.keys import Scope


class TenantStatus(StrEnum):
    """State of a tenant; only an ACTIVE one may call."""

    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    DELETED = "DELETED"


class Isolation(StrEnum):
    """Whose account runs a tenant's SQL: one that tenants share, or its own."""

    SHARED = "shared"
    DEDICATED = "dedicated"


class SubscriptionStatus(StrEnum):
    """State of a subscription."""

    ACTIVE = "ACTIVE"
    TRIAL = "TRIAL"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Who a tenant is."""

    tenant_id: str
    company_name: str
    admin_email: str
    tenant_dataset_id: str
    status: TenantStatus
    created_at: datetime
    isolation: str | None = None
    sources: tuple[str, ...] = ()
    recorded_at: datetime | None = None
    """When the row was appended that says so, None for one that is yet to be."""

    @property
    def confines(self) -> Confines:
        """What the operator has set for the tenant's SQL."""
        return Confines(sources=frozenset(self.sources), is_isolated=self.isolation == Isolation.DEDICATED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """What a tenant subscribed to, with the limits that it was granted."""

    subscription_id: str
    tenant_id: str
    plan_name: str
    status: SubscriptionStatus
    daily_limit: int
    monthly_limit: int
    concurrent_limit: int
    created_at: datetime
    max_team_members: int | None = None
    trial_end_date: date | None = None
    subscription_end_date: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """What the platform keeps of an API key."""

    api_key_id: str
    api_key_hash: str
    tenant_id: str
    key_prefix: str
    scopes: frozenset[Scope]
    is_active: bool
    created_at: datetime
    created_by: str
    description: str | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

"""What the operator has set for one tenant's SQL, beyond what holds for every tenant."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantSqlGrants:
    """Sources that this tenant alone may read, and whether its SQL runs under an account of its own."""

    sources: frozenset[str] = field(default_factory=frozenset)
    is_isolated: bool = False


def no_grants(_tenant_id: str) -> TenantSqlGrants:
    """Return what a tenant has of which the operator has said nothing."""
    return TenantSqlGrants()

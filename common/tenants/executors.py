"""The accounts that tenants' SQL runs under: one that most share, and own ones of isolated tenants."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from common.errors import NotConfigured

EVERY_OTHER = "*"
_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorAccounts:
    """Service accounts by their e-mail addresses.

    `dedicated` maps tenants to accounts; under `*` is the pattern for those that it does not name, in which
    `{tenant}` stands for the tenant with hyphens for its underscores, which accounts do not take.
    """

    shared: str = ""
    """ "" where tenants' SQL runs under the platform's own identity."""
    dedicated: Mapping[str, str] = field(default_factory=lambda: _NONE)

    def account_of(self, tenant_id: str, *, is_isolated: bool) -> str:
        """Return the account of a tenant's SQL; NotConfigured where an isolated tenant has none."""
        if not is_isolated:
            return self.shared
        if account := self._own(tenant_id):
            return account
        raise NotConfigured(f"no account is configured for the isolated tenant {tenant_id}")

    def all_for(self, tenant_id: str) -> tuple[str, ...]:
        """List the accounts that can have worked for a tenant."""
        return tuple(filter(None, (self.shared, self._own(tenant_id))))

    def _own(self, tenant_id: str) -> str:
        pattern = self.dedicated.get(tenant_id) or self.dedicated.get(EVERY_OTHER, "")
        return pattern.replace("{tenant}", tenant_id.replace("_", "-"))

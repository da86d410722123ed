"""Which accounts may fill the tables of a tenant: those of its Google Cloud credentials, and no others.

Who is let in follows from the rows. So it is settled anew after each change, and whatever a change that died
has left is mended by the next one, whichever it is.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from common.errors import Fault, InvalidInput, QueryRefused
from common.tenants.credentials import CredentialStore
from common.tenants.ports import TenantDatasets
from common.tenants.tenant import Profile, TenantStatus


class ProfileReader(Protocol):
    """Where profiles are read."""

    def find_profile(self, tenant_id: str) -> Profile | None:
        """Return a tenant's profile, None where there is no such tenant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialAccess:
    """Lets accounts of credentials into tenants' datasets, and takes them out."""

    store: CredentialStore
    profiles: ProfileReader
    datasets: TenantDatasets

    def settle(self, tenant_id: str, *, but_not: str = "") -> None:
        """Let in whom the rows say, but not for the credential `but_not`; InvalidInput, Unavailable."""
        try:
            self.datasets.admit_accounts(tenant_id, lambda: self._accounts(tenant_id, but_not))
        except QueryRefused as refused:
            rule = (
                "is kept, but BigQuery refuses the access of an account: make sure that it exists and put "
                "the credential again, or delete the credentials of accounts that are gone"
            )
            raise InvalidInput([Fault("/credentials/client_email", rule)]) from refused

    def _accounts(self, tenant_id: str, but_not: str) -> Collection[str]:
        profile = self.profiles.find_profile(tenant_id)
        if profile is None or profile.status is not TenantStatus.ACTIVE:
            return ()
        rows = self.store.list(tenant_id)
        wanted = (row for row in rows if row.is_active and row.credential_id != but_not)
        return {row.account for row in wanted if row.account}

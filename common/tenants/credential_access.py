"""What a tenant's credentials open: its tables to their accounts, and to a step the account it runs under.

The accounts of a tenant's Google Cloud credentials, and no others, may fill its tables. Who is let in follows
from the rows. So it is synced anew after each change, and whatever a change that died has left is mended by
the next one, whichever it is.
"""

import json
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from common.errors import InvalidInput, QueryRefused, Violation
from common.tenants.credentials import OF_NOTICES, CredentialStore, Provider, StoredCredential
from common.tenants.encryption import BrokenSeal, Keyring
from common.tenants.ports import TenantDatasets, TenantReads
from common.tenants.service_accounts import ServiceAccountKey
from common.tenants.tenant import TenantStatus

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialAccess:
    """Lets accounts of credentials into tenants' datasets, and takes them out."""

    store: CredentialStore
    profiles: TenantReads
    datasets: TenantDatasets

    def sync(self, tenant_id: str, *, excluding: str = "") -> None:
        """Let in whom the rows say, but not for the credential `excluding`; InvalidInput, Unavailable."""
        try:
            self.datasets.admit_accounts(tenant_id, lambda: self._accounts(tenant_id, excluding))
        except QueryRefused as refused:
            rule = (
                "is kept, but BigQuery refuses the access of an account: make sure that it exists and put "
                "the credential again, or delete the credentials of accounts that are gone"
            )
            raise InvalidInput([Violation("/credentials/client_email", rule)]) from refused

    def _accounts(self, tenant_id: str, excluding: str) -> Collection[str]:
        profile = self.profiles.find_profile(tenant_id)
        if profile is None or profile.status is not TenantStatus.ACTIVE:
            return ()
        rows = self.store.list(tenant_id)
        wanted = (row for row in rows if row.is_active and row.credential_id != excluding)
        return {row.account for row in wanted if row.account}


REASON = "credential"


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialOpener:
    """Opens a tenant's credentials; another tenant's are not there. What is opened is never for an answer."""

    store: CredentialStore
    keyring: Keyring
    project: str
    """The platform's own project."""

    def key_for_step(self, tenant_id: str, credential_id: str) -> ServiceAccountKey:
        """Open the key that a step runs under; QueryRefused, which names the ID alone, without one."""
        row = self.store.find(tenant_id, credential_id)
        if row is None or not row.is_active:
            raise _refused(credential_id, "does not exist, or was deleted")
        if row.provider is not Provider.GCP:
            raise _refused(credential_id, f"is for {row.provider}: steps run under credentials for GCP")
        try:
            return ServiceAccountKey.read(self.open(row), platform_project=self.project)
        except BrokenSeal:
            where = {"tenant": tenant_id, "credential": credential_id}
            logger.exception("credential not opened", extra=where)
            raise _refused(credential_id, "cannot be opened: put it again") from None
        except InvalidInput:
            raise _refused(credential_id, "is no key of a service account: put it again") from None

    def secret(self, tenant_id: str, credential_id: str) -> Mapping[str, str]:
        """Open a credential of notices; InvalidInput, which names the ID alone, where it is of no use."""
        row = self.store.find(tenant_id, credential_id)
        if row is None or not row.is_active:
            raise _unusable(credential_id, "does not exist, or was deleted")
        if row.provider not in OF_NOTICES:
            raise _unusable(credential_id, f"is for {row.provider}: notices take WEBHOOK or SMTP")
        try:
            return self.open(row)
        except BrokenSeal:
            where = {"tenant": tenant_id, "credential": credential_id}
            logger.exception("credential not opened", extra=where)
            raise _unusable(credential_id, "cannot be opened: put it again") from None

    def open(self, row: StoredCredential) -> Mapping[str, str]:
        """Open what a row has sealed; BrokenSeal."""
        opened = self.keyring.open(row.sealed, row.tenant_id, row.credential_id)
        secret: Mapping[str, str] = json.loads(opened)
        return secret


def _unusable(credential_id: str, why: str) -> InvalidInput:
    return InvalidInput([Violation("/notifications", f"the credential {credential_id} {why}")])


def _refused(credential_id: str, why: str) -> QueryRefused:
    return QueryRefused(f"the credential {credential_id} {why}", REASON)

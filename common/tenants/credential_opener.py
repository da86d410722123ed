"""Opening credentials: for a step that runs under one, and for nothing else."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from common.errors import InvalidInput, QueryRefused
from common.tenants.credentials import CredentialStore, Provider, StoredCredential
from common.tenants.keyring import BrokenSeal, Keyring
from common.tenants.service_accounts import ServiceAccountKey

logger = logging.getLogger(__name__)

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

    def open(self, row: StoredCredential) -> Mapping[str, str]:
        """Open what a row has sealed; BrokenSeal."""
        opened = self.keyring.open(row.sealed, row.tenant_id, row.credential_id)
        secret: Mapping[str, str] = json.loads(opened)
        return secret


def _refused(credential_id: str, why: str) -> QueryRefused:
    return QueryRefused(f"the credential {credential_id} {why}", REASON)

"""Credentials for tenants' own clouds: kept sealed, given back to nobody."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from common.errors import Conflict, InvalidInput, NotFound, Violation
from common.tenants.encryption import BrokenSeal, Keyring, Sealed
from common.tenants.notice_credentials import mail_violations, webhook_violations
from common.tenants.service_accounts import ServiceAccountKey
from common.times import Clock

if TYPE_CHECKING:  # It stands on what is here.
    from common.tenants.credential_access import CredentialAccess

logger = logging.getLogger(__name__)

MAX_CREDENTIALS = 100
MAX_ATTEMPTS = 5


class Provider(StrEnum):
    """The cloud that a credential is for; or that it is for notices, by HTTPS or by mail."""

    GCP = "GCP"
    AWS = "AWS"
    AZURE = "AZURE"
    WEBHOOK = "WEBHOOK"
    SMTP = "SMTP"


OF_NOTICES = {Provider.WEBHOOK: webhook_violations, Provider.SMTP: mail_violations}
"""The credentials of notices, and what finds their faults."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCredential:
    """A row of tenant_cloud_credentials; a deleted one (`is_active` false) holds no secret."""

    credential_id: str
    tenant_id: str
    provider: Provider
    encrypted_credentials: bytes = field(repr=False)
    key_version: str
    is_active: bool
    created_by: str | None
    created_at: datetime
    recorded_at: datetime
    account: str | None = None
    """The service account of a GCP credential."""
    project_id: str | None = None
    """The project in which steps with this credential run: the first one that it was of, for good."""

    @property
    def sealed(self) -> Sealed:
        """The secret, sealed."""
        return Sealed(key_version=self.key_version, data=self.encrypted_credentials)


class CredentialStore(Protocol):
    """Where the rows are; a credential's latest row is the credential."""

    def find(self, tenant_id: str, credential_id: str) -> StoredCredential | None:
        """Return a credential's latest row, None where there never was one."""

    def list(self, tenant_id: str) -> Sequence[StoredCredential]:
        """List the latest rows of a tenant's credentials, deleted ones too, by ID."""

    def sealed_otherwise(self, key_version: str) -> Sequence[StoredCredential]:
        """List the credentials of all tenants that live and are not sealed under this key."""

    def replace(self, old: StoredCredential | None, new: StoredCredential) -> bool:
        """Append a row in the place of another; False where somebody else has replaced that one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A tenant's credentials. Other tenants' are not there: NotFound.

    An account is taken out of the tenant's dataset before the row says that it is gone, and let in after the
    row says that it is there: a change that dies in between leaves nobody inside, and its repeat mends it.
    """

    store: CredentialStore
    keyring: Keyring
    clock: Clock
    access: "CredentialAccess"
    project: str
    """The platform's own project, of which no credential can be."""

    def put(
        self, tenant_id: str, credential_id: str, provider: Provider, secret: Mapping[str, str], by: str
    ) -> tuple[StoredCredential, bool]:
        """Keep a credential, in the place of the one with this ID; tell whether it is a new one.

        InvalidInput where one for GCP is no key of a service account.
        """
        key = self._key(provider, secret)
        kept = key.members if key else dict(secret)
        sealed = self.keyring.seal(json.dumps(kept).encode(), tenant_id, credential_id)
        for _ in range(MAX_ATTEMPTS):
            old = self.store.find(tenant_id, credential_id)
            is_new = old is None or not old.is_active
            if is_new and len(self.list(tenant_id)) >= MAX_CREDENTIALS:
                raise Conflict(f"a tenant has {MAX_CREDENTIALS} credentials at most: delete one first")
            now = self.clock()
            row = StoredCredential(
                credential_id=credential_id,
                tenant_id=tenant_id,
                provider=provider,
                encrypted_credentials=sealed.data,
                key_version=sealed.key_version,
                is_active=True,
                created_by=by,
                created_at=now if is_new or old is None else old.created_at,
                recorded_at=now,
                account=key.client_email if key else None,
                project_id=_project(credential_id, key, old),
            )
            if self._replace(old, row):
                return row, is_new
        raise Conflict(f"the credential {credential_id} is being changed many times at once; try again")

    def _key(self, provider: Provider, secret: Mapping[str, str]) -> ServiceAccountKey | None:
        _check_notices(provider, secret)
        if provider is not Provider.GCP:
            return None
        return ServiceAccountKey.read(secret, platform_project=self.project)

    def _replace(self, old: StoredCredential | None, new: StoredCredential) -> bool:
        """Change the row, and whom it lets in: out first, in last."""
        before, after = _account(old), _account(new)
        if before and before != after:
            self.access.sync(new.tenant_id, excluding=new.credential_id)
        is_replaced = self.store.replace(old, new)
        if is_replaced and (before or after):
            self.access.sync(new.tenant_id)
        return is_replaced

    def get(self, tenant_id: str, credential_id: str) -> StoredCredential:
        """Return what may be shown of a credential; NotFound."""
        found = self.store.find(tenant_id, credential_id)
        if found is None or not found.is_active:
            raise NotFound(f"there is no credential {credential_id!r}")
        return found

    def list(self, tenant_id: str) -> Sequence[StoredCredential]:
        """List a tenant's credentials by ID."""
        return [row for row in self.store.list(tenant_id) if row.is_active]

    def delete(self, tenant_id: str, credential_id: str, by: str) -> None:
        """Delete a credential; NotFound, Conflict."""
        old = self.get(tenant_id, credential_id)
        gone = replace(
            old, encrypted_credentials=b"", is_active=False, created_by=by, recorded_at=self.clock()
        )
        if not self._replace(old, gone):
            raise Conflict(
                f"the credential {credential_id} was changed at the same time; look, then try again"
            )

    def rotate(self) -> int:
        """Seal under the active key what is sealed under another one; count what was sealed anew."""
        return sum(map(self._reseal, self.store.sealed_otherwise(self.keyring.active)))

    def _reseal(self, row: StoredCredential) -> bool:
        where = {"tenant": row.tenant_id, "credential": row.credential_id}
        try:
            secret = self.keyring.open(row.sealed, row.tenant_id, row.credential_id)
        except BrokenSeal:
            logger.exception("credential not opened", extra=where)
            return False
        sealed = self.keyring.seal(secret, row.tenant_id, row.credential_id)
        new = replace(
            row,
            encrypted_credentials=sealed.data,
            key_version=sealed.key_version,
            recorded_at=self.clock(),
        )
        # Who has replaced the row meanwhile has sealed under the active key.
        return self.store.replace(row, new)


def _check_notices(provider: Provider, secret: Mapping[str, str]) -> None:
    violations_of = OF_NOTICES.get(provider)
    if violations_of and (violations := list(violations_of(secret))):
        raise InvalidInput(violations, "the credential breaks rules")


def _account(row: StoredCredential | None) -> str | None:
    return row.account if row and row.is_active else None


def _project(credential_id: str, key: ServiceAccountKey | None, old: StoredCredential | None) -> str | None:
    """Return the project of a credential's ID, for good: a step's job is the step's lock in one project."""
    project = old.project_id if old else None
    if project and key and key.project_id != project:
        rule = f"must be {project}, of which {credential_id} has been before: choose another ID"
        raise InvalidInput(
            [Violation("/credentials/project_id", rule)], "the credential is of another project"
        )
    return key.project_id if key else project

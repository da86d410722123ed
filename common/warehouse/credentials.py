"""Credentials in the central dataset (`common.tenants.credentials.CredentialStore`)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta

from common.tenants.credentials import Provider, StoredCredential
from common.warehouse.bigquery import Queries, Row
from common.warehouse.replacing import replace_row

EVERY = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialRows:
    """Appends sealed credentials; a change takes the place of the row that it has read."""

    queries: Queries

    def find(self, tenant_id: str, credential_id: str) -> StoredCredential | None:
        """Return a credential's latest row, None where there never was one."""
        return next(iter(self._rows(tenant_id, credential_id)), None)

    def list(self, tenant_id: str) -> Sequence[StoredCredential]:
        """List the latest rows of a tenant's credentials, deleted ones too, by ID."""
        return self._rows(tenant_id, EVERY)

    def sealed_otherwise(self, key_version: str) -> Sequence[StoredCredential]:
        """List the credentials of all tenants that live and are not sealed under this key."""
        rows = self.queries.read("credentials/sealed_otherwise", key_version=key_version)
        return [_stored(row) for row in rows]

    def replace(self, old: StoredCredential | None, new: StoredCredential) -> bool:
        """Append a row in the place of another; False where somebody else has replaced that one."""
        place = f"cvg-credential-{new.tenant_id}-{new.credential_id}"
        if old:
            new = replace(new, recorded_at=max(new.recorded_at, old.recorded_at + timedelta(microseconds=1)))
            place = f"{place}-{old.recorded_at:%Y%m%d%H%M%S%f}"
        values = asdict(new) | {"provider": new.provider.value}
        return replace_row(self.queries, "credentials/append", place, new.tenant_id, values)

    def _rows(self, tenant_id: str, credential_id: str) -> Sequence[StoredCredential]:
        rows = self.queries.read("credentials/current", tenant_id=tenant_id, credential_id=credential_id)
        return [_stored(row) for row in rows]


def _stored(row: Row) -> StoredCredential:
    return StoredCredential(**row | {"provider": Provider(row["provider"])})

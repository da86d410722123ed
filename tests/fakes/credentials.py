"""Credentials in memory."""

from collections.abc import Sequence

from common.tenants.credentials import StoredCredential


class MemoryCredentials:
    """`CredentialStore`."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], StoredCredential] = {}

    def find(self, tenant_id: str, credential_id: str) -> StoredCredential | None:
        return self.rows.get((tenant_id, credential_id))

    def list(self, tenant_id: str) -> Sequence[StoredCredential]:
        return [row for (owner, _), row in sorted(self.rows.items()) if owner == tenant_id]

    def sealed_otherwise(self, key_version: str) -> Sequence[StoredCredential]:
        return [row for row in self.rows.values() if row.is_active and row.key_version != key_version]

    def replace(self, old: StoredCredential | None, new: StoredCredential) -> bool:
        place = (new.tenant_id, new.credential_id)
        if self.rows.get(place) != old:
            return False
        self.rows[place] = new
        return True

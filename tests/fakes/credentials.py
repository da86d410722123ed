"""Credentials in memory."""

from collections.abc import Sequence
from functools import cache

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from common.tenants.credential_access import CredentialAccess
from common.tenants.credentials import Credentials, StoredCredential
from common.tenants.encryption import Keyring
from common.times import Clock
from tests.fakes.tenants import MemoryDatasets, MemoryTenants

PLATFORM = "platform-prod"


@cache
def a_private_key(bits: int = 2048) -> str:
    """Make a key in PEM, once: it takes a while."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem.decode()


def a_key_file(project: str = "customer-project", name: str = "exporter", **changes: str) -> dict[str, str]:
    """Write a service account's key file as Google's console does."""
    email = f"{name}@{project}.iam.gserviceaccount.com"
    return {
        "type": "service_account",
        "project_id": project,
        "private_key_id": "3f1c0a5e9d",
        "private_key": a_private_key(),
        "client_email": email,
        "client_id": "104532170451236789012",
        "token_uri": "https://oauth2.googleapis.com/token",
        "universe_domain": "googleapis.com",
    } | changes


def credentials_on(
    store: "MemoryCredentials",
    keyring: Keyring,
    clock: Clock,
    datasets: MemoryDatasets,
    tenants: MemoryTenants,
) -> Credentials:
    """Put credentials together on ports in memory."""
    access = CredentialAccess(store=store, profiles=tenants, datasets=datasets)
    return Credentials(store=store, keyring=keyring, clock=clock, access=access, project=PLATFORM)


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

"""The key ring under which credentials are sealed: AES-256-GCM, bound to the tenant and the credential's ID.

    {"active": "k2", "keys": {"k1": "<32 bytes in base64>", "k2": "<32 bytes in base64>"}}

New secrets are sealed under the active key; the others open what was sealed before. A sealed text is a
version byte, a nonce of 12 bytes, and the ciphertext with its tag.
"""

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from common.errors import NotConfigured

_VERSION = b"\x01"
_NONCE_BYTES = 12
_KEY_BYTES = 32


class BrokenSeal(Exception):
    """A sealed text was not made for this tenant and this ID, or was changed, or its key is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A secret under a key of the ring."""

    key_version: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyring:
    """Keys by their names; `active` seals."""

    active: str = ""
    _keys: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, text: str) -> "Keyring":
        """Read a key ring; "" is an empty one, that seals nothing. ValueError, which shows no key."""
        if not text.strip():
            return cls()
        try:
            ring = json.loads(text)
            keys = {str(name): base64.b64decode(key, validate=True) for name, key in ring["keys"].items()}
            active = str(ring["active"])
        except (ValueError, TypeError, KeyError, AttributeError):
            raise ValueError('CREDENTIALS_KEYRING is no {"active": NAME, "keys": {NAME: BASE64}}') from None
        if active not in keys or any(len(key) != _KEY_BYTES for key in keys.values()):
            raise ValueError("CREDENTIALS_KEYRING needs its active key, and keys of 32 bytes")
        return cls(active=active, _keys=keys)

    def seal(self, secret: bytes, tenant_id: str, credential_id: str) -> Sealed:
        """Seal a secret under the active key; NotConfigured where there is no key."""
        if not self.active:
            raise NotConfigured("no key ring is configured: set CREDENTIALS_KEYRING")
        nonce = os.urandom(_NONCE_BYTES)
        cipher = AESGCM(self._keys[self.active])
        data = cipher.encrypt(nonce, secret, _bound_to(tenant_id, credential_id))
        return Sealed(key_version=self.active, data=_VERSION + nonce + data)

    def open(self, sealed: Sealed, tenant_id: str, credential_id: str) -> bytes:
        """Open what was sealed for this tenant under this ID; BrokenSeal."""
        key = self._keys.get(sealed.key_version)
        if key is None or sealed.data[:1] != _VERSION:
            raise BrokenSeal(f"there is no key {sealed.key_version!r}, or the format is unknown")
        nonce, data = sealed.data[1 : 1 + _NONCE_BYTES], sealed.data[1 + _NONCE_BYTES :]
        try:
            return AESGCM(key).decrypt(nonce, data, _bound_to(tenant_id, credential_id))
        except (InvalidTag, ValueError):
            raise BrokenSeal("the sealed text is not this tenant's, or was changed") from None


def _bound_to(tenant_id: str, credential_id: str) -> bytes:
    # Neither ID can hold a zero byte, so no two pairs give the same text.
    return b"\0".join((b"convergence-credential", tenant_id.encode(), credential_id.encode()))

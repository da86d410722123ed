"""The key ring under which secrets are sealed: AES-256-GCM, bound to what a secret is and whose it is.

    {"active": "k2", "keys": {"k1": "<32 bytes in base64>", "k2": "<32 bytes in base64>"}}

New secrets are sealed under the active key; the others open what was sealed before. A sealed text is a
version byte, a nonce of 12 bytes, and the ciphertext with its tag.
"""

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from common.errors import NotConfigured

_VERSION = b"\x01"
_NONCE_BYTES = 12
_KEY_BYTES = 32


class BrokenSeal(Exception):
    """A sealed text was not made for this owner, or was changed, or its key is gone."""


class Kind(StrEnum):
    """What is sealed; nothing of one kind opens as another."""

    CREDENTIAL = "convergence-credential"
    PARAMETER = "convergence-parameter"


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

    def seal(self, secret: bytes, *owner: str, kind: Kind = Kind.CREDENTIAL) -> Sealed:
        """Seal a secret under the active key, for its owner: the tenant, and which of its secrets this is.

        NotConfigured where there is no key.
        """
        if not self.active:
            raise NotConfigured("no key ring is configured: set CREDENTIALS_KEYRING")
        nonce = os.urandom(_NONCE_BYTES)
        cipher = AESGCM(self._keys[self.active])
        data = cipher.encrypt(nonce, secret, _bound_to(kind, owner))
        return Sealed(key_version=self.active, data=_VERSION + nonce + data)

    def open(self, sealed: Sealed, *owner: str, kind: Kind = Kind.CREDENTIAL) -> bytes:
        """Open what was sealed for this owner; BrokenSeal."""
        key = self._keys.get(sealed.key_version)
        if key is None or sealed.data[:1] != _VERSION:
            raise BrokenSeal(f"there is no key {sealed.key_version!r}, or the format is unknown")
        nonce, data = sealed.data[1 : 1 + _NONCE_BYTES], sealed.data[1 + _NONCE_BYTES :]
        try:
            return AESGCM(key).decrypt(nonce, data, _bound_to(kind, owner))
        except (InvalidTag, ValueError):
            raise BrokenSeal("the sealed text is not this tenant's, or was changed") from None


def _bound_to(kind: Kind, owner: tuple[str, ...]) -> bytes:
    # No ID can hold a zero byte, so no two owners give the same text.
    return "\0".join((kind, *owner)).encode()

"""The key ring under which secrets are sealed, by functions with its public half, for their owner alone.

    {"active": "k2", "keys": {"k1": "<32 bytes in base64>", "k2": "<32 bytes in base64>"}}
    {"active": "k2", "public_keys": {"k2": "<32 bytes in base64>"}}

The first one opens what was sealed under any of its keys, and seals under the active one. The second is made
of the first, is no secret, and seals alone. A sealed text is a version byte and what the version says:

- 2, of rings with two halves: HPKE (RFC 9180: X25519, HKDF-SHA256, AES-256-GCM), its owner as the `info`. The
  private key is derived from the ring's key, so that no ring had to be made anew.
- 1, of before: AES-256-GCM under the ring's key itself, a nonce of 12 bytes in front. It is still opened.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from common import strict_json
from common.errors import NotConfigured
from common.pipelines.pipeline import ParameterValue, SealedValue
from common.pipelines.secret_values import Owner, Unopened

_SHARED_KEY, _PUBLIC_KEY = b"\x01", b"\x02"
_NONCE_BYTES = 12
_KEY_BYTES = 32
_PURPOSE = b"convergence-keyring-x25519"
_FORMS = '{"active": NAME, "keys": {NAME: BASE64}} or {"active": NAME, "public_keys": {NAME: BASE64}}'
_SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


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
    """Keys by their names; `active` seals. A ring of public keys alone opens nothing."""

    active: str = ""
    _keys: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    _public_keys: Mapping[str, X25519PublicKey] = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, text: str) -> "Keyring":
        """Read a key ring or its public half; "" is an empty one, that seals nothing.

        ValueError, which shows no key.
        """
        if not text.strip():
            return cls()
        try:
            ring = strict_json.parse(text)
            is_public = "public_keys" in ring
            given = ring["public_keys" if is_public else "keys"]
            keys = {str(name): base64.b64decode(key, validate=True) for name, key in given.items()}
            active = str(ring["active"])
        except (ValueError, TypeError, KeyError, AttributeError):
            raise ValueError(f"CREDENTIALS_KEYRING or CREDENTIALS_PUBLIC_KEYS is no {_FORMS}") from None
        if active not in keys or any(len(key) != _KEY_BYTES for key in keys.values()):
            raise ValueError("CREDENTIALS_KEYRING needs its active key, and keys of 32 bytes")
        if is_public:
            public = {name: X25519PublicKey.from_public_bytes(key) for name, key in keys.items()}
            return cls(active=active, _public_keys=public)
        public = {name: _private_key(key).public_key() for name, key in keys.items()}
        return cls(active=active, _keys=keys, _public_keys=public)

    def public(self) -> str:
        """Write the half that seals and opens nothing: the active key, as it may be shown to anybody."""
        if not self.active:
            raise NotConfigured("no key ring is configured: set CREDENTIALS_KEYRING")
        key = base64.b64encode(self._public_keys[self.active].public_bytes_raw()).decode()
        return json.dumps({"active": self.active, "public_keys": {self.active: key}})

    def seal(self, secret: bytes, *owner: str, kind: Kind = Kind.CREDENTIAL) -> Sealed:
        """Seal a secret under the active key, for its owner: the tenant, and which of its secrets this is.

        NotConfigured where there is no key.
        """
        if not self.active:
            raise NotConfigured(
                "no key ring is configured: set CREDENTIALS_KEYRING or CREDENTIALS_PUBLIC_KEYS"
            )
        data = _SUITE.encrypt(secret, self._public_keys[self.active], info=_bound_to(kind, owner))
        return Sealed(key_version=self.active, data=_PUBLIC_KEY + data)

    def open(self, sealed: Sealed, *owner: str, kind: Kind = Kind.CREDENTIAL) -> bytes:
        """Open what was sealed for this owner; BrokenSeal."""
        key = self._keys.get(sealed.key_version)
        version, data = sealed.data[:1], sealed.data[1:]
        if key is None or version not in (_SHARED_KEY, _PUBLIC_KEY):
            raise BrokenSeal(f"there is no key {sealed.key_version!r}, or the format is unknown")
        bound_to = _bound_to(kind, owner)
        try:
            if version == _SHARED_KEY:
                return AESGCM(key).decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], bound_to)
            return _SUITE.decrypt(data, _private_key(key), info=bound_to)
        except (InvalidTag, ValueError):
            raise BrokenSeal("the sealed text is not this tenant's, or was changed") from None


def _private_key(key: bytes) -> X25519PrivateKey:
    """Derive the private key of a ring's key, which seals of version 1 were made with itself."""
    derived = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=_PURPOSE).derive(key)
    return X25519PrivateKey.from_private_bytes(derived)


def _bound_to(kind: Kind, owner: tuple[str, ...]) -> bytes:
    # No ID can hold a zero byte, so no two owners give the same text.
    return "\0".join((kind, *owner)).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyringSeal:
    """Seals for one parameter of one config of one tenant; a retry opens what its run was given."""

    keyring: Keyring

    def seal(self, owner: Owner, value: ParameterValue) -> SealedValue:
        """Seal a value under the active key; NotConfigured where there is none."""
        sealed = self.keyring.seal(json.dumps(value).encode(), *_names(owner), kind=Kind.PARAMETER)
        return SealedValue(key_version=sealed.key_version, data=base64.b64encode(sealed.data).decode())

    def open(self, owner: Owner, sealed: SealedValue) -> ParameterValue:
        """Open what was sealed for this owner; Unopened."""
        try:
            data = base64.b64decode(sealed.data, validate=True)
            opened = self.keyring.open(
                Sealed(key_version=sealed.key_version, data=data), *_names(owner), kind=Kind.PARAMETER
            )
        except (BrokenSeal, binascii.Error) as error:
            raise Unopened(str(error)) from None
        value: ParameterValue = json.loads(opened)
        return value


def _names(owner: Owner) -> tuple[str, str, str]:
    return owner.tenant_id, owner.config_id, owner.parameter

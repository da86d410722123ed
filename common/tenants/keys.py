"""API keys: `<tenant_id>_api_<16 characters>`, shown once, known to the platform by their SHA-256 alone."""

import hashlib
import re
import secrets
import string
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

_ALPHABET = string.ascii_letters + string.digits
_SECRET_LENGTH = 16
_SHOWN_OF_SECRET = 4
_FORM = re.compile(r"(?P<tenant_id>[a-z][a-z0-9_]{2,49})_api_(?P<secret>[A-Za-z0-9]{16})")
_HASH_FORM = re.compile(r"[0-9a-f]{64}")


class Scope(StrEnum):
    """What a key allows: start and stop runs, read, change what there is, read rows of tables."""

    RUN = "run"
    READ = "read"
    MANAGE = "manage"
    DATA = "data"


ALL_SCOPES = frozenset(Scope)


def whole_scopes(scopes: Iterable[str]) -> frozenset[Scope]:
    """Return the scopes of a key with those that they imply.

    Who runs, reads and manages has the rows anyway, by a pipeline of its own that hands them out; and keys
    that had all scopes before there was `data` go on having all.
    """
    given = frozenset(map(Scope, scopes))
    return ALL_SCOPES if given >= ALL_SCOPES - {Scope.DATA} else given


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key in clear. It is kept nowhere, and its representation does not show it."""

    tenant_id: str
    text: str = field(repr=False)

    @property
    def api_key_hash(self) -> str:
        """SHA-256 of the key, 64 hexadecimal digits: what the platform keeps."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def prefix(self) -> str:
        """The start of the key, by which people tell their keys apart."""
        return self.text[: _SHOWN_OF_SECRET - _SECRET_LENGTH]


def mint_key(tenant_id: str) -> ApiKey:
    """Make a new key (95 bits from the system's randomness)."""
    secret = "".join(secrets.choice(_ALPHABET) for _ in range(_SECRET_LENGTH))
    return ApiKey(tenant_id=tenant_id, text=f"{tenant_id}_api_{secret}")


def read_key(text: str) -> ApiKey | None:
    """Take what a caller gave as a key; None where it has not a key's form: no table need be asked.

    Blanks and line breaks around it come of copying, and are not part of it.
    """
    form = _FORM.fullmatch(text.strip())
    return ApiKey(tenant_id=form["tenant_id"], text=form[0]) if form else None


def is_key_hash(text: str) -> bool:
    """Tell whether the text has the form of a stored hash."""
    return _HASH_FORM.fullmatch(text) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """What the platform keeps of an API key."""

    api_key_id: str
    api_key_hash: str
    tenant_id: str
    key_prefix: str
    scopes: frozenset[Scope]
    is_active: bool
    created_at: datetime
    created_by: str
    description: str | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

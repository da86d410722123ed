"""Authentication: from the API key in a request to the tenant that it speaks for; and the operators' keys."""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from common.errors import Forbidden, NotConfigured, Unauthenticated
from common.recent_answers import RecentAnswers
from common.tenants.keys import KeyRecord, Scope, read_key
from common.tenants.tenant import TenantStatus
from common.times import Clock, to_rfc3339

# A revoked key, or the key of a suspended tenant, dies within this time on every instance.
KNOWN_KEY_LIFETIME = timedelta(seconds=60)
UNKNOWN_KEY_LIFETIME = timedelta(seconds=10)
MAX_KNOWN_KEYS = 10_000
# Guessed keys must not push out the memory of real ones: they have one of their own, and a small one.
MAX_UNKNOWN_KEYS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whom a request speaks for. The tenant comes from here, never from a request's path, query or body."""

    tenant_id: str
    api_key_id: str
    scopes: frozenset[Scope]

    def require(self, scope: Scope) -> None:
        """Raise Forbidden where the key does not allow what the scope stands for."""
        if scope not in self.scopes:
            raise Forbidden(f"this API key lacks the scope {scope}")


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKey:
    """A key's record and the state of its tenant."""

    record: KeyRecord
    tenant_status: TenantStatus

    def caller(self) -> Caller:
        """Return whom the key speaks for; Forbidden where its tenant may not call now."""
        if self.tenant_status is TenantStatus.SUSPENDED:
            raise Forbidden("this tenant is suspended: ask the operator of the platform")
        record = self.record
        return Caller(tenant_id=record.tenant_id, api_key_id=record.api_key_id, scopes=record.scopes)


class KeyStore(Protocol):
    """Where keys are known by their hash."""

    def find_key(self, api_key_hash: str) -> KnownKey | None:
        """Return the latest record of a key, None where no such key was ever made."""


def _known_keys() -> RecentAnswers[KnownKey]:
    return RecentAnswers(lifetime=KNOWN_KEY_LIFETIME, capacity=MAX_KNOWN_KEYS)


def _unknown_keys() -> RecentAnswers[bool]:
    return RecentAnswers(lifetime=UNKNOWN_KEY_LIFETIME, capacity=MAX_UNKNOWN_KEYS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticator:
    """Tells who is calling; asks the store at most once per key and minute."""

    store: KeyStore
    clock: Clock
    _known: RecentAnswers[KnownKey] = field(default_factory=_known_keys, repr=False)
    _unknown: RecentAnswers[bool] = field(default_factory=_unknown_keys, repr=False)

    def authenticate(self, given: str | None) -> Caller:
        """Return whose key was given; Unauthenticated or Forbidden, with the reason, where it is nobody's."""
        return self.identify(given).caller()

    def identify(self, given: str | None) -> KnownKey:
        """Return a key that is valid, whether its tenant may call now or not; else Unauthenticated."""
        if not given:
            raise Unauthenticated("an API key is needed, in the header X-API-Key")
        key = read_key(given)
        known = self._find(key.api_key_hash) if key else None
        if known is None or not known.record.is_active or known.tenant_status is TenantStatus.DELETED:
            raise Unauthenticated("the API key is not valid")
        self._refuse_expired(known.record)
        return known

    def _find(self, api_key_hash: str) -> KnownKey | None:
        now = self.clock()
        if (known := self._known.get(api_key_hash, now)) or self._unknown.get(api_key_hash, now):
            return known
        found = self.store.find_key(api_key_hash)
        if found is None:
            self._unknown.put(api_key_hash, True, now)
        else:
            self._known.put(api_key_hash, found, now)
        return found

    def _refuse_expired(self, record: KeyRecord) -> None:
        if record.expires_at and self.clock() >= record.expires_at:
            raise Unauthenticated(f"the API key expired at {to_rfc3339(record.expires_at)}")


class AdminKeys:
    """The operator's keys, as digests; several at once, so that one can be replaced without a gap."""

    __slots__ = ("_digests",)

    def __init__(self, keys: Iterable[str]) -> None:
        self._digests = tuple(digest_of(key) for key in keys if key)

    def check(self, given: str | None) -> None:
        """Return where the key is one of the operator's; raise the fitting error otherwise."""
        if not self._digests:
            raise NotConfigured("no admin key is configured: set ADMIN_API_KEY")
        if not given:
            raise Unauthenticated("an admin key is needed, in the header X-Admin-Key")
        if not is_among(given, self._digests):
            raise Forbidden("the admin key is wrong")

    @staticmethod
    def fingerprint(key: str) -> str:
        """Return by what the audit log tells the operator's keys apart: eight digits of the hash."""
        return digest_of(key).hex()[:8]


def digest_of(secret: str) -> bytes:
    """Return what is kept of a secret that is compared."""
    return hashlib.sha256(secret.encode()).digest()


def is_among(given: str, digests: tuple[bytes, ...]) -> bool:
    """Tell whether a secret is one of those that are kept, in the same time whichever it is."""
    # Digests have one length and every one is compared, so that time tells nothing of the secrets.
    digest = digest_of(given)
    matches = [hmac.compare_digest(digest, known) for known in digests]
    return any(matches)

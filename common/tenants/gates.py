"""The two doors that no API key opens: the operator's, and onboarding."""

import hashlib
import hmac
from collections.abc import Iterable
from enum import StrEnum

from common.errors import Forbidden, NotConfigured, Unauthenticated


class AdminKeys:
    """The operator's keys, as digests; several at once, so that one can be replaced without a gap."""

    __slots__ = ("_digests",)

    def __init__(self, keys: Iterable[str]) -> None:
        self._digests = tuple(_digest(key) for key in keys if key)

    def check(self, given: str | None) -> None:
        """Return where the key is one of the operator's; raise the fitting error otherwise."""
        if not self._digests:
            raise NotConfigured("no admin key is configured: set ADMIN_API_KEY")
        if not given:
            raise Unauthenticated("an admin key is needed, in the header X-Admin-Key")
        if not _is_among(given, self._digests):
            raise Forbidden("the admin key is wrong")

    @staticmethod
    def fingerprint(key: str) -> str:
        """Return by what the audit log tells the operator's keys apart: eight digits of the hash."""
        return _digest(key).hex()[:8]


class OnboardingMode(StrEnum):
    """Who may onboard by the public route: everybody, whoever has the token, nobody."""

    OPEN = "open"
    TOKEN = "token"  # noqa: S105 - the name of a mode
    CLOSED = "closed"


class OnboardingDoor:
    """Lets onboarding requests in as the operator set it; dry runs too, which answer as onboarding would."""

    __slots__ = ("_digests", "_mode")

    def __init__(self, mode: OnboardingMode, token: str = "") -> None:
        self._mode = mode
        self._digests = (_digest(token),) if token else ()

    def check(self, given_token: str | None) -> None:
        """Return where the caller may onboard; raise the fitting error otherwise."""
        if self._mode is OnboardingMode.OPEN:
            return
        if self._mode is OnboardingMode.CLOSED:
            raise Forbidden("onboarding is closed: ask the operator of the platform")
        if not self._digests:
            raise NotConfigured("no onboarding token is configured: set ONBOARDING_TOKEN")
        if not given_token:
            raise Unauthenticated("an onboarding token is needed, in the header X-Onboarding-Token")
        if not _is_among(given_token, self._digests):
            raise Forbidden("the onboarding token is wrong")


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _is_among(given: str, digests: tuple[bytes, ...]) -> bool:
    # Digests have one length and every one is compared, so that time tells nothing of the secrets.
    digest = _digest(given)
    matches = [hmac.compare_digest(digest, known) for known in digests]
    return any(matches)

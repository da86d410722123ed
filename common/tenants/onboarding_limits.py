"""Who may onboard, and how often.

An hour has numbered slots, and a slot is a claim: a job ID that is used once. So the limits hold exactly over
any number of instances, nothing has to be cleaned up, and a slot costs a job that bills nothing.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from math import ceil

from common.addresses import network_of
from common.claims import Claim, ClaimJobs, claim, last_in_order
from common.errors import Forbidden, NotConfigured, RateLimited, Unauthenticated
from common.tenants.authentication import digest_of, is_among
from common.times import Clock


class OnboardingMode(StrEnum):
    """Who may onboard by the public route: every caller, callers with the token, none."""

    OPEN = "open"
    TOKEN = "token"  # noqa: S105 - the name of a mode
    CLOSED = "closed"


class OnboardingPolicy:
    """Lets onboarding requests in as the operator set it; dry runs too, which answer as onboarding would."""

    __slots__ = ("_digests", "_mode")

    def __init__(self, mode: OnboardingMode, token: str = "") -> None:
        self._mode = mode
        self._digests = (digest_of(token),) if token else ()

    def authorize(self, given_token: str | None) -> None:
        """Return where the caller may onboard; raise the fitting error otherwise."""
        if self._mode is OnboardingMode.OPEN:
            return
        if self._mode is OnboardingMode.CLOSED:
            raise Forbidden("onboarding is closed: ask the operator of the platform")
        if not self._digests:
            raise NotConfigured("no onboarding token is configured: set ONBOARDING_TOKEN")
        if not given_token:
            raise Unauthenticated("an onboarding token is needed, in the header X-Onboarding-Token")
        if not is_among(given_token, self._digests):
            raise Forbidden("the onboarding token is wrong")


WINDOW_SECONDS = 3600
_DIGITS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class OnboardingRates:
    """Gives out slots; a source that has used up its own takes none of the others'."""

    claims: ClaimJobs
    clock: Clock
    new_id: Callable[[], str]
    per_source: int
    total: int

    def take(self, source: str) -> None:
        """Take a slot for one onboarding; RateLimited where none is left in this hour."""
        now = self.clock()
        self._take_one(f"from-{_hidden(source)}", self.per_source, now, "from this address")
        self._take_one("all", self.total, now, "to this platform")

    def _take_one(self, scope: str, limit: int, now: datetime, what: str) -> None:
        window = int(now.timestamp()) // WINDOW_SECONDS
        labels = {"purpose": "onboarding-rate", "request": self.new_id()}
        prefix = f"cvg-onboard-rate-{scope}-{window}"
        for number in range(self._first_free(prefix, limit), limit + 1):
            if claim(self.claims, f"{prefix}-{number}", labels).is_held_by(labels):
                return
        seconds = (window + 1) * WINDOW_SECONDS - now.timestamp()
        raise RateLimited(f"too many onboardings {what} in this hour", ceil(seconds))

    def _first_free(self, prefix: str, limit: int) -> int:
        """Find about where the free slots begin: they are taken in order, and most hours see few of them."""

        def find(number: int) -> Claim | None:
            return self.claims.find_claim(f"{prefix}-{number}") if number <= limit else None

        last = last_in_order(find, 1)
        return last[0] + 1 if last else 1


def _hidden(source: str) -> str:
    """Name a source's network without its address."""
    return hashlib.sha256(network_of(source).encode()).hexdigest()[:_DIGITS]

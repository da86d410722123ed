"""When a call is sent again: what passes by itself is waited for, and nothing is done twice by it."""

import random
from dataclasses import dataclass

from common.client.calls import Call
from common.client.problems import ApiError, Problem, Unreachable

PASSING_STATUSES = frozenset({502, 503, 504})
NEVER = frozenset({"budget-exceeded", "not-configured", "quota-exceeded"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """How often a call is sent in all, and how long the pauses between are: they double, with jitter."""

    attempts: int = 4
    first_pause_seconds: float = 0.5
    max_pause_seconds: float = 20.0
    """A platform that asks for a longer pause is answered to the caller, who can decide."""

    def pause_after(self, error: ApiError, call: Call, attempt: int) -> float | None:
        """Return for how many seconds to wait before the next attempt, None where there is none."""
        if attempt >= self.attempts or not _may_pass(error, call):
            return None
        asked = error.retry_after_seconds if isinstance(error, Problem) else None
        if asked is not None:
            return None if asked > self.max_pause_seconds else float(asked)
        pause: float = self.first_pause_seconds * 2 ** (attempt - 1) * random.uniform(0.5, 1.0)  # noqa: S311
        return min(pause, self.max_pause_seconds)


def _may_pass(error: ApiError, call: Call) -> bool:
    match error:
        case Problem(kind="rate-limited"):
            return True  # Refused before anything was done.
        case Problem():
            return call.may_be_repeated and error.status in PASSING_STATUSES and error.kind not in NEVER
        case Unreachable():
            return call.may_be_repeated
        case _:
            return False

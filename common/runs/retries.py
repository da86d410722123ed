"""Which failures of a step pass by themselves, and after what pause. One table, nowhere else.

Two kinds pass. A fault of BigQuery's is worth another attempt, as many as the step's policy has. A limit of
BigQuery's, on updates of a table or on what runs and queues at once, says nothing of the step: it is waited
out, and takes none of its attempts.
"""

import hashlib
from datetime import timedelta

from common.pipelines.pipeline import Retry

# Reasons that pass by themselves: BigQuery's words, and those of a load that is in another's way
# (`common.runs.files`).
RETRYABLE_REASONS = frozenset(
    {"backendError", "internalError", "jobBackendError", "jobInternalError", "filesTakenOver"}
)
# A reason that means two things: these texts tell the passing one.
RETRYABLE_TEXTS = {"invalidQuery": ("concurrent update",)}
MAX_PAUSE_SECONDS = 300.0

LIMIT_REASONS = frozenset({"rateLimitExceeded", "jobRateLimitExceeded", "filesInUse"})
# The same limits come under other reasons too: `quotaExceeded` is also a day's quota, which is not waited
# for, and `resourcesExceeded` most often a query that is too large.
LIMIT_TEXTS = (
    "too many table update operations",
    "too many table dml insert operations",
    "too many dml statements outstanding",
    "too many concurrent",
    "exceeded quota for concurrent",
    "too many queued",
    "number of jobs that can be queued",
)
LIMIT_WINDOW_SECONDS = 10.0
"""How long BigQuery counts what a limit is on: updates of a table, for one."""
MAX_LIMIT_PAUSE_SECONDS = 60.0


def is_retryable(reason: str, message: str) -> bool:
    """Tell whether the same statement may succeed later; everything that is not in the table never is."""
    if reason in RETRYABLE_REASONS:
        return True
    return any(text in message.lower() for text in RETRYABLE_TEXTS.get(reason, ()))


def is_limit(reason: str, message: str) -> bool:
    """Tell whether a limit of BigQuery's kept the statement from running, and will not for long."""
    return reason in LIMIT_REASONS or any(text in message.lower() for text in LIMIT_TEXTS)


def pause_before(attempt: int, retry: Retry, key: str) -> timedelta:
    """Return the pause before an attempt (2 is the first retry): doubling, up to half of it jitter.

    The jitter is a function of `key`, so that a delivery that continues a level after a crash comes to the
    same moment.
    """
    longest = min(retry.backoff_seconds * 2 ** (attempt - 2), MAX_PAUSE_SECONDS)
    return timedelta(seconds=longest * (0.5 + _fraction(f"{key}/{attempt}") / 2))


def pause_for_limit(waits: int, key: str) -> timedelta:
    """Return the pause after a refusal by a limit (`waits` before it): its window and more, doubling.

    Many steps wait for the same window, so each adds its own jitter, a function of `key`.
    """
    window = min(LIMIT_WINDOW_SECONDS * 2 ** min(waits, 10), MAX_LIMIT_PAUSE_SECONDS)
    return timedelta(seconds=window * (1 + _fraction(f"{key}/{waits}") / 2))


def _fraction(key: str) -> float:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) / 2**32

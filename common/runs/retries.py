"""Which failures of a step are worth another attempt, and after what pause. One table, nowhere else."""

import hashlib
from datetime import timedelta

from common.pipelines.pipeline import Retry

# Reasons that pass by themselves (BigQuery's words).
RETRYABLE_REASONS = frozenset(
    {
        "backendError",
        "internalError",
        "jobBackendError",
        "jobInternalError",
        "rateLimitExceeded",
        "jobRateLimitExceeded",
    }
)
# A reason that means two things: these texts tell the passing one.
RETRYABLE_TEXTS = {
    "invalidQuery": ("concurrent update", "too many dml statements outstanding"),
    "quotaExceeded": ("too many queued", "exceeded quota for max number of jobs that can be queued"),
}
LONGEST_PAUSE_SECONDS = 300.0


def is_retryable(reason: str, message: str) -> bool:
    """Tell whether the same statement may succeed later; everything that is not in the table never is."""
    if reason in RETRYABLE_REASONS:
        return True
    return any(text in message.lower() for text in RETRYABLE_TEXTS.get(reason, ()))


def pause_before(attempt: int, retry: Retry, key: str) -> timedelta:
    """Return the pause before an attempt (2 is the first retry): doubling, up to half of it jitter.

    The jitter is a function of `key`, so that whoever continues a level after a crash comes to the same
    moment.
    """
    longest = min(retry.backoff_seconds * 2 ** (attempt - 2), LONGEST_PAUSE_SECONDS)
    fraction = int.from_bytes(hashlib.sha256(f"{key}/{attempt}".encode()).digest()[:4]) / 2**32
    return timedelta(seconds=longest * (0.5 + fraction / 2))

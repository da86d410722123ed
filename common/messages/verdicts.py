"""Redeliver or reject: one table from the error tree to what becomes of a message."""

from enum import StrEnum

from common import errors


class Verdict(StrEnum):
    """What becomes of a message whose handling failed."""

    REDELIVER = "redeliver"
    """It may succeed later: Pub/Sub sends it again, and dead-letters it after its attempts."""
    REJECT = "reject"
    """It never will: it goes to the dead-letter topic at once, with the reason."""


VERDICTS: dict[type[errors.ConvergenceError], Verdict] = {
    errors.InvalidInput: Verdict.REJECT,
    errors.MalformedInput: Verdict.REJECT,
    errors.InputTooLarge: Verdict.REJECT,
    errors.UnsupportedContentType: Verdict.REJECT,
    errors.Unauthenticated: Verdict.REJECT,
    errors.Forbidden: Verdict.REJECT,
    errors.NotFound: Verdict.REJECT,
    errors.Conflict: Verdict.REJECT,
    errors.QuotaExceeded: Verdict.REJECT,
    errors.BudgetExceeded: Verdict.REJECT,
    errors.RateLimited: Verdict.REDELIVER,
    errors.NotConfigured: Verdict.REDELIVER,
    errors.MessageRefused: Verdict.REJECT,
    errors.WarehouseError: Verdict.REDELIVER,
    errors.AlreadyExists: Verdict.REDELIVER,
    errors.NoSuchResource: Verdict.REDELIVER,
    errors.QueryRefused: Verdict.REDELIVER,
    errors.RowsRefused: Verdict.REDELIVER,
    errors.Unavailable: Verdict.REDELIVER,
}


def verdict(error: Exception) -> Verdict:
    """Judge a failure; what the tree does not know may be a fault of one instance, so it is redelivered."""
    if not isinstance(error, errors.ConvergenceError):
        return Verdict.REDELIVER
    return VERDICTS[type(error)]

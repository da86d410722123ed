"""What the command's exit code says; docs/cli.md has the same table."""

from enum import IntEnum

from common.client import ApiError, Problem, StillRunning, Unreachable


class Exit(IntEnum):
    """Exit codes, stable for scripts."""

    DONE = 0
    REFUSED = 1
    """The input breaks rules, or the platform refuses it."""
    USAGE = 2
    """The command cannot be understood, or lacks something that only its user can give."""
    NOT_ALLOWED = 3
    """No key, or one that may not do this."""
    NOT_FOUND = 4
    LIMIT_REACHED = 5
    """A limit of the plan, or of the rate."""
    UNAVAILABLE = 6
    """Nobody answers, or the platform has a fault."""
    RUN_FAILED = 10
    RUN_CANCELLED = 11
    STILL_RUNNING = 12
    INTERRUPTED = 130


OF_STATUS = {
    401: Exit.NOT_ALLOWED,
    403: Exit.NOT_ALLOWED,
    404: Exit.NOT_FOUND,
    429: Exit.LIMIT_REACHED,
}
OF_RUN = {"COMPLETED": Exit.DONE, "FAILED": Exit.RUN_FAILED, "CANCELLED": Exit.RUN_CANCELLED}
SERVER_ERRORS = 500


def exit_of(error: ApiError) -> Exit:
    """Return the code of a call that came to no answer."""
    match error:
        case Problem() if error.status >= SERVER_ERRORS:
            return Exit.UNAVAILABLE
        case Problem():
            return OF_STATUS.get(error.status, Exit.REFUSED)
        case StillRunning():
            return Exit.STILL_RUNNING
        case Unreachable():
            return Exit.UNAVAILABLE
        case _:
            return Exit.REFUSED

"""What goes wrong, as a page tells it: what the API refuses, what the console refuses itself, what fails."""

from werkzeug.exceptions import HTTPException

from common.client import ApiError, Problem
from common.errors import RateLimited


class Refused(Exception):
    """A request that the console itself refuses; the message says why."""

    def __init__(self, message: str, status: int = 403) -> None:
        super().__init__(message)
        self.status = status


_TOLD = {
    404: "There is no page at this address.",
    405: "This address takes a form alone: begin at the page that has it.",
}
"""What is told where nobody has said more."""


def shown(error: Exception) -> tuple[int, dict[str, object]]:
    """Say what a page shows of an error, and by which status."""
    match error:
        case Problem():
            return error.status, {
                "title": error.title or "The platform refuses this",
                "told": error.detail,
                "errors": error.errors,
                "request_id": error.request_id,
            }
        case Refused():
            return error.status, {"title": "Not possible", "told": str(error)}
        case HTTPException():
            is_own = error.description != type(error).description
            told = error.description if is_own else _TOLD.get(error.code or 0, error.description)
            return error.code or 500, {"title": error.name, "told": told}
        case ApiError():
            return 502, {"title": "The platform does not answer", "told": "Try again in a minute."}
        case RateLimited():
            return 429, {"title": "Too many attempts", "told": str(error)}
        case _:
            return 500, {"title": "Something went wrong", "told": "The console failed; it has been logged."}

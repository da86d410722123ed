"""Problem answers (RFC 9457): the table of `common.problems`, with what only HTTP knows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug import exceptions as http

from common import errors, problems
from common.http.routes import Access, allowed_methods
from common.logs import redact
from common.problems import TYPE_PREFIX, Kind

__all__ = ["KINDS", "TYPE_PREFIX", "Kind", "Problem", "kind_of", "problem_of"]

UNAVAILABLE_RETRY_SECONDS = 5

KINDS: Mapping[type[Exception], Kind] = {
    **problems.KINDS,
    http.BadRequest: problems.UNREADABLE,
    http.MethodNotAllowed: Kind(
        status=405,
        name="method-not-allowed",
        title="Method not allowed",
        meaning="The path exists and does not take this method; Allow lists those that it takes.",
        detail="This path does not take this method; the Allow header lists those that it takes.",
    ),
    http.RequestHeaderFieldsTooLarge: Kind(
        status=431,
        name="headers-too-large",
        title="Headers too large",
        meaning="The request has too many headers, or too long ones.",
        detail="The request has too many headers, or too long ones.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem(problems.Problem):
    """One problem, ready to be answered."""

    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self, instance: str, request_id: str) -> dict[str, Any]:
        """Return the problem document of one request."""
        place = {"instance": redact(instance), "request_id": request_id}
        told = {name: value for name, value in self.document().items() if name not in self.members}
        return told | place | dict(self.members)


def kind_of(error: type[Exception]) -> Kind:
    """Return the kind of an error class: its own, or that of the nearest class above it."""
    return problems.kind_of(error, KINDS)


def problem_of(error: Exception, access: Access = Access.PUBLIC) -> Problem:
    """Turn an error into a problem."""
    kind = kind_of(type(error))
    told = problems.problem_of(error)
    words = str(error.description) if isinstance(error, http.HTTPException) else told.detail
    return Problem(
        kind=kind, detail=kind.detail or words, members=told.members, headers=_headers(error, access)
    )


def _headers(error: Exception, access: Access) -> dict[str, str]:
    """Return the headers that only this kind of error has."""
    match error:
        case errors.QuotaExceeded() if not error.can_fit:
            return {}  # No wait makes room for it.
        case errors.QuotaExceeded() | errors.RateLimited():
            return _retry_after(error.retry_after_seconds)
        case errors.Unavailable():
            return _retry_after(UNAVAILABLE_RETRY_SECONDS)
        case errors.Unauthenticated():
            return {"WWW-Authenticate": f'ApiKey realm="convergence", header="{access.key_header}"'}
        case http.MethodNotAllowed():
            return {"Allow": allowed_methods(error)}
        case _:
            return {}


def _retry_after(seconds: int) -> dict[str, str]:
    return {"Retry-After": str(seconds)}

"""Responses: JSON, problem answers (RFC 9457) by the table of `common.problems`, and the headers of each."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from urllib.parse import quote

from werkzeug import exceptions as http
from werkzeug.wrappers import Request, Response

from common import errors, problems
from common.http.routing import Access, allowed_methods
from common.logs import redact
from common.problems import Kind
from common.times import to_rfc3339

logger = logging.getLogger(__name__)

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


SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_HTTPS_ONLY = {"Strict-Transport-Security": "max-age=63072000; includeSubDomains"}


def body_response(
    body: Mapping[str, Any] | str | None,
    status: int,
    headers: Mapping[str, str],
    content_type: str = "application/json",
) -> Response:
    """Write a body: a text as it is, else JSON, which is UTF-8 by definition, without charset (RFC 8259)."""
    if isinstance(body, str):
        return Response(body, status=status, headers=dict(headers), content_type=content_type)
    if body is None:
        response = Response(status=status, headers=dict(headers))
        del response.headers["Content-Type"]
        return response
    text = json.dumps(body, ensure_ascii=False, allow_nan=False, default=_json_value)
    return Response(text + "\n", status=status, headers=dict(headers), content_type=content_type)


def add_standard_headers(response: Response, request: Request, request_id: str) -> None:
    """Add the request ID and the security headers."""
    response.headers["X-Request-Id"] = request_id
    response.headers.update(SECURITY_HEADERS)
    if request.is_secure or request.headers.get("X-Forwarded-Proto", "").lower() == "https":
        response.headers.update(_HTTPS_ONLY)


def _json_value(value: Any) -> str:
    if isinstance(value, datetime):
        return to_rfc3339(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")


PROBLEM_TYPE = "application/problem+json"


def refuse(request: Request, error: Exception, request_id: str, access: Access = Access.PUBLIC) -> Response:
    """Answer with the problem that an error is, and log it where nobody else does."""
    problem = problem_of(error, access)
    if problem.kind.status >= 500:
        logger.log(
            level_of(problem), "request failed", extra=told_of(problem, error), exc_info=stack_of(error)
        )
    return refusal(request, problem, request_id)


def refusal(request: Request, problem: Problem, request_id: str) -> Response:
    """Answer with a problem."""
    body = problem.body(quote(request.path), request_id)
    return body_response(body, problem.kind.status, problem.headers, PROBLEM_TYPE)


def level_of(problem: Problem) -> int:
    """Tell how a problem is logged: what is no fault of the caller's is heard of, and what is ours loudly."""
    if problem.kind.status < 500:
        return logging.INFO
    return logging.ERROR if problem.kind.status == 500 else logging.WARNING


def told_of(problem: Problem, error: Exception) -> dict[str, str]:
    """Tell in the log which problem it was; and in the error's own words where it is ours."""
    return {"problem": problem.kind.name} | ({"error": str(error)} if problem.kind.status >= 500 else {})


def stack_of(error: Exception) -> Exception | None:
    """Return an error whose stack helps: one that nobody has foreseen."""
    return error if problem_of(error).kind.status == 500 else None

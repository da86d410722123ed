"""Problems (RFC 9457): the one table from the error tree to what callers are told, by HTTP or message."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from common import errors
from common.logs import redact
from common.times import to_rfc3339

TYPE_PREFIX = "urn:problem-type:convergence:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of problem: its status, its name (the end of its type URI), its title, and when it is answered.

    `detail` replaces the error's own words where those are none of the caller's business.
    """

    status: int
    name: str
    title: str
    meaning: str
    detail: str = ""

    @property
    def type_uri(self) -> str:
        """The stable identifier of this kind."""
        return TYPE_PREFIX + self.name


INTERNAL = Kind(
    status=500,
    name="internal",
    title="Internal error",
    meaning="A fault of the platform. It is logged under the request ID; nothing about it is told here.",
    detail="The platform failed to answer. Give the request ID when you report this.",
)
UNREADABLE = Kind(
    status=400,
    name="malformed-input",
    title="Input cannot be read",
    meaning="The body is not UTF-8, not JSON (or not YAML), or the request is not well-formed.",
)

KINDS: Mapping[type[Exception], Kind] = {
    Exception: INTERNAL,
    errors.ConvergenceError: INTERNAL,
    errors.InvalidInput: Kind(
        status=422,
        name="invalid-input",
        title="Input breaks rules",
        meaning="The input can be read and breaks rules; `errors` lists all of them, each with its place.",
    ),
    errors.MalformedInput: UNREADABLE,
    errors.InputTooLarge: Kind(
        status=413,
        name="input-too-large",
        title="Input too large",
        meaning="The body is longer, or nested deeper, than the route takes.",
    ),
    errors.UnsupportedContentType: Kind(
        status=415,
        name="unsupported-content-type",
        title="Content type not supported",
        meaning="The body is not of the content type, character set or encoding that the route takes.",
    ),
    errors.Unauthenticated: Kind(
        status=401,
        name="unauthenticated",
        title="Key missing or not valid",
        meaning="The route asks for a key, and the request has none that is valid now.",
    ),
    errors.Forbidden: Kind(
        status=403,
        name="forbidden",
        title="Not allowed",
        meaning="The key is valid and lacks the scope, or the tenant may not do this now.",
    ),
    errors.NotFound: Kind(
        status=404,
        name="not-found",
        title="Not found",
        meaning="There is no such path, or no such thing for this caller; which of the two is not told.",
    ),
    errors.Conflict: Kind(
        status=409,
        name="conflict",
        title="Conflict",
        meaning="The thing exists already, or is in a state that the call does not fit.",
    ),
    errors.QuotaExceeded: Kind(
        status=429,
        name="quota-exceeded",
        title="Plan limit reached",
        meaning="A limit of the plan is reached: `limit_name`, `used`, `limit`, and when to ask again.",
    ),
    errors.BudgetExceeded: Kind(
        status=429,
        name="budget-exceeded",
        title="Budget used up",
        meaning="A budget leaves no room for a run: `scope` says whose, and of its `limit` in bytes `used` "
        "are billed and `held` are kept for runs under way.",
    ),
    errors.RateLimited: Kind(
        status=429,
        name="rate-limited",
        title="Too many requests",
        meaning="Too many requests from one source; Retry-After tells when to come back.",
    ),
    errors.NotConfigured: Kind(
        status=503,
        name="not-configured",
        title="Not set up",
        meaning="The operator has not set up yet what the call needs.",
    ),
    errors.MessageRefused: INTERNAL,
    errors.WarehouseError: INTERNAL,
    errors.AlreadyExists: INTERNAL,
    errors.NoSuchResource: INTERNAL,
    errors.QueryRefused: INTERNAL,
    errors.RowsRefused: INTERNAL,
    errors.Unavailable: Kind(
        status=503,
        name="unavailable",
        title="Temporarily unavailable",
        meaning="A part that the platform stands on does not answer. The same request may succeed later.",
        detail="A part that the platform stands on does not answer. Try again.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One problem in the words that its caller is told."""

    kind: Kind
    detail: str
    members: Mapping[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return what there is to say of it, whichever way it was asked for."""
        return {
            "type": self.kind.type_uri,
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": redact(self.detail),
            **self.members,
        }


def kind_of(error: type[Exception], kinds: Mapping[type[Exception], Kind] = KINDS) -> Kind:
    """Return the kind of an error class: its own, or that of the nearest class above it."""
    return next(kinds[parent] for parent in error.__mro__ if parent in kinds)


def problem_of(error: Exception) -> Problem:
    """Turn an error of the tree into a problem."""
    kind = kind_of(type(error))
    return Problem(kind=kind, detail=kind.detail or _detail(error), members=_members(error))


def violation_document(violation: errors.Violation) -> dict[str, Any]:
    """Return a violation as callers are told it; step, line and column where they are known."""
    place = {"step": violation.step, "line": violation.line, "column": violation.column}
    known = {name: value for name, value in place.items() if value}
    return {"pointer": violation.pointer, **known, "rule": redact(violation.rule)}


def _detail(error: Exception) -> str:
    return error.summary if isinstance(error, errors.InvalidInput) else str(error)


def _members(error: Exception) -> dict[str, Any]:
    """Return the members that only this kind of error has."""
    match error:
        case errors.InvalidInput():
            return {"errors": [violation_document(violation) for violation in error.violations]}
        case errors.BudgetExceeded():
            return {
                "limit_name": error.limit_name,
                "scope": error.scope,
                "used": error.used,
                "held": error.held,
                "limit": error.limit,
                "resets_at": to_rfc3339(error.resets_at),
            }
        case errors.QuotaExceeded():
            numbers = {"limit_name": error.limit_name, "used": error.used, "limit": error.limit}
            more = {"needed": error.needed, "left": error.left} if error.needed > 1 else {}
            resets = {"resets_at": to_rfc3339(error.resets_at)} if error.can_fit else {}
            return numbers | more | resets
        case _:
            return {}

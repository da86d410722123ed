"""Every error that the platform raises on purpose, in one tree.

    ConvergenceError
    ├── InvalidInput            the caller's input breaks rules: all of them, each with its place
    │   └── MalformedInput      the input cannot even be read (not JSON, not YAML, wrong content type)
    ├── InputTooLarge           the input is over a limit of size or depth
    ├── UnsupportedContentType  the content type is none that the route takes
    ├── Unauthenticated         no key, or none that is valid
    ├── Forbidden               the key is valid and does not allow this
    ├── NotFound                there is no such thing for this caller
    ├── Conflict                the thing exists already, or is in another state than asked for
    ├── QuotaExceeded           a limit of the subscription plan is reached
    │   └── BudgetExceeded      a budget of bytes or of cost leaves no room for a run
    ├── RateLimited             too many requests from one source
    ├── NotConfigured           the operator has not set up yet what the call needs
    ├── MessageRefused          Pub/Sub will never take this message
    └── WarehouseError          BigQuery refused or failed
        ├── AlreadyExists       the ID is taken: for a job ID, somebody holds the claim
        ├── NoSuchResource      no such dataset, table or job
        ├── QueryRefused        BigQuery will not run this statement, now or later
        ├── RowsRefused         streamed rows do not fit their table
        └── Unavailable         a passing failure: the same call may succeed later

No error knows HTTP: `common.problems` maps each class to what callers are told, `common.messages` to
redeliver or reject. A message names what the caller gave and the rule it breaks; it never holds a secret or
another tenant's data.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule in some input: where (a JSON pointer, RFC 6901; "" is the whole), and the rule.

    In an uploaded file also the ID of the step, "" for none, and the line and column, from 1, where they can
    be told.
    """

    pointer: str
    rule: str
    step: str = ""
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return f"{self.pointer or '/'}: {self.rule}"


class ConvergenceError(Exception):
    """The root of the tree."""

    explains_itself: ClassVar[bool] = True
    """Whether its words are all that a log needs; a stack is for what nobody has foreseen."""


class InvalidInput(ConvergenceError):
    """The input breaks rules; `violations` lists all of them: one round trip is enough."""

    def __init__(self, violations: list[Violation], summary: str = "the input breaks rules") -> None:
        super().__init__(f"{summary}: " + "; ".join(str(violation) for violation in violations))
        self.summary = summary
        self.violations = violations


class MalformedInput(InvalidInput):
    """The input cannot be read at all."""

    def __init__(self, rule: str, pointer: str = "", line: int | None = None) -> None:
        super().__init__([Violation(pointer, rule, line=line)], "the input cannot be read")


class InputTooLarge(ConvergenceError):
    """The input is over a limit of size or depth."""


class UnsupportedContentType(ConvergenceError):
    """The content type is none that the route takes."""


class Unauthenticated(ConvergenceError):
    """No key was given, or none that is valid."""


class Forbidden(ConvergenceError):
    """The key is valid and does not allow this."""


class NotFound(ConvergenceError):
    """There is no such thing for this caller."""


class Conflict(ConvergenceError):
    """The thing exists already, or is in another state than the call needs."""


class QuotaExceeded(ConvergenceError):
    """A limit of the subscription plan is reached; `resets_at` (UTC) is when it is worth trying again."""

    def __init__(
        self,
        *,
        limit_name: str,
        used: int,
        limit: int,
        resets_at: datetime,
        now: datetime,
        owner: str = "your plan",
        needed: int = 1,
        why: str = "",
    ) -> None:
        left = max(0, limit - used)
        told = (
            f"the {limit_name} limit of {owner} is reached: {used} of {limit} runs"
            if needed == 1
            else f"the {limit_name} limit of {owner} leaves no room: {needed} runs are needed, "
            f"{used} of {limit} are used, {left} are left"
        )
        super().__init__(f"{told}; {why}" if why else told)
        self.needed = needed
        self.left = left
        self.can_fit = needed <= limit
        self.limit_name = limit_name
        self.used = used
        self.limit = limit
        self.resets_at = resets_at
        self.retry_after_seconds = max(1, round((resets_at - now).total_seconds()))


class BudgetExceeded(QuotaExceeded):
    """A budget leaves no room: of `limit` bytes `used` are billed, and `held` are kept for runs under way.

    `is_held`: what runs under way hold is all that is in the way, and comes free as they end.
    """

    def __init__(
        self,
        *,
        limit_name: str,
        scope: str,
        whose: str,
        used: int,
        held: int,
        limit: int,
        is_held: bool,
        resets_at: datetime,
        now: datetime,
        worth: str = "",
    ) -> None:
        super().__init__(limit_name=limit_name, used=used, limit=limit, resets_at=resets_at, now=now)
        what = "is held by runs under way" if is_held else "is used up"
        self.args = (
            f"{limit_name} of {whose} {what}: of {limit:,} bytes{worth} {used:,} are billed this month and "
            f"{held:,} are held",
        )
        self.scope = scope
        self.held = held
        self.is_held = is_held


class RateLimited(ConvergenceError):
    """Too many requests from one source."""

    def __init__(self, message: str, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class NotConfigured(ConvergenceError):
    """The operator has not set up yet what the call needs: an admin key, the central tables."""


class MessageRefused(ConvergenceError):
    """Pub/Sub will never take this message: its data or attributes are none, or too long."""


class WarehouseError(ConvergenceError):
    """BigQuery refused or failed; `reason` is BigQuery's own word for it."""

    explains_itself = False

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason


class AlreadyExists(WarehouseError):
    """The ID is taken."""


class NoSuchResource(WarehouseError):
    """There is no such dataset, table or job."""


class QueryRefused(WarehouseError):
    """BigQuery will not run this statement."""


class RowsRefused(WarehouseError):
    """Streamed rows do not fit their table."""


class Unavailable(WarehouseError):
    """A passing failure: the same call may succeed later."""

    explains_itself = True

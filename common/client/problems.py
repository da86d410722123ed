"""What a call ends with where it has no answer to give.

ApiError                  the call did not come to an answer
├── Unreachable           nobody answers at that address
├── UnreadableAnswer      an answer that is no JSON, or leads elsewhere
└── Problem               a problem (RFC 9457): kind, detail, and each broken rule with its place
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TYPE_PREFIX = "urn:problem-type:convergence:"


class ApiError(Exception):
    """The call did not come to an answer; the message is one readable line, without any key."""


class Unreachable(ApiError):
    """Nobody answers at that address, or not in time."""


class UnreadableAnswer(ApiError):
    """The answer is none of the API's: no JSON, or a redirection, which could carry the key elsewhere."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenRule:
    """One rule that the input breaks: a JSON pointer, "" for the whole, and where it is in a file."""

    pointer: str
    rule: str
    step: str = ""
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return f"{self.pointer or '/'}: {self.rule}"


class Problem(ApiError):
    """The platform refuses the call, or failed; `members` is the whole document."""

    def __init__(self, call: str, status: int, members: Mapping[str, Any], retry_after: str = "") -> None:
        self.call = call
        self.status = status
        self.members = members
        self.kind = str(members.get("type") or "").removeprefix(TYPE_PREFIX)
        self.title = str(members.get("title") or "")
        self.detail = str(members.get("detail") or "")
        self.request_id = str(members.get("request_id") or "")
        self.errors = tuple(_broken_rules(members.get("errors")))
        self.retry_after_seconds = int(retry_after) if retry_after.isdecimal() else None
        super().__init__(f"{call}: {status} {self.line}".rstrip())

    @property
    def line(self) -> str:
        """Title, detail and each broken rule with its place, in one line."""
        head = ": ".join(part for part in (self.title, self.detail) if part)
        rules = "; ".join(str(broken) for broken in self.errors)
        return " ".join((f"{head}: {rules}" if rules else head).split())


def _broken_rules(told: Any) -> list[BrokenRule]:
    return [
        BrokenRule(
            pointer=str(one.get("pointer") or ""),
            rule=str(one.get("rule") or ""),
            step=str(one.get("step") or ""),
            line=one["line"] if isinstance(one.get("line"), int) else None,
            column=one["column"] if isinstance(one.get("column"), int) else None,
        )
        for one in (told if isinstance(told, list) else [])
        if isinstance(one, dict)
    ]

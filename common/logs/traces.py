"""Traces: the identity of one story, from a request through its messages to each job (W3C Trace Context)."""

import re
import secrets
from dataclasses import dataclass
from typing import Self

_TRACEPARENT = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})"
)
_CLOUD_TRACE = re.compile(r"(?P<trace>[0-9a-fA-F]{32})(?:/(?P<span>[0-9]{1,20}))?(?:;o=(?P<options>[0-9]+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A trace (32 hex digits), the span we act in (16 hex digits), and whether the caller samples it."""

    trace_id: str
    span_id: str
    is_sampled: bool = False

    @property
    def traceparent(self) -> str:
        """The trace as a `traceparent` value; it is also a valid job label."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.is_sampled else '00'}"

    @classmethod
    def new(cls) -> Self:
        """Start a trace of our own."""
        return cls(trace_id=secrets.token_hex(16), span_id=secrets.token_hex(8))

    @classmethod
    def parse(cls, traceparent: str) -> Self | None:
        """Read a `traceparent`, None where it is not well-formed: then a new trace is due."""
        found = _TRACEPARENT.fullmatch(traceparent.strip())
        if found is None or found["version"] == "ff" or not _are_set(found["trace"], found["span"]):
            return None
        return cls(
            trace_id=found["trace"], span_id=found["span"], is_sampled=bool(int(found["flags"], 16) & 1)
        )

    @classmethod
    def parse_cloud(cls, header: str) -> Self | None:
        """Read an `X-Cloud-Trace-Context` (`TRACE/SPAN;o=1`, span in decimal), None where it is malformed."""
        found = _CLOUD_TRACE.fullmatch(header.strip())
        if found is None or not _are_set(found["trace"]):
            return None
        span = f"{int(found['span'] or 0):016x}"
        if not _are_set(span) or len(span) > 16:
            span = secrets.token_hex(8)
        return cls(trace_id=found["trace"].lower(), span_id=span, is_sampled=found["options"] == "1")


def continued(traceparent: str = "", cloud_trace_context: str = "") -> Trace:
    """Continue the caller's trace by the one header or the other, or start one."""
    return Trace.parse(traceparent) or Trace.parse_cloud(cloud_trace_context) or Trace.new()


def _are_set(*identifiers: str) -> bool:
    # All zeros means "none" in W3C Trace Context.
    return all(identifier.strip("0") for identifier in identifiers)

"""How an event becomes one line: JSON in Cloud Logging's fields, or text for people."""

import json
import logging
from datetime import UTC, datetime
from typing import Any

from common.logs.context import current_context
from common.logs.redaction import redact, redact_all

LABELS = ("tenant", "run", "level", "step")
_PLAIN = logging.LogRecord("", 0, "", 0, "", None, None)
_OWN_ATTRIBUTES = frozenset(_PLAIN.__dict__) | {"message", "asctime", "taskName"}
_RESERVED_FIELDS = frozenset({"severity", "message", "time", "logger", "stack_trace"})


class JsonLine(logging.Formatter):
    """One JSON object per event (https://cloud.google.com/logging/docs/structured-logging)."""

    def __init__(self, project: str) -> None:
        super().__init__()
        self._project = project

    def format(self, record: logging.LogRecord) -> str:
        """Write the event with its context."""
        fields = event_fields(record)
        line = _head(record) | _trace_fields(self._project) | _without_reserved(fields)
        line["logging.googleapis.com/labels"] = labels_of(fields)
        line["logging.googleapis.com/sourceLocation"] = {
            "file": record.pathname,
            "line": str(record.lineno),
            "function": record.funcName,
        }
        if stack := stack_of(self, record):
            line["stack_trace"] = stack
        # In ASCII: no reader takes a separator of another script, or half a character, for the line's end.
        return json.dumps(redact_all(line), separators=(",", ":"))


class TextLine(logging.Formatter):
    """`09:30:00.123 INFO    step claimed tenant=acme step=extract`, and below it an exception's stack.

    Whatever a text holds, it stays in its line: what cannot be printed is escaped.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Write the event with its context."""
        fields = event_fields(record)
        shown = labels_of(fields) | {name: value for name, value in fields.items() if name not in LABELS}
        moment = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S.%f")[:-3]
        line = f"{moment} {record.levelname:<7} {folded(record.getMessage())}"
        line += "".join(f" {name}={_as_word(value)}" for name, value in shown.items())
        stack = stack_of(self, record)
        return redact("\n".join([line, *(f"  | {folded(one)}" for one in stack.split("\n") if stack)]))


def folded(text: str) -> str:
    """Put a text in one line: line breaks become blanks, and what else cannot be printed is escaped."""
    line = " ".join(text.splitlines())
    return "".join(sign if sign.isprintable() else _escaped(sign) for sign in line)


def _escaped(sign: str) -> str:
    return sign.encode("unicode_escape").decode("ascii")


def event_fields(record: logging.LogRecord) -> dict[str, Any]:
    """Return what the caller gave as `extra`, and an exception's words where they stand for its stack."""
    fields = {name: value for name, value in record.__dict__.items() if name not in _OWN_ATTRIBUTES}
    error = _error_of(record)
    return {"error": str(error)} | fields if _explains_itself(error) else fields


def labels_of(fields: dict[str, Any]) -> dict[str, str]:
    """Return the event's labels: the context's, and those that the event itself names."""
    own = {name: str(fields[name]) for name in LABELS if fields.get(name) is not None}
    return {**current_context().labels, **own}


def stack_of(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    """Return the stack of the event's exception, "" where it has none or says all by itself."""
    if record.exc_info is None or _explains_itself(_error_of(record)):
        return ""
    return formatter.formatException(record.exc_info)


def _error_of(record: logging.LogRecord) -> BaseException | None:
    return record.exc_info[1] if record.exc_info else None


def _explains_itself(error: BaseException | None) -> bool:
    return bool(getattr(error, "explains_itself", False))


def _head(record: logging.LogRecord) -> dict[str, Any]:
    moment = datetime.fromtimestamp(record.created, UTC)
    return {
        "severity": record.levelname,
        "message": record.getMessage(),
        "time": moment.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "logger": record.name,
    }


def _trace_fields(project: str) -> dict[str, Any]:
    trace = current_context().trace
    if trace is None:
        return {}
    return {
        "logging.googleapis.com/trace": f"projects/{project}/traces/{trace.trace_id}",
        "logging.googleapis.com/spanId": trace.span_id,
        "logging.googleapis.com/trace_sampled": trace.is_sampled,
    }


def _without_reserved(fields: dict[str, Any]) -> dict[str, Any]:
    """Keep an event's field from replacing one that Cloud Logging reads; labels have a place of their own."""
    return {
        f"{name}_" if name in _RESERVED_FIELDS else name: value
        for name, value in fields.items()
        if name not in LABELS
    }


def _as_word(value: Any) -> str:
    text = str(value)
    is_one_word = text and text.isprintable() and not set(text) & set(' "=')
    return text if is_one_word else folded(json.dumps(text, ensure_ascii=False))

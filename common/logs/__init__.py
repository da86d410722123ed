"""Structured logs: one line per event, in the fields that Cloud Logging knows, with the run's trace on every line."""

from common.logs.context import carried, current_trace, current_traceparent, log_context
from common.logs.redaction import MASK, redact, register_secrets
from common.logs.setup import configure_logging
from common.logs.traces import Trace, trace_from_headers

__all__ = [
    "MASK",
    "Trace",
    "carried",
    "configure_logging",
    "current_trace",
    "current_traceparent",
    "log_context",
    "redact",
    "register_secrets",
    "trace_from_headers",
]

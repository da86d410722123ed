"""Structured logs: one line per event, in Cloud Logging's fields, with the trace of the run on each."""

from common.logs.context import carried, current_trace, current_traceparent, log_context
from common.logs.redaction import MASK, is_secret, mask, redact, register_secrets
from common.logs.setup import configure_logging
from common.logs.traces import Trace, continued

__all__ = [
    "MASK",
    "Trace",
    "carried",
    "configure_logging",
    "continued",
    "current_trace",
    "current_traceparent",
    "is_secret",
    "log_context",
    "mask",
    "redact",
    "register_secrets",
]

"""What every line of a request or message says besides its event: the trace, the tenant, run, level and step.

It lives in a context variable, so requests on different threads never see each other's. A thread pool starts
its threads without it: hand over `carried(function)` instead of `function`.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field, replace

from common.logs.traces import Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class LogContext:
    """The trace that a piece of work belongs to, and its labels."""

    trace: Trace | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


_EMPTY = LogContext()
_current: ContextVar[LogContext] = ContextVar("log_context", default=_EMPTY)


@contextmanager
def log_context(*, trace: Trace | None = None, **labels: str | int | None) -> Iterator[None]:
    """Add a trace or labels (tenant, run, level, step, …) to each line logged inside; None adds nothing."""
    outer = _current.get()
    added = {name: str(value) for name, value in labels.items() if value is not None}
    token = _current.set(replace(outer, trace=trace or outer.trace, labels={**outer.labels, **added}))
    try:
        yield
    finally:
        _current.reset(token)


def current_context() -> LogContext:
    """Return the context of the calling code."""
    return _current.get()


def current_trace() -> Trace | None:
    """Return the trace of the calling code, None outside of any."""
    return _current.get().trace


def current_traceparent() -> str:
    """Return the trace as it goes on messages and job labels, "" outside of any."""
    trace = _current.get().trace
    return trace.traceparent if trace else ""


def carried[**P, R](function: Callable[P, R]) -> Callable[P, R]:
    """Make `function` run in the caller's context wherever it is called: for `submit` and `map` of a pool."""
    context = copy_context()

    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        # A context can be entered by one thread at a time, so each call gets its own copy.
        return context.copy().run(function, *args, **kwargs)

    return run

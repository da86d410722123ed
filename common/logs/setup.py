"""Logging is set up once per process, however many functions share it."""

import logging
import sys
from collections.abc import Iterable
from threading import Lock

from common.logs.lines import JsonLine, TextLine
from common.logs.redaction import register_secrets

_lock = Lock()


class PlatformHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """The one handler of the process; its own class, so that a second set-up finds it."""


def configure_logging(
    *, project: str, log_format: str = "json", level: int = logging.INFO, secrets: Iterable[str] = ()
) -> None:
    """Write every event to standard output, as `json` or `text` lines; repeating it changes nothing.

    functions_framework and Flask add console handlers of their own: events would come twice, once unmasked.
    """
    if log_format not in {"json", "text"}:
        raise ValueError(f"LOG_FORMAT is json or text, not {log_format!r}")
    register_secrets(secrets)
    root = logging.getLogger()
    with _lock:
        if any(isinstance(handler, PlatformHandler) for handler in root.handlers):
            return
        _drop_console_handlers(root)
        handler = PlatformHandler(sys.stdout)
        handler.setFormatter(TextLine() if log_format == "text" else JsonLine(project))
        root.addHandler(handler)
        root.setLevel(level)
        # Werkzeug's access lines show query strings; the platform writes access lines of its own.
        logging.getLogger("werkzeug").setLevel(logging.WARNING)
    logging.captureWarnings(True)


def _drop_console_handlers(root: logging.Logger) -> None:
    for handler in list(root.handlers):
        if type(handler) is logging.StreamHandler:
            root.removeHandler(handler)

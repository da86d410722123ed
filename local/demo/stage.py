"""A platform for the demo alone: fresh, on a free port, its log in a file."""

import logging
import os
import secrets
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from common.logs import configure_logging
from common.logs.setup import PlatformHandler
from local.demo.errors import DemoError
from local.options import DEFAULT_PROJECT, Options
from local.platform import Platform

MEMORY = Path("/dev/shm")  # noqa: S108 - the platform makes a folder of its own in it
ROOM_BYTES = 2 * 1024**3


def ephemeral_options() -> Options:
    """Choose data that does not last, and a free port: a platform on 8090 is not disturbed."""
    return Options(
        port=free_port(),
        admin_api_key=secrets.token_urlsafe(24),
        is_key_generated=True,
        data_dir=memory_folder() or Path(tempfile.gettempdir()),
        is_ephemeral=True,
        project=DEFAULT_PROJECT,
        location="US",
    )


def memory_folder() -> Path | None:
    """Name the folder in memory that Linux has, for small data soon gone; None where it has little room."""
    has_room = os.access(MEMORY, os.W_OK | os.X_OK) and shutil.disk_usage(MEMORY).free >= ROOM_BYTES
    return MEMORY if has_room else None


def free_port() -> int:
    """Find a port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def started_platform(options: Options) -> Iterator[Platform]:
    """Start a platform and end it after the block; DemoError where it does not start."""
    platform = Platform(options)
    try:
        platform.start()
    except (OSError, RuntimeError) as error:
        raise DemoError(f"the platform cannot start: {error}") from error
    try:
        yield platform
    finally:
        platform.stop()


@contextmanager
def logging_to(file: Path, project: str) -> Iterator[None]:
    """Write the platform's log to a file inside the block: its lines would garble what is on the screen."""
    configure_logging(project=project, log_format="text")
    handlers = [handler for handler in logging.getLogger().handlers if isinstance(handler, PlatformHandler)]
    with file.open("w", encoding="utf-8") as log:
        streams = [handler.setStream(log) for handler in handlers]
        try:
            yield
        finally:
            for handler, stream in zip(handlers, streams, strict=True):
                handler.setStream(stream or sys.stdout)

"""A WSGI server in a thread of its own."""

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from werkzeug.serving import BaseWSGIServer, make_server

type WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

POLL_SECONDS = 0.05
"""How soon a server sees that it is to stop: werkzeug looks twice a second."""


def server_on(host: str, port: int, app: WsgiApp) -> BaseWSGIServer:
    """Take a port; OSError where it cannot be had: werkzeug would print something and exit."""
    with socket.create_server((host, port)) as listener:
        _, taken = listener.getsockname()
        return make_server(host, taken, app, threaded=True, fd=listener.fileno())


@contextmanager
def served(server: BaseWSGIServer, name: str) -> Iterator[None]:
    """Answer requests inside the block; then no more are taken, and running ones are not waited for."""
    serve = partial(server.serve_forever, poll_interval=POLL_SECONDS)
    thread = threading.Thread(target=serve, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()

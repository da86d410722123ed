"""A WSGI server in a thread of its own."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from werkzeug.serving import BaseWSGIServer

POLL_SECONDS = 0.05
"""How soon a server sees that it is to stop: werkzeug looks twice a second."""


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

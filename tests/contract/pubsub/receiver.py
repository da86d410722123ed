"""A push endpoint: a real HTTP server that records what is pushed to it and answers as a test says."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request: its path, headers (names in lower case), JSON body, and when it came (monotonic)."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    at: float = field(default_factory=time.monotonic)

    @property
    def message(self) -> dict[str, Any]:
        return dict(self.body["message"])


PATIENCE_SECONDS = 60.0
"""How long a test waits for what must come; no verdict depends on how soon it does."""

type Answer = Callable[[Received], int]
"""Answer a request by a status; the request itself is already recorded."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # more than are pushed at once: none is turned away


class Receiver:
    """Listen on a port, and answer every push by `answer` (204 unless a test says otherwise)."""

    def __init__(self, port: int = 0) -> None:
        self.answer: Answer = lambda received: 204
        self._received: list[Received] = []
        self._changed = threading.Condition()
        self._server = _Server(("127.0.0.1", port), self._handler())
        poll = {"poll_interval": 0.01}
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs=poll, name="push-receiver")

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/push"

    @property
    def received(self) -> list[Received]:
        with self._changed:
            return list(self._received)

    def wait_for(self, count: int, timeout_seconds: float = PATIENCE_SECONDS) -> list[Received]:
        """Wait until so many pushes have come, and return all that came."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._received) >= count, timeout_seconds):
                raise TimeoutError(f"{len(self._received)} pushes instead of {count} in {timeout_seconds} s")
        return self.received

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _record(self, received: Received) -> None:
        with self._changed:
            self._received.append(received)
            self._changed.notify_all()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                headers = {name.lower(): value for name, value in self.headers.items()}
                received = Received(path=self.path, headers=headers, body=body)
                receiver._record(received)
                self._respond(receiver.answer(received))

            def _respond(self, status: int) -> None:
                try:
                    self.send_response(status)
                    self.send_header("content-length", "0")
                    self.end_headers()
                except OSError:  # whoever pushed has given up
                    self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:
                """Keep the test's output clean."""

        return Handler

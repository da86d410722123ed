"""A platform that answers what a test has laid down, over real HTTP, and remembers what it was asked."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

PROBLEM = "urn:problem-type:convergence:"


@dataclass(frozen=True)
class Asked:
    """A request that came."""

    method: str
    target: str
    headers: Mapping[str, str]
    data: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.data)


@dataclass
class ScriptedPlatform:
    """Gives its answers in their order, the last one again and again; None breaks the connection."""

    url: str = ""
    answers: list[tuple[int, Any, Mapping[str, str]] | None] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)

    def answer(self, status: int, body: Any, **headers: str) -> None:
        """Lay down the next answer; bytes are sent as they are."""
        self.answers.append((status, body, {name.replace("_", "-"): text for name, text in headers.items()}))

    def refuse(self, status: int, kind: str, **members: Any) -> None:
        """Lay down a problem."""
        headers = {"Retry-After": str(members.pop("retry_after"))} if "retry_after" in members else {}
        document = {"type": PROBLEM + kind, "title": kind, "status": status, "detail": "so it is", **members}
        self.answers.append((status, document, headers))

    def break_off(self) -> None:
        """Lay down that the next request gets no answer."""
        self.answers.append(None)


@contextmanager
def scripted_platform() -> Iterator[ScriptedPlatform]:
    """Serve on a free port inside the block."""
    platform = ScriptedPlatform()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            platform.asked.append(Asked(self.command, self.path, dict(self.headers), data))
            told = platform.answers.pop(0) if len(platform.answers) > 1 else platform.answers[0]
            if told is None:
                self.close_connection = True
                return
            status, body, headers = told
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 - the server's own names

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        platform.url = f"http://127.0.0.1:{server.server_port}"
        yield platform
        server.shutdown()
        thread.join()

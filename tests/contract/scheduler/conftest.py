"""The local scheduler on a clock that tests drive, the real client for it, and a target that listens."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
import pytest
from google.cloud import scheduler_v1
from google.cloud.scheduler_v1.services.cloud_scheduler.transports import CloudSchedulerGrpcTransport

from local.scheduler import ManualClock, SchedulerServer

PATIENCE_SECONDS = 60.0
PARENT = "projects/p/locations/us-central1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Target:
    """An HTTP server that keeps what it is sent and answers with `statuses` in turn, then with 200."""

    url: str = ""
    seen: list[Seen] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    may_answer: threading.Event = field(default_factory=threading.Event)
    """While it is not set, each request waits for it."""
    answered: int = 0

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.seen.append(Seen(method=request.command, path=request.path, headers=headers, body=body))
        self.may_answer.wait(PATIENCE_SECONDS)
        self.answered += 1
        request.send_response(self.statuses.pop(0) if self.statuses else 200)
        request.send_header("Content-Length", "0")
        request.end_headers()


@pytest.fixture
def target() -> Iterator[Target]:
    kept = Target()
    kept.may_answer.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            kept.answer(self)

        do_GET = do_PUT = do_PATCH = do_DELETE = do_POST  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        kept.url = f"http://127.0.0.1:{server.server_port}"
        yield kept
        kept.may_answer.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def server() -> Iterator[SchedulerServer]:
    with SchedulerServer(clock=ManualClock()) as running:
        yield running


@pytest.fixture
def client(server: SchedulerServer) -> Iterator[scheduler_v1.CloudSchedulerClient]:
    transport = CloudSchedulerGrpcTransport(channel=grpc.insecure_channel(server.address))
    with scheduler_v1.CloudSchedulerClient(transport=transport) as connected:
        yield connected


def job(target: Target, job_id: str = "dispatcher", **fields: Any) -> dict[str, Any]:
    """Describe a job that calls `target` each minute."""
    http_target = {"uri": f"{target.url}/tick", **fields.pop("http_target", {})}
    name = {"name": f"{PARENT}/jobs/{job_id}"} if job_id else {}
    return {**name, "schedule": "* * * * *", "time_zone": "Etc/UTC", "http_target": http_target} | fields

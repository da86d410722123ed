"""The HTTP server: requests in, JSON out, one lock around the store."""

import json
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from threading import Lock, Thread
from typing import Any, Self

from tests.terraform.fake_google.answers import ApiError, Json
from tests.terraform.fake_google.api import Api
from tests.terraform.fake_google.requests import Request
from tests.terraform.fake_google.store import Store
from tests.terraform.fake_google.uploads import upload

# The provider's settings for custom endpoints (without `_custom_endpoint`), and the path that each gets here.
ENDPOINTS = {
    "artifact_registry": "artifact_registry/v1/",
    "big_query": "bigquery/v2/",
    "bigquery_data_transfer": "bigquery_data_transfer/v1/",
    "billing_budgets": "billing_budgets/v1/",
    "cloud_run_v2": "cloud_run_v2/v2/",
    "cloud_scheduler": "cloud_scheduler/v1/",
    "cloudfunctions2": "cloudfunctions2/v2/",
    "compute": "compute/v1/",
    "iam_beta": "iam/v1/",  # Service accounts and roles too, whatever its name says.
    "kms": "kms/v1/",
    "logging": "logging/v2/",
    "monitoring": "monitoring/",
    "pubsub": "pubsub/v1/",
    "resource_manager": "resource_manager/v1/",
    "secret_manager": "secret_manager/v1/",
    "service_usage": "service_usage/v1/",
    "storage": "storage/v1/",
}

# The others are protocol buffers underneath: their JSON leaves out zeros, false, and empty strings and lists.
_SPELT_OUT = {"storage", "big_query", "compute"}

# Maps from the caller keep their empty values, there too.
_MAPS = {"environmentVariables", "labels", "params", "userLabels"}


class FakeGoogle:
    """Google on a port of this machine, for as long as the `with` block lasts."""

    def __init__(self) -> None:
        self.store = Store()
        self.calls: list[tuple[str, str, int]] = []  # method, URL, code
        self._api = Api(self.store)
        self._lock = Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def base_url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def endpoints(self) -> dict[str, str]:
        """The provider's settings that point it here: name => URL."""
        return {f"{name}_custom_endpoint": f"{self.base_url}/{path}" for name, path in ENDPOINTS.items()}

    def answer(self, method: str, url: str, content_type: str, raw: bytes) -> tuple[int, Json]:
        """Answer one request: code and body."""
        try:
            with self._lock:
                code, body = 200, self._answer(method, url, content_type, raw)
        except ApiError as error:
            code, body = error.code, error.body
        self.calls.append((method, url, code))
        return code, body

    def _answer(self, method: str, url: str, content_type: str, raw: bytes) -> Json:
        if url.startswith("/upload/"):
            return upload(self.store, Request.parse(method, url, {}, self.base_url), content_type, raw)
        request = Request.parse(method, url, json.loads(raw or b"{}"), self.base_url)
        answer = self._api.answer(request)
        return answer if request.service in _SPELT_OUT else _without_zeros(answer)


def _handler(google: FakeGoogle) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def serve(self) -> None:
            raw = _body(self.rfile, self.headers)
            code, body = google.answer(self.command, self.path, self.headers.get("Content-Type", ""), raw)
            answer = json.dumps(body).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve  # noqa: N815 - the names are http.server's

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: `calls` has it all."""

    return Handler


def _body(stream: BufferedIOBase, headers: Message) -> bytes:
    """Read a request's body: the provider sends uploads in chunks."""
    if headers.get("Transfer-Encoding") != "chunked":
        return stream.read(int(headers.get("Content-Length") or 0))
    chunks = []
    while size := int(stream.readline(), 16):
        chunks.append(stream.read(size))
        stream.readline()
    stream.readline()
    return b"".join(chunks)


def _without_zeros(value: Any) -> Any:
    """Leave out what protocol buffers leave out; an empty message stays."""
    if isinstance(value, list):
        return [_without_zeros(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    kept = {name: inner if name in _MAPS else _without_zeros(inner) for name, inner in value.items()}
    return {name: inner for name, inner in kept.items() if inner or isinstance(inner, dict)}

"""The edge under the functions framework, whose own answers would be HTML."""

import logging
from io import BytesIO, RawIOBase
from pathlib import Path
from textwrap import dedent

import pytest
from flask.testing import FlaskClient
from functions_framework import create_app

MAIN = """
    import functions_framework
    from flask import Request
    from werkzeug.wrappers import Response

    from common.errors import NotConfigured
    from common.http.server import answer
    from common.http.edge import SystemEdge
    from common.http.server import problem_details
    from tests.unit.http.test_answering import ROUTES
    from tests.unit.http.site import Bare

    def wired() -> Bare:
        if WIRING_FAILS:
            raise NotConfigured("GCP_PROJECT_ID is not set")
        return Bare()

    @functions_framework.http
    @problem_details
    def framed(request: Request) -> Response:
        return answer(request, ROUTES, services=wired, system=SystemEdge)
"""


def client_of(folder: Path, *, wiring_fails: bool = False) -> FlaskClient:
    main = folder / "main.py"
    main.write_text(f"WIRING_FAILS = {wiring_fails}\n" + dedent(MAIN), encoding="utf-8")
    client: FlaskClient = create_app(target="framed", source=str(main)).test_client()
    return client


@pytest.fixture(autouse=True)
def environment_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    # create_app leaves this behind; set here, it goes with the test.
    monkeypatch.setenv("FUNCTION_SIGNATURE_TYPE", "http")


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    return client_of(tmp_path)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/health", 200),
        ("HEAD", "/health", 200),
        ("OPTIONS", "/me", 204),
        ("GET", "/", 404),
        ("GET", "/names/%2e%2e/", 404),
        ("PATCH", "/me", 405),
        ("TRACE", "/me", 405),
        ("BREW", "/me", 405),
        ("GET", "/broken", 500),
        ("GET", "/line%0Abreak", 404),
        ("GET", "/robots.txt", 404),
        ("GET", "/favicon.ico", 404),
    ],
)
def test_every_method_and_path_reaches_the_edge(
    client: FlaskClient, method: str, path: str, status: int
) -> None:
    response = client.open(path, method=method)
    assert response.status_code == status
    assert response.headers["X-Request-Id"]
    if status >= 400 and method != "HEAD":
        assert response.content_type == "application/problem+json"


def test_a_body_beyond_all_limits_is_a_413(client: FlaskClient) -> None:
    assert client.post("/me", data=b"x" * 11_000_000).status_code in {405, 413}


class BrokenOff(RawIOBase):
    """A body as servers give one whose caller is gone, or whose chunks are none."""

    def readable(self) -> bool:
        return True

    def readinto(self, _: object) -> int:
        raise OSError("Invalid chunk header")


@pytest.mark.parametrize(
    ("path", "status"),
    [("/files", 400), ("/me", 405), ("/nowhere", 404)],
    ids=["read", "not read", "unknown"],
)
@pytest.mark.parametrize(
    "sent",
    [
        {"wsgi.input": BrokenOff(), "wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"},
        {"wsgi.input": BytesIO(b"{}"), "CONTENT_LENGTH": "50"},
    ],
    ids=["chunks", "length"],
)
def test_a_body_that_breaks_off_is_no_fault_of_the_platforms(
    client: FlaskClient, caplog: pytest.LogCaptureFixture, path: str, status: int, sent: dict[str, object]
) -> None:
    response = client.post(path, environ_overrides=sent)
    assert (response.status_code, response.content_type) == (status, "application/problem+json")
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_a_function_that_cannot_be_wired_answers_a_problem(tmp_path: Path) -> None:
    response = client_of(tmp_path, wiring_fails=True).get("/me")
    assert (response.status_code, response.content_type) == (503, "application/problem+json")
    assert response.headers["X-Content-Type-Options"] == "nosniff"

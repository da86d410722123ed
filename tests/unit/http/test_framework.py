"""The edge under the functions framework, whose own answers would be HTML."""

from pathlib import Path
from textwrap import dedent
from typing import cast

import pytest
from flask.testing import FlaskClient
from functions_framework import create_app

MAIN = """
    import functions_framework
    from flask import Request
    from werkzeug.wrappers import Response

    from common.http.answering import answer
    from tests.unit.http.test_answering import ROUTES
    from tests.unit.http.site import Bare

    @functions_framework.http
    def framed(request: Request) -> Response:
        return answer(request, ROUTES, services=Bare())
"""


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    # create_app leaves this behind; set here, it goes with the test.
    monkeypatch.setenv("FUNCTION_SIGNATURE_TYPE", "http")
    main = tmp_path / "main.py"
    main.write_text(dedent(MAIN), encoding="utf-8")
    app = create_app(target="framed", source=str(main))
    return cast(FlaskClient, app.test_client())


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

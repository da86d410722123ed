"""What the console answers by itself, before anybody is asked."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse
from werkzeug.wrappers import Request

from common.client import Api, Key
from common.console.pipeline_pages import save
from common.console.server import MAX_FORM_BYTES, SIGN_IN, Console
from common.console.sessions import Role, Session, SessionSeal
from common.console.visits import Page, Visit

FROM_HERE = {"REMOTE_ADDR": "192.0.2.1"}
NOBODY_ANSWERS = "http://127.0.0.1:1"


class NoAttempts:
    """Counts nothing."""

    def check(self, source: str) -> None:
        """Let all in."""

    def count(self, source: str) -> None:
        raise AssertionError("no key was tried")


def connect(key: Key | None) -> Api:
    return Api(url=NOBODY_ANSWERS, key=key)


def a_client() -> Client:
    """Make a browser behind a server that reads each body to its end once more, as the framework does."""
    console = Console(
        connect=connect,
        seal=SessionSeal(["a secret of the console's, long enough"]),
        attempts=NoAttempts(),
        source_of=lambda request: request.remote_addr or "",
    )

    def answered(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ)
        response = console.answer(request)
        assert request.get_data() == b""
        return response(environ, start_response)

    return Client(answered)


def sign_in(client: Client, **form: str) -> TestResponse:
    page = client.get(SIGN_IN).text
    token = page.partition('name="form_token" value="')[2].partition('"')[0]
    return client.post(SIGN_IN, data=form | {"form_token": token})


def test_a_key_that_is_missing_is_told_as_that() -> None:
    answer = sign_in(a_client(), key="  ")
    assert answer.status_code == 403
    assert "The key is missing." in answer.text


def test_a_form_that_is_too_long_is_refused_and_read_to_its_end() -> None:
    answer = a_client().post(SIGN_IN, data={"key": "x" * (MAX_FORM_BYTES + 1)})
    assert answer.status_code == 413


@pytest.mark.parametrize("config_id", ["", "Orders", "two words", '"><script>', "a" * 64])
def test_an_id_that_leads_to_no_pipeline_is_told_beside_the_file(config_id: str) -> None:
    form = {"config_id": config_id, "pipeline_yaml": "pipeline: {name: x}"}
    session = Session.new(Role.TENANT, "acme_api_0000000000000000")
    page = save(Visit(session=session, api=connect(None), path={}, query={}, form=form))
    assert isinstance(page, Page)
    assert page.status == 422
    assert "the ID must be lower-case letters" in str(page.values["problem"])
    assert page.values["text"] == form["pipeline_yaml"]

"""Sessions: sealed, short-lived, and nobody's to make."""

import time

import pytest
from cryptography.fernet import Fernet
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request, Response

from common.console.sessions import SESSION_SECONDS, Role, Session, SessionSeal

OLD, NEW = "an-old-secret-of-the-console-0001", "a-new-secret-of-the-console-00002"
KEY = "acme_api_0123456789abcdef"


def request(cookies: str = "", url: str = "http://localhost/") -> Request:
    headers = [("Cookie", cookies)] if cookies else []
    return Request(EnvironBuilder(base_url=url, headers=headers).get_environ())


def cookie_of(seal: SessionSeal, session: Session, url: str = "http://localhost/") -> str:
    response = Response()
    seal.write(request(url=url), response, session)
    return response.headers["Set-Cookie"]


def pair(cookie: str) -> str:
    return cookie.partition(";")[0]


def test_a_session_comes_back_as_it_was_given() -> None:
    seal = SessionSeal([NEW])
    given = Session.of_key(KEY)
    assert seal.read(request(pair(cookie_of(seal, given)))) == given


def test_a_cookie_shows_nothing_of_the_key() -> None:
    cookie = cookie_of(SessionSeal([NEW]), Session.of_key(KEY))
    assert KEY not in cookie
    assert "acme" not in cookie
    assert "acme_api" not in repr(Session.of_key(KEY))


def test_a_session_outlives_a_new_secret_and_no_old_one_that_is_gone() -> None:
    cookie = pair(cookie_of(SessionSeal([OLD]), Session.of_key(KEY)))
    assert SessionSeal([NEW, OLD]).read(request(cookie)) is not None
    assert SessionSeal([NEW]).read(request(cookie)) is None


def test_a_session_ends_after_eight_hours_whatever_the_browser_does(monkeypatch: pytest.MonkeyPatch) -> None:
    seal = SessionSeal([NEW])
    cookie = pair(cookie_of(seal, Session.of_key(KEY)))
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + SESSION_SECONDS + 5)
    assert seal.read(request(cookie)) is None


@pytest.mark.parametrize(
    "made_up",
    ["", "x", Fernet(Fernet.generate_key()).encrypt(b"{}").decode(), "ä"],
    ids=["none", "a letter", "another's seal", "no ASCII"],
)
def test_what_the_console_has_not_sealed_is_no_session(made_up: str) -> None:
    assert SessionSeal([NEW]).read(request(f"convergence={made_up}" if made_up else "")) is None


def test_over_https_the_cookie_is_this_hosts_alone() -> None:
    cookie = cookie_of(SessionSeal([NEW]), Session.of_key(KEY), "https://console.example/")
    assert cookie.startswith("__Host-convergence=")
    assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))


@pytest.mark.parametrize("keys", [[], ["short"], [NEW, "short"]])
def test_a_secret_is_long(keys: list[str]) -> None:
    with pytest.raises(ValueError, match="32 characters"):
        SessionSeal(keys)


@pytest.mark.parametrize(
    ("key", "role", "name"),
    [
        (KEY, Role.TENANT, "acme"),
        ("operators-own", Role.OPERATOR, "operator"),
        ("acme_api_", Role.OPERATOR, "operator"),
    ],
)
def test_a_key_says_whose_it_is(key: str, role: Role, name: str) -> None:
    session = Session.of_key(key)
    assert (session.role, session.name) == (role, name)


def test_forms_are_of_one_session() -> None:
    one, another = Session.of_key(KEY), Session.of_key(KEY)
    assert one.accepts(one.form_token)
    assert not one.accepts(another.form_token)
    assert not one.accepts("")
    assert not one.accepts("ä")

"""The console on the site's own functions: its API is theirs, without a network between."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from werkzeug.test import Client, TestResponse
from werkzeug.wrappers import Request

from common.client import Api, Key, Retries
from common.console import Console, SessionSeal
from common.http.edge import WrongKeys
from common.public_urls import ANY_OTHER, function_of
from tests.functional.site import Site

API = "http://api.example"
SECRET = "a-secret-that-seals-the-sessions-of-tests"


class FunctionsInProcess(BaseAdapter):
    """Sends requests of the API's client to the functions that have their paths."""

    def __init__(self, site: Site) -> None:
        super().__init__()
        self._site = site

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        target = urlsplit(str(request.url))
        answer = self._site.functions[function_of(target.path) or ANY_OTHER].open(
            target.path,
            query_string=target.query,
            method=request.method,
            data=request.body,
            headers=list(request.headers.items()),
        )
        response = requests.Response()
        response.status_code = answer.status_code
        response.headers.update(dict(answer.headers))
        response._content = answer.data
        response.url = str(request.url)
        response.request = request
        return response

    def close(self) -> None:
        """Hold nothing."""


class Fields(HTMLParser):
    """The fields of a page's forms, by the form's address."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: dict[str, dict[str, str]] = {}
        self._at = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self._at = given.get("action") or ""
            self.forms.setdefault(self._at, {})
        elif tag == "input" and given.get("name"):
            self.forms[self._at][str(given["name"])] = given.get("value") or ""


@dataclass
class Browser:
    """A browser on the console: it keeps cookies, and sends forms as their page has them."""

    console: Console
    page: TestResponse | None = None
    client: Client = field(init=False)

    def __post_init__(self) -> None:
        @Request.application
        def application(request: Request) -> Any:
            return self.console.answer(request)

        self.client = Client(application)

    def get(self, path: str) -> str:
        """Open a page, and return its text."""
        self.page = self.client.get(path, follow_redirects=True)
        return self.page.get_data(as_text=True)

    def send(
        self, action: str, values: Mapping[str, str] | None = None, *, follows: bool = True, **headers: str
    ) -> TestResponse:
        """Send a form of the page that is open."""
        assert self.page is not None
        fields = Fields(self.page.get_data(as_text=True)).forms[action] | dict(values or {})
        self.page = self.client.post(action, data=fields, headers=headers, follow_redirects=follows)
        return self.page

    def sign_in(self, key: str) -> TestResponse:
        """Sign in with a key, and do not look yet at the page that this leads to."""
        self.get("/console/sign-in")
        return self.send("/console/sign-in", {"key": key}, follows=False)


def console_of(site: Site, attempts: WrongKeys | None = None) -> Console:
    """Make a console whose API is the site's functions."""

    def connect(key: Key | None) -> Api:
        session = requests.Session()
        session.mount(API, FunctionsInProcess(site))
        return Api(url=API, key=key, retries=Retries(attempts=1), session=session)

    return Console(
        connect=connect,
        seal=SessionSeal([SECRET]),
        attempts=attempts or WrongKeys(),
        source_of=lambda request: request.headers.get("X-Test-Source", "192.0.2.1"),
    )


def signed_in(site: Site, key: str) -> Browser:
    """Open a browser that is signed in."""
    browser = Browser(console_of(site))
    assert browser.sign_in(key).status_code == 303
    return browser

"""One request, one page: match, open the session, check the form, call the API; what it refuses is shown."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

from werkzeug.routing import Map, Rule
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from common.client import Api, ApiError, Key, Problem
from common.console import (
    backfill_pages,
    onboarding_pages,
    operator_pages,
    pages,
    pipeline_pages,
    quality_pages,
    run_pages,
    static_files,
    table_pages,
)
from common.console.refusals import Refused, shown
from common.console.rendering import Templates
from common.console.sessions import Role, Session, SessionSeal, is_secure
from common.console.visits import Answered, Elsewhere, Page, PageRoute, Visit
from common.request_bodies import exhaust

logger = logging.getLogger(__name__)

HOME = "/console/"
SIGN_IN = "/console/sign-in"
SIGN_OUT = "/console/sign-out"
ROUTES: Sequence[PageRoute] = (
    *onboarding_pages.ROUTES,
    *pages.ROUTES,
    *pipeline_pages.ROUTES,
    *backfill_pages.ROUTES,
    *run_pages.ROUTES,
    *table_pages.ROUTES,
    *quality_pages.ROUTES,
    *operator_pages.ROUTES,
)
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
HTTPS_ONLY = {"Strict-Transport-Security": "max-age=63072000; includeSubDomains"}
MAX_FORM_BYTES = 1024 * 1024


class Attempts(Protocol):
    """How often a source may bring a wrong key; RateLimited where it has brought too many."""

    def check(self, source: str) -> None:
        """Refuse a source that has brought too many wrong keys."""

    def count(self, source: str) -> None:
        """Note a wrong key."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request with the session that it brings, before anybody is asked who that is."""

    request: Request
    session: Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """Answers browsers. `source_of` names the address that a request comes from, as far as it can be told."""

    connect: Callable[[Key | None], Api]
    seal: SessionSeal
    attempts: Attempts
    source_of: Callable[[Request], str]
    templates: Templates = field(default_factory=Templates)
    _map: Map = field(init=False)

    def __post_init__(self) -> None:
        rules = [Rule(route.path, endpoint=route, methods=[route.method]) for route in ROUTES]
        own = [
            Rule("/health", endpoint=self._health, methods=["GET"]),
            Rule("/", endpoint=self._go_home, methods=["GET"]),
            Rule("/console", endpoint=self._go_home, methods=["GET"]),
            Rule("/console/static/<name>", endpoint=self._static, methods=["GET"]),
            Rule(SIGN_IN, endpoint=self._show_sign_in, methods=["GET"]),
            Rule(SIGN_IN, endpoint=self._sign_in, methods=["POST"]),
            Rule(SIGN_OUT, endpoint=self._sign_out, methods=["POST"]),
        ]
        object.__setattr__(self, "_map", Map([*rules, *own], strict_slashes=False))

    def answer(self, request: Request) -> Response:
        """Answer a browser. Never raises: what goes wrong is a page too."""
        request.max_content_length = MAX_FORM_BYTES
        session = self.seal.read(request) or Session.new(Role.NOBODY)
        try:
            response = self._answer(request, session)
        except Exception as error:  # noqa: BLE001 - the last line of defence
            response = self._failed(request, session, error)
        finally:
            exhaust(request)
        response.headers.update(SECURITY_HEADERS)
        if is_secure(request):
            response.headers.update(HTTPS_ONLY)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    def _answer(self, request: Request, session: Session) -> Response:
        found, path = self._map.bind_to_environ(request.environ).match()
        if not isinstance(found, PageRoute):
            if request.method == "POST":
                _check_form(request, session)
            response: Response = found(Arrival(request, session), **path)
            return response
        if session.role is not found.role:
            return redirect(SIGN_IN if session.role is Role.NOBODY else _home(session), 303)
        if request.method == "POST":
            _check_form(request, session)
        visit = Visit(
            session=session,
            api=self.connect(session.api_key),
            path=path,
            query=request.args.to_dict(),
            form=request.form.to_dict(),
        )
        if session.role is Role.NOBODY:
            return self._answer_stranger(request, session, found, visit)
        return self._told(session, found.visit(visit), request.path)

    def _answer_stranger(
        self, request: Request, session: Session, route: PageRoute, visit: Visit
    ) -> Response:
        """Answer who is not signed in: wrong tokens are counted like wrong keys, and forms need a session."""
        source = self.source_of(request)
        self.attempts.check(source)
        answered = route.visit(visit)
        if isinstance(answered, Page) and answered.status == 403:
            self.attempts.count(source)
        begins = answered.begins if isinstance(answered, Page) else None
        response = self._told(begins or session, answered, request.path)
        self.seal.write(request, response, begins or session)
        return response

    def _told(self, session: Session, answered: Answered, here: str = "") -> Response:
        if isinstance(answered, Elsewhere):
            return redirect(answered.path, 303)
        html = self.templates.render(answered, session, here)
        return Response(html, answered.status, content_type="text/html; charset=utf-8")

    def _failed(self, request: Request, session: Session, error: Exception) -> Response:
        if isinstance(error, Problem) and error.status == 401:
            page = Page(template="sign_in.html", values={"told": "The key is no longer valid."}, status=401)
            return self._signed_out(request, page)
        status, values = shown(error)
        if status >= 500:
            logger.error("page failed", exc_info=error)
        return self._told(session, Page(template="problem.html", values=values, status=status))

    def _go_home(self, arrival: Arrival) -> Response:
        return redirect(_home(arrival.session), 303)

    def _health(self, _: Arrival) -> Response:
        """Tell whether the console is ready: it stands on the API alone."""
        try:
            self.connect(None).get("/health")
        except ApiError:
            return Response('{"status": "not ready"}\n', 503, content_type="application/json")
        return Response('{"status": "ready", "parts": ["api"]}\n', content_type="application/json")

    def _static(self, _: Arrival, name: str) -> Response:
        if name not in static_files.FILES:
            raise Refused("there is no such file", 404)
        response = Response(static_files.FILES[name], content_type=static_files.type_of(name))
        response.headers["Cache-Control"] = "public, max-age=86400"
        return response

    def _show_sign_in(self, arrival: Arrival) -> Response:
        return self._signed_out(arrival.request, Page(template="sign_in.html"))

    def _sign_in(self, arrival: Arrival) -> Response:
        request = arrival.request
        source = self.source_of(request)
        self.attempts.check(source)
        key = request.form.get("key", "").strip()
        if not key:
            page = Page(template="sign_in.html", values={"told": "The key is missing."}, status=403)
            return self._signed_out(request, page)
        wanted = Session.of_key(key)
        try:
            _ask_who(Visit(session=wanted, api=self.connect(wanted.api_key)))
        except Problem as problem:
            if problem.status not in {401, 403}:
                raise
            self.attempts.count(source)
            # What is no tenant's key may be meant for one: whose it would be nobody knows.
            is_tenants = wanted.role is not Role.OPERATOR
            told = (is_tenants and problem.detail) or "The key is not valid."
            return self._signed_out(request, Page(template="sign_in.html", values={"told": told}, status=403))
        response = redirect(_home(wanted), 303)
        self.seal.write(request, response, wanted)
        return response

    def _sign_out(self, arrival: Arrival) -> Response:
        page = Page(template="sign_in.html", values={"told": "You are signed out."})
        return self._signed_out(arrival.request, page)

    def _signed_out(self, request: Request, page: Page) -> Response:
        nobody = Session.new(Role.NOBODY)
        response = self._told(nobody, page)
        self.seal.write(request, response, nobody)
        return response


def _home(session: Session) -> str:
    return operator_pages.HOME if session.role is Role.OPERATOR else HOME


def _ask_who(visit: Visit) -> None:
    """Ask the API for what every valid key of its kind may see."""
    if visit.session.role is Role.TENANT:
        visit.client.tenant.quota()
    else:
        visit.operator.dispatcher()


def _check_form(request: Request, session: Session) -> None:
    """Take a form from our own pages alone: Refused for one of another site, or of another session."""
    origin = request.headers.get("Origin", "")
    if origin and urlsplit(origin).netloc != request.host:
        raise Refused("this form does not come from a page of the console")
    if not session.accepts(request.form.get("form_token", "")):
        raise Refused("this form was made for another session; load its page again, and send it once more")

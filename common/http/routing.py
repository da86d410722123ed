"""Routes as data: the path, who may call, what goes in, what comes out; and the calls matched to them."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from inspect import getdoc
from typing import Any

from werkzeug.exceptions import MethodNotAllowed
from werkzeug.exceptions import NotFound as NoRoute
from werkzeug.routing import Map, MapAdapter, Rule

from common.errors import NotFound, Unauthenticated
from common.json_bodies import MAX_JSON_BYTES, decode_text
from common.logs import Trace
from common.tenants.authentication import Caller
from common.tenants.keys import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A body as it came, for routes that take any content type."""

    data: bytes
    content_type: str

    @property
    def text(self) -> str:
        """The body as text; MalformedInput where it is not UTF-8."""
        return decode_text(self.data)

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing: an empty JSON object is what many clients send for no body."""
        return self.data.strip() in (b"", b"{}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call[S]:
    """A request that is authenticated, allowed, read and valid by the route's schemas.

    `path`, `query` and `headers` hold the parameters that the route declares, in the types of their schemas;
    `body` the JSON object, {} where the route takes none; `content` the body as it came.
    """

    services: S
    path: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    content: Content = Content(data=b"", content_type="")
    identity: Caller | None = None
    """Whose API key it is; None on routes that take none."""
    source: str = ""
    """The IP address that the request comes from, as far as trusted proxies tell."""
    request_id: str = ""
    trace: Trace = field(default_factory=Trace.new)

    @property
    def caller(self) -> Caller:
        """Whose API key it is. On a route that takes none this refuses the request: a slip fails closed."""
        if self.identity is None:
            raise Unauthenticated("an API key is needed, in the header X-API-Key")
        return self.identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A JSON body (moments and dates in RFC 3339), a text of another type, None for no body at all."""

    body: Mapping[str, Any] | str | None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


class Access(StrEnum):
    """Who may call a route: anybody, an operator, or a tenant whose key has this scope."""

    PUBLIC = "public"
    ADMIN = "admin"
    RUN = "run"
    READ = "read"
    MANAGE = "manage"
    DATA = "data"

    @property
    def key_header(self) -> str:
        """The header that carries the key, where one is asked for."""
        return "X-Admin-Key" if self is Access.ADMIN else "X-API-Key"

    @property
    def scope(self) -> Scope | None:
        """The scope that a tenant's key needs, None where no tenant's key is asked for."""
        return None if self in {Access.PUBLIC, Access.ADMIN} else Scope(self.value)


class Place(StrEnum):
    """Where in a request a parameter is."""

    PATH = "path"
    QUERY = "query"
    HEADER = "header"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter with its JSON Schema (string, integer or boolean); `default` in the schema fills it in."""

    name: str
    place: Place
    description: str
    schema: Mapping[str, Any]
    example: Any
    is_required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Route[S]:
    """One method of one path. `answers` maps each status to the schema of its body, None for no body.

    `request_schema` names the schema of a JSON body; `takes_any_content` hands the body over as it is.
    `problems` are the errors that the endpoint raises beyond those that every route of its kind has.
    """

    method: str
    path: str
    endpoint: Callable[[Call[S]], Answer]
    access: Access
    answers: Mapping[int, str | None]
    texts: Mapping[str, str] = field(default_factory=dict)
    """Content types beside JSON in which a 200 may come, each with an example."""
    parameters: tuple[Parameter, ...] = ()
    request_schema: str | None = None
    takes_any_content: bool = False
    content_examples: Mapping[str, str] = field(default_factory=dict)
    """Examples of a raw body by content type, for the document."""
    max_body_bytes: int = MAX_JSON_BYTES
    problems: tuple[type[Exception], ...] = ()
    tag: str = ""
    is_audited: bool = False
    """Whether calls are written to the audit log; operators' calls that change something always are."""
    makes_log: bool = False
    """Whether the audit log may not exist before the call: then its end alone is written down, afterwards."""
    audited_members: tuple[str, ...] = ()
    """Members of the body whose values the audit log may hold: none of them is a secret."""

    @property
    def leaves_trace(self) -> bool:
        """Tell whether a call leaves rows in the audit log."""
        return self.is_audited or (self.access is Access.ADMIN and self.method != "GET")

    @property
    def name(self) -> str:
        """The endpoint's name; the document's operationId."""
        return self.endpoint.__name__

    @property
    def summary(self) -> str:
        """The first line of the endpoint's docstring."""
        return self._docstring.partition("\n")[0]

    @property
    def description(self) -> str:
        """The rest of the endpoint's docstring."""
        return self._docstring.partition("\n")[2].strip()

    @property
    def _docstring(self) -> str:
        return getdoc(self.endpoint) or ""

    def parameters_in(self, place: Place) -> tuple[Parameter, ...]:
        """Return the parameters of one place."""
        return tuple(parameter for parameter in self.parameters if parameter.place is place)


class RouteTable[S]:
    """The routes of one function, and the matching of a request to one of them."""

    def __init__(self, *routes: Route[S]) -> None:
        self._routes = routes

    def __iter__(self) -> Iterator[Route[S]]:
        return iter(self._routes)

    def match(self, path: str, method: str) -> tuple[Route[S], dict[str, str]]:
        """Return the route with the values of its path. Raise NotFound, or MethodNotAllowed."""
        try:
            index, values = self._adapter.match(path, method)
        except NoRoute as error:
            raise NotFound(self._nothing_at(path)) from error
        return self._routes[index], dict(values)

    def has(self, path: str) -> bool:
        """Tell whether any method of a path is here."""
        return bool(list(self._adapter.allowed_methods(path)))

    def methods_of(self, path: str) -> list[str]:
        """Return the methods that a path takes; NotFound where it takes none."""
        if not self.has(path):
            raise NotFound(self._nothing_at(path))
        return sorted({*self._adapter.allowed_methods(path), "OPTIONS"})

    def _nothing_at(self, path: str) -> str:
        has_slash = len(path) > 1 and path.endswith("/") and self.has(path[:-1])
        return "there is nothing at this path" + (": leave out the slash at its end" if has_slash else "")

    @cached_property
    def _adapter(self) -> MapAdapter:
        rules = [
            Rule(re.sub(r"\{(\w+)\}", r"<\1>", route.path), methods=[route.method], endpoint=index)
            for index, route in enumerate(self._routes)
        ]
        # No redirects: a path that is nearly right is a 404. The Host header decides nothing.
        return Map(rules, merge_slashes=False, redirect_defaults=False).bind("localhost")


def allowed_methods(error: MethodNotAllowed) -> str:
    """Return the value of the Allow header."""
    return ", ".join(sorted({*(error.valid_methods or ()), "OPTIONS"}))

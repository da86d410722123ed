"""What an endpoint is given and what it gives back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from common.errors import Unauthenticated
from common.http.wrong_keys import WrongKeys
from common.json_bodies import decode_text
from common.logs import Trace
from common.public_urls import PublicUrls
from common.tenants.audit import Auditor
from common.tenants.authentication import Authenticator, Caller
from common.tenants.gates import AdminKeys


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemEdge:
    """What the system routes need: nothing that has to be asked for before they answer."""

    readiness: Callable[[], Mapping[str, bool]] = dict
    """Tells for each part that the function stands on whether it answers."""
    public_urls: PublicUrls = field(default_factory=PublicUrls)
    """Where callers reach the API."""
    trusted_proxies: int = 1
    """How many values the proxies in front append to X-Forwarded-For (Cloud Run: 1); the rest is hearsay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """What the edge itself needs, whatever its endpoints do."""

    authenticator: Authenticator
    admin_keys: AdminKeys
    auditor: Auditor
    public_urls: PublicUrls = field(default_factory=PublicUrls)
    """Where callers reach the API."""
    trusted_proxies: int = 1
    """How many values the proxies in front append to X-Forwarded-For (Cloud Run: 1); the rest is hearsay."""
    wrong_keys: WrongKeys = field(default_factory=WrongKeys)
    """Slows down who guesses keys."""


class Services(Protocol):
    """What every function's services have in common."""

    @property
    def edge(self) -> Edge:
        """The edge's own needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A body as it came, for routes that take any content type."""

    data: bytes
    content_type: str

    @property
    def text(self) -> str:
        """The body as text; MalformedInput where it is not UTF-8."""
        return decode_text(self.data)


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
    """A JSON body (moments and dates are written in RFC 3339), None for no body at all."""

    body: Mapping[str, Any] | None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

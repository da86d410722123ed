"""A visit: one request of somebody, with the API by their key; and what a page function makes of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from common.client import Api, Client, Operator
from common.console.sessions import Role, Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A request of a session: what is in its path, its query and its form."""

    session: Session
    api: Api
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)

    @property
    def client(self) -> Client:
        """The tenant's side of the API."""
        return Client(self.api)

    @property
    def operator(self) -> Operator:
        """The operator's side of the API."""
        return Operator(self.api)


LIVE_SECONDS = 2
"""How often a page of one thing under way is asked for again."""
OVERVIEW_SECONDS = 15
"""How often a page that sums up many is: each time takes several queries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A template and its values; one that is live is asked for again while what it shows goes on."""

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    is_live: bool = False
    live_seconds: int = LIVE_SECONDS
    begins: Session | None = None
    """The session that the browser has from this page on."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A page to go to, after a form has done its work."""

    path: str


type Answered = Page | Elsewhere


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRoute:
    """A page or a form of the console; forms are the routes whose method is POST."""

    path: str
    visit: Callable[[Visit], Answered]
    method: str = "GET"
    role: Role = Role.TENANT

    @property
    def name(self) -> str:
        """The route's name: that of its function."""
        return self.visit.__name__

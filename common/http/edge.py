"""What every route stands on: who may call, how often a source may guess, and what the audit log keeps."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil
from threading import Lock
from time import monotonic
from typing import Any, Protocol

from common.addresses import network_of
from common.errors import Forbidden, RateLimited, Unauthenticated
from common.http.responses import kind_of
from common.http.routing import Access, Call, Route
from common.public_urls import PublicUrls
from common.tenants.audit import AuditEntry, Auditor, Outcome
from common.tenants.authentication import AdminKeys, Authenticator, Caller


@dataclass(slots=True, kw_only=True)
class WrongKeys:
    """The wrong keys of each source in its present window.

    A source over the limit is refused whatever key it brings: to let the right one through would answer it.
    """

    max_tries: int = 30
    window_seconds: float = 60.0
    capacity: int = 10_000
    clock: Callable[[], float] = monotonic
    _windows: OrderedDict[str, tuple[float, int]] = field(default_factory=OrderedDict, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def check(self, source: str) -> None:
        """Raise RateLimited where a source has brought too many wrong keys."""
        with self._lock:
            ends, count = self._window_of(source)
        if count >= self.max_tries:
            raise RateLimited("too many wrong keys from this address", ceil(ends - self.clock()))

    def count(self, source: str) -> None:
        """Note a wrong key."""
        with self._lock:
            ends, count = self._window_of(source)
            network = network_of(source)
            self._windows[network] = (ends, count + 1)
            self._windows.move_to_end(network)
            if len(self._windows) > self.capacity:
                self._windows.popitem(last=False)

    def _window_of(self, source: str) -> tuple[float, int]:
        now = self.clock()
        ends, count = self._windows.get(network_of(source), (0.0, 0))
        return (ends, count) if ends > now else (now + self.window_seconds, 0)


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


def admit(edge: Edge, access: Access, key: str | None, source: str) -> Caller | None:
    """Return whose API key it is, None on routes that take none. Raise where the route stays shut.

    RateLimited comes first: a source that has guessed too often is told nothing more of its keys.
    """
    if access is Access.PUBLIC:
        return None
    edge.wrong_keys.check(source)
    wrong = Forbidden if access is Access.ADMIN else Unauthenticated
    try:
        caller = _identify(edge, access, key)
    except wrong:
        if key:
            edge.wrong_keys.count(source)
        raise
    if caller and access.scope:
        caller.require(access.scope)
    return caller


def _identify(edge: Edge, access: Access, key: str | None) -> Caller | None:
    if access is Access.ADMIN:
        edge.admin_keys.check(key)
        return None
    return edge.authenticator.authenticate(key)


PUBLIC = "public"


@contextmanager
def audited[S: Services](route: Route[S], call: Call[S], admin_key: str | None) -> Iterator[None]:
    """Leave a row before and a row after the block, on routes that are audited."""
    if not route.leaves_trace:
        yield
        return
    auditor = call.services.edge.auditor
    entry = _entry(route, call, admin_key)
    if route.access is not Access.PUBLIC and not route.makes_log:
        # Nobody knows who asks a public route, and rows for the asking would be anybody's to make. And a row
        # for a table that is not there yet would have BigQuery's streaming learn of it later.
        auditor.log.append(entry, recorded_at=entry.occurred_at)
    try:
        yield
    except Exception as error:
        if route.access is not Access.PUBLIC:
            auditor.end(entry, Outcome.REFUSED if kind_of(type(error)).status < 500 else Outcome.FAILED)
        raise
    auditor.end(entry, Outcome.DONE)


def _entry[S: Services](route: Route[S], call: Call[S], admin_key: str | None) -> AuditEntry:
    named = call.path.get("tenant_id") or call.body.get("tenant_id")
    return call.services.edge.auditor.entry(
        route.name,
        _actor(call, admin_key),
        Outcome.ASKED,
        tenant_id=call.identity.tenant_id if call.identity else named,
        source=call.source,
        request_id=call.request_id,
        details=_details(route, call),
    )


def _actor[S: Services](call: Call[S], admin_key: str | None) -> str:
    if call.identity:
        return f"key:{call.identity.api_key_id}"
    return f"admin:{call.services.edge.admin_keys.fingerprint(admin_key)}" if admin_key else PUBLIC


def _details[S: Services](route: Route[S], call: Call[S]) -> Mapping[str, Any]:
    told = {name: call.body[name] for name in route.audited_members if name in call.body}
    return {"path": dict(call.path), "members": sorted(call.body), "values": told}

"""What a request leaves in the audit log."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from common.http.calls import Call, Services
from common.http.problems import kind_of
from common.http.routes import Access, Route
from common.tenants.audit import AuditEntry, Outcome

ADMIN_HEADER = "X-Admin-Key"
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
    told = {name: call.body[name] for name in route.told_members if name in call.body}
    return {"path": dict(call.path), "members": sorted(call.body), "values": told}

"""The tenant API of its own API keys."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from common.errors import Conflict, NotFound
from common.http.routing import Access, Answer, Call, Parameter, Place, Route
from common.http.services import TenantServices
from common.tenants.administration import IssuedKey
from common.tenants.keys import KeyRecord, Scope
from common.tenants.own_keys import KnownUse
from common.times import from_rfc3339

DEFAULT_OVERLAP_HOURS = 24


def list_keys(call: Call[TenantServices]) -> Answer:
    """List your API keys by their beginnings.

    `last_used_at` is exact to the hour and looks 90 days back.
    """
    keys = [_listed_key(known) for known in call.services.keys.list(call.caller)]
    return Answer(body={"api_keys": keys})


def create_key(call: Call[TenantServices]) -> Answer:
    """Make an API key.

    It can have no scope that the key lacks by which it is made, and no later end; what is not given is the
    same as that key's.
    """
    body = call.body
    issued = call.services.keys.issue(
        call.caller,
        scopes=[Scope(scope) for scope in body["scopes"]] if "scopes" in body else call.caller.scopes,
        description=body.get("description"),
        expires_in_days=body.get("expires_in_days"),
    )
    return Answer(body=issued_key_body(issued), status=201)


def rotate_key(call: Call[TenantServices]) -> Answer:
    """Replace an API key by a new one.

    The new key has the scopes and the end of the old one, which lives on for `overlap_hours`. No key gives a
    scope that it lacks or a later end than its own.
    """
    overlap = timedelta(hours=call.body.get("overlap_hours", DEFAULT_OVERLAP_HOURS))
    issued = call.services.keys.rotate(call.caller, call.path["api_key_id"], overlap)
    return Answer(body=issued_key_body(issued), status=201)


def expire_key(call: Call[TenantServices]) -> Answer:
    """Give an API key another end, no later than that of the key that asks for it."""
    moment = from_rfc3339(call.body["expires_at"])
    return Answer(body=_key(call.services.keys.expire(call.caller, call.path["api_key_id"], moment)))


def revoke_key(call: Call[TenantServices]) -> Answer:
    """Revoke an API key.

    Every instance refuses it within a minute. A key can revoke itself, and none that has a scope which it
    lacks. Revoking again answers the same.
    """
    return Answer(body=_key(call.services.keys.revoke(call.caller, call.path["api_key_id"])))


def issued_key_body(issued: IssuedKey) -> dict[str, Any]:
    """Show a new key, this once."""
    kept = asdict(issued.record) | {"scopes": _names(issued.record)}
    del kept["is_active"], kept["revoked_at"]
    return {"api_key": issued.key.text} | kept


def _listed_key(known: KnownUse) -> dict[str, Any]:
    return _key(known.record) | {"last_used_at": known.last_used_at}


def _key(record: KeyRecord) -> dict[str, Any]:
    body = asdict(record) | {"scopes": _names(record)}
    # The hash is what the platform knows a key by: a caller that lists keys needs it for nothing.
    del body["api_key_hash"], body["tenant_id"]
    return body


def _names(record: KeyRecord) -> list[str]:
    return sorted(scope.value for scope in record.scopes)


API_KEY_ID = Parameter(
    name="api_key_id",
    place=Place.PATH,
    description="The key's ID, as the list of keys gives it.",
    schema={"type": "string", "pattern": "^[A-Za-z0-9-]{1,64}$"},
    example="4a1f0c9e-8f1f-4f2e-9b7a-6f0a3c2d1e00",
)

KEY_ROUTES: tuple[Route[TenantServices], ...] = (
    Route(
        method="GET",
        path="/api/v1/tenants/keys",
        endpoint=list_keys,
        access=Access.MANAGE,
        answers={200: "key_list"},
        tag="Keys",
    ),
    Route(
        method="POST",
        path="/api/v1/tenants/keys",
        endpoint=create_key,
        access=Access.MANAGE,
        request_schema="key_request",
        answers={201: "api_key_issued"},
        problems=(NotFound, Conflict),
        tag="Keys",
        is_audited=True,
        audited_members=("scopes", "expires_in_days"),
    ),
    Route(
        method="POST",
        path="/api/v1/tenants/keys/{api_key_id}/rotate",
        endpoint=rotate_key,
        access=Access.MANAGE,
        parameters=(API_KEY_ID,),
        request_schema="key_rotation",
        answers={201: "api_key_issued"},
        problems=(NotFound, Conflict),
        tag="Keys",
        is_audited=True,
        audited_members=("overlap_hours",),
    ),
    Route(
        method="PATCH",
        path="/api/v1/tenants/keys/{api_key_id}",
        endpoint=expire_key,
        access=Access.MANAGE,
        parameters=(API_KEY_ID,),
        request_schema="key_expiry",
        answers={200: "key"},
        problems=(NotFound, Conflict),
        tag="Keys",
        is_audited=True,
        audited_members=("expires_at",),
    ),
    Route(
        method="DELETE",
        path="/api/v1/tenants/keys/{api_key_id}",
        endpoint=revoke_key,
        access=Access.MANAGE,
        parameters=(API_KEY_ID,),
        answers={200: "key"},
        problems=(NotFound,),
        tag="Keys",
        is_audited=True,
    ),
)

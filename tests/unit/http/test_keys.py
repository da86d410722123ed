"""A tenant's own keys over HTTP."""

from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from common.tenants.keys import ApiKey, Scope, read_key
from common.times import to_rfc3339
from tests.fakes.clock import START
from tests.unit.http.site import key_of
from tests.unit.http.test_tenants import World

KEYS = "/api/v1/tenants/keys"
ACME = key_of("acme")


@pytest.fixture
def world() -> World:
    """Two tenants, each with the key of its onboarding, the first of its keys."""
    world = World()
    for tenant_id in ("acme", "other"):
        world.platform.onboard(tenant_id)
    return world


def ask(world: World, method: str, path: str = KEYS, body: Any = None, key: ApiKey = ACME) -> TestResponse:
    return world.site.ask(method, path, key=key, **({} if body is None else {"json": body}))


def keys(world: World) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = (ask(world, "GET").json or {})["api_keys"]
    return listed


def test_a_list_shows_beginnings_and_dates_and_nothing_to_call_with(world: World) -> None:
    made = ask(world, "POST", body={"description": "nightly", "scopes": ["read"]})
    assert made.status_code == 201
    key = read_key((made.json or {})["api_key"])
    assert key
    first, second = keys(world)
    assert (second["key_prefix"], second["description"], second["scopes"]) == (
        key.prefix,
        "nightly",
        ["read"],
    )
    assert key.text not in str(keys(world))
    assert key.api_key_hash not in str(keys(world))
    assert "tenant_id" not in first


def test_a_key_gives_no_scope_that_it_lacks(world: World) -> None:
    manager = key_of("acme", frozenset({Scope.MANAGE}))
    assert ask(world, "POST", body={"scopes": ["run"]}, key=manager).status_code == 403
    (first,) = keys(world)
    path = f"{KEYS}/{first['api_key_id']}"
    assert ask(world, "POST", f"{path}/rotate", {}, manager).status_code == 403
    assert ask(world, "PATCH", path, {"expires_at": "2030-01-01T00:00:00Z"}, manager).status_code == 403
    assert (ask(world, "POST", body={}, key=manager).json or {})["scopes"] == ["manage"]


def test_a_rotated_key_lives_on_for_the_overlap(world: World) -> None:
    (old,) = keys(world)
    answer = ask(world, "POST", f"{KEYS}/{old['api_key_id']}/rotate", {"overlap_hours": 2})
    assert answer.status_code == 201
    old, new = keys(world)
    assert old["expires_at"] == to_rfc3339(world.platform.clock() + timedelta(hours=2))
    assert (new["expires_at"], new["scopes"]) == (None, old["scopes"])


def test_a_key_is_given_another_end_in_the_future_alone(world: World) -> None:
    (key,) = keys(world)
    path = f"{KEYS}/{key['api_key_id']}"
    past, future = to_rfc3339(START - timedelta(days=1)), to_rfc3339(START + timedelta(days=9))
    assert ask(world, "PATCH", path, {"expires_at": past}).status_code == 422
    assert (ask(world, "PATCH", path, {"expires_at": future}).json or {})["expires_at"] == future


def test_a_revoked_key_stays_in_the_list_and_can_be_used_for_nothing(world: World) -> None:
    (key,) = keys(world)
    path = f"{KEYS}/{key['api_key_id']}"
    first, second = ask(world, "DELETE", path), ask(world, "DELETE", path)
    assert first.status_code == second.status_code == 200
    assert first.json == second.json
    (key,) = keys(world)
    assert (key["is_active"], key["revoked_at"] is not None) == (False, True)
    assert ask(world, "POST", f"{path}/rotate", {}).status_code == 409


@pytest.mark.parametrize(
    ("method", "end", "body"),
    [("DELETE", "", None), ("POST", "/rotate", {}), ("PATCH", "", {"expires_at": "2030-01-01T00:00:00Z"})],
)
def test_another_tenants_key_is_not_there(world: World, method: str, end: str, body: Any) -> None:
    (theirs,) = (ask(world, "GET", key=key_of("other")).json or {})["api_keys"]
    assert ask(world, method, f"{KEYS}/{theirs['api_key_id']}{end}", body).status_code == 404


def test_a_tenant_has_fifty_living_keys_at_most(world: World) -> None:
    assert [ask(world, "POST", body={}).status_code for _ in range(50)] == [201] * 49 + [409]


def test_the_last_use_of_a_key_is_known_to_the_hour(world: World) -> None:
    for _ in range(3):
        keys(world)
    used = [row for row in world.audit.rows if row.action == "api_key_used"]
    assert [(row.actor, row.tenant_id) for row in used] == [("key:key-of-acme", "acme")]


def test_each_change_of_keys_is_audited(world: World) -> None:
    made = ask(world, "POST", body={"scopes": ["read"]}).json or {}
    acts = [(row.action, row.outcome) for row in world.audit.rows if row.action == "create_key"]
    assert acts == [("create_key", "ASKED"), ("create_key", "DONE")]
    assert made["api_key"] not in str(world.audit.rows)

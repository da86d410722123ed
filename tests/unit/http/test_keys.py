"""A tenant's own keys over HTTP."""

from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from common.tenants.keys import ApiKey, read_key
from common.times import to_rfc3339
from tests.fakes.clock import START
from tests.unit.http.test_tenants import World

KEYS = "/api/v1/tenants/keys"
DAY = timedelta(days=1)


class Keys(World):
    """Two tenants, each with the key of its onboarding; `acme` is the first one's."""

    def __init__(self) -> None:
        super().__init__(knows_own_keys=True)
        self.acme, self.other = (self.platform.onboard(tenant_id).key for tenant_id in ("acme", "other"))

    def ask(self, method: str, end: str = "", body: Any = None, key: ApiKey | None = None) -> TestResponse:
        given = {} if body is None else {"json": body}
        return self.site.ask(method, KEYS + end, key=key or self.acme, **given)

    def listed(self, key: ApiKey | None = None) -> list[dict[str, Any]]:
        keys: list[dict[str, Any]] = (self.ask("GET", key=key).json or {})["api_keys"]
        return keys

    def make(self, key: ApiKey | None = None, **body: Any) -> tuple[ApiKey, dict[str, Any]]:
        """Make a key, and return it with what was told of it."""
        return made(self.ask("POST", body=body, key=key))

    def rotate(self, api_key_id: str, key: ApiKey | None = None) -> tuple[ApiKey, dict[str, Any]]:
        """Rotate a key, and return the new one with what was told of it."""
        return made(self.ask("POST", f"/{api_key_id}/rotate", {}, key))

    def in_days(self, days: float) -> str:
        return to_rfc3339(self.platform.clock() + days * DAY)


def made(answer: TestResponse) -> tuple[ApiKey, dict[str, Any]]:
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json or {}
    key = read_key(told["api_key"])
    assert key
    return key, told


@pytest.fixture
def world() -> Keys:
    return Keys()


def test_a_list_shows_beginnings_and_dates_and_nothing_to_call_with(world: Keys) -> None:
    key, _ = world.make(description="nightly", scopes=["read"])
    first, second = world.listed()
    assert (second["key_prefix"], second["description"], second["scopes"]) == (
        key.prefix,
        "nightly",
        ["read"],
    )
    assert key.text not in str(world.listed())
    assert key.api_key_hash not in str(world.listed())
    assert "tenant_id" not in first


def test_a_key_gives_no_scope_that_it_lacks(world: Keys) -> None:
    manager, _ = world.make(scopes=["manage"])
    assert world.ask("POST", body={"scopes": ["run"]}, key=manager).status_code == 403
    path = f"/{world.listed()[0]['api_key_id']}"
    assert world.ask("POST", f"{path}/rotate", {}, manager).status_code == 403
    assert world.ask("PATCH", path, {"expires_at": "2030-01-01T00:00:00Z"}, manager).status_code == 403
    assert world.make(manager)[1]["scopes"] == ["manage"]


@pytest.mark.parametrize("scopes", [["run", "manage"], ["read"], ["run", "read", "manage"]])
def test_a_key_revokes_none_that_has_a_scope_which_it_lacks(world: Keys, scopes: list[str]) -> None:
    manager, told = world.make(scopes=["manage"])
    _, other = world.make(scopes=scopes)
    assert world.ask("DELETE", f"/{other['api_key_id']}", key=manager).status_code == 403
    assert world.listed()[-1]["is_active"]
    _, equal = world.make(scopes=["manage"])
    assert world.ask("DELETE", f"/{equal['api_key_id']}", key=manager).status_code == 200
    assert world.ask("DELETE", f"/{told['api_key_id']}", key=manager).status_code == 200


def test_a_key_that_ends_makes_keys_that_end_with_it(world: Keys) -> None:
    key, told = world.make(expires_in_days=3)
    world.platform.clock.advance(DAY)
    for _ in range(3):
        key, child = world.make(key)
        assert child["expires_at"] == told["expires_at"]


def test_a_key_that_ends_gives_an_earlier_end_and_no_later_one(world: Keys) -> None:
    key, told = world.make(expires_in_days=3)
    world.platform.clock.advance(DAY)
    assert world.make(key, expires_in_days=1)[1]["expires_at"] == world.in_days(1)
    assert world.make(key, expires_in_days=2)[1]["expires_at"] == told["expires_at"]
    refused = world.ask("POST", body={"expires_in_days": 3}, key=key)
    assert (refused.status_code, told["expires_at"] in refused.text) == (403, True)


def test_a_rotated_key_has_the_end_of_the_old_one(world: Keys) -> None:
    key, told = world.make(expires_in_days=3)
    for _ in range(3):
        key, told = world.rotate(told["api_key_id"], key)
        assert told["expires_at"] == world.in_days(3)
    assert world.rotate(told["api_key_id"])[1]["expires_at"] == world.in_days(3)


def test_a_key_that_ends_rotates_no_key_into_one_that_outlives_it(world: Keys) -> None:
    key, told = world.make(expires_in_days=3)
    endless = world.listed()[0]
    _, later = world.make(expires_in_days=9)
    assert world.rotate(endless["api_key_id"], key)[1]["expires_at"] == told["expires_at"]
    assert world.rotate(later["api_key_id"], key)[1]["expires_at"] == told["expires_at"]


def test_a_key_that_ends_gives_itself_and_others_no_later_end(world: Keys) -> None:
    key, told = world.make(expires_in_days=3)
    _, sooner = world.make(expires_in_days=1)
    for api_key_id in (told["api_key_id"], sooner["api_key_id"]):
        later = {"expires_at": world.in_days(3.5)}
        assert world.ask("PATCH", f"/{api_key_id}", later, key).status_code == 403
    at_most = {"expires_at": told["expires_at"]}
    assert world.ask("PATCH", f"/{sooner['api_key_id']}", at_most, key).status_code == 200


def test_a_key_that_was_given_an_end_a_moment_ago_gives_no_later_one(world: Keys) -> None:
    key, told = world.make()
    assert world.listed(key)
    assert world.rotate(told["api_key_id"])[1]["expires_at"] is None
    assert world.make(key)[1]["expires_at"] == world.in_days(1)


def test_a_key_that_was_revoked_a_moment_ago_gives_none(world: Keys) -> None:
    key, told = world.make()
    assert world.listed(key)
    assert world.ask("DELETE", f"/{told['api_key_id']}").status_code == 200
    path = f"/{world.listed()[0]['api_key_id']}"
    assert world.ask("POST", body={}, key=key).status_code == 401
    assert world.ask("POST", f"{path}/rotate", {}, key).status_code == 401
    assert world.ask("PATCH", path, {"expires_at": world.in_days(5)}, key).status_code == 401
    assert len(world.listed()) == 2


def test_a_rotated_key_lives_on_for_the_overlap(world: Keys) -> None:
    (old,) = world.listed()
    assert world.ask("POST", f"/{old['api_key_id']}/rotate", {"overlap_hours": 2}).status_code == 201
    old, new = world.listed()
    assert old["expires_at"] == to_rfc3339(world.platform.clock() + timedelta(hours=2))
    assert (new["expires_at"], new["scopes"]) == (None, old["scopes"])


def test_a_key_is_given_another_end_in_the_future_alone(world: Keys) -> None:
    (key,) = world.listed()
    path = f"/{key['api_key_id']}"
    past, future = to_rfc3339(START - DAY), to_rfc3339(START + 9 * DAY)
    assert world.ask("PATCH", path, {"expires_at": past}).status_code == 422
    assert (world.ask("PATCH", path, {"expires_at": future}).json or {})["expires_at"] == future


def test_a_revoked_key_stays_in_the_list_and_can_be_used_for_nothing(world: Keys) -> None:
    _, told = world.make()
    path = f"/{told['api_key_id']}"
    first, second = world.ask("DELETE", path), world.ask("DELETE", path)
    assert first.status_code == second.status_code == 200
    assert first.json == second.json
    key = world.listed()[1]
    assert (key["is_active"], key["revoked_at"] is not None) == (False, True)
    assert world.ask("POST", f"{path}/rotate", {}).status_code == 409


def test_a_key_that_revokes_itself_is_told_the_same_again(world: Keys) -> None:
    (key,) = world.listed()
    first, second = (world.ask("DELETE", f"/{key['api_key_id']}") for _ in range(2))
    assert (first.status_code, first.json) == (second.status_code, second.json)


@pytest.mark.parametrize(
    ("method", "end", "body"),
    [("DELETE", "", None), ("POST", "/rotate", {}), ("PATCH", "", {"expires_at": "2030-01-01T00:00:00Z"})],
)
def test_another_tenants_key_is_not_there(world: Keys, method: str, end: str, body: Any) -> None:
    (theirs,) = world.listed(world.other)
    assert world.ask(method, f"/{theirs['api_key_id']}{end}", body).status_code == 404


def test_a_tenant_has_fifty_living_keys_at_most(world: Keys) -> None:
    assert [world.ask("POST", body={}).status_code for _ in range(50)] == [201] * 49 + [409]


def test_the_last_use_of_a_key_is_known_to_the_hour(world: Keys) -> None:
    for _ in range(3):
        key = world.listed()[0]
    used = [row for row in world.audit.rows if row.action == "api_key_used"]
    assert [(row.actor, row.tenant_id) for row in used] == [(f"key:{key['api_key_id']}", "acme")]


def test_each_change_of_keys_is_audited(world: Keys) -> None:
    made_key, _ = world.make(scopes=["read"])
    acts = [(row.action, row.outcome) for row in world.audit.rows if row.action == "create_key"]
    assert acts == [("create_key", "ASKED"), ("create_key", "DONE")]
    assert made_key.text not in str(world.audit.rows)

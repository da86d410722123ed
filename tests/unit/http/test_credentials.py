"""Credentials over HTTP."""

from tests.unit.http.site import key_of
from tests.unit.http.test_tenants import World

PATH = "/api/v1/tenants/credentials"
BODY = {"provider": "AWS", "credentials": {"secret_access_key": "wJalrXUtnFEMI"}}


def test_a_credential_is_kept_shown_without_its_secret_and_deleted() -> None:
    world, key = World(), key_of("acme")
    created = world.site.ask("PUT", f"{PATH}/aws", key=key, json=BODY)
    changed = world.site.ask("PUT", f"{PATH}/aws", key=key, json=BODY)
    assert (created.status_code, changed.status_code) == (201, 200)
    shown = world.site.ask("GET", f"{PATH}/aws", key=key)
    listed = world.site.ask("GET", PATH, key=key)
    assert (listed.json or {})["credentials"] == [shown.json]
    assert "wJalr" not in created.text + changed.text + shown.text + listed.text + str(world.audit.rows)
    assert world.site.ask("DELETE", f"{PATH}/aws", key=key).status_code == 204
    assert world.site.ask("GET", f"{PATH}/aws", key=key).status_code == 404


def test_another_tenants_credential_is_not_there() -> None:
    world = World()
    world.site.ask("PUT", f"{PATH}/aws", key=key_of("acme"), json=BODY)
    for method in ("GET", "DELETE"):
        assert world.site.ask(method, f"{PATH}/aws", key=key_of("other")).status_code == 404
    assert (world.site.ask("GET", PATH, key=key_of("other")).json or {})["credentials"] == []


def test_a_fault_never_repeats_the_secret() -> None:
    world = World()
    body = {"provider": "AWS", "credentials": {"key": ["wJalrXUtnFEMI"]}}
    answer = world.site.ask("PUT", f"{PATH}/aws", key=key_of("acme"), json=body)
    assert answer.status_code == 422
    assert "wJalr" not in answer.text

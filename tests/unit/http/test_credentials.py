"""Credentials over HTTP."""

from common.tenants.keys import Scope
from tests.fakes.credentials import a_key_file
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


def test_a_credential_that_opens_the_dataset_takes_a_key_with_all_scopes() -> None:
    world = World()
    body = {"provider": "GCP", "credentials": a_key_file("their-project", "reader")}
    manager = key_of("acme", frozenset({Scope.MANAGE}))
    refused = world.site.ask("PUT", f"{PATH}/theirs", key=manager, json=body)
    assert refused.status_code == 403
    assert "lacks the scope" in refused.text
    assert (world.site.ask("GET", PATH, key=manager).json or {})["credentials"] == []
    assert world.site.ask("PUT", f"{PATH}/aws", key=manager, json=BODY).status_code == 201
    assert world.site.ask("PUT", f"{PATH}/theirs", key=key_of("acme"), json=body).status_code == 201

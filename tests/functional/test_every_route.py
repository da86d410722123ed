"""Every route of the route tables: without a key, with a dead one, a lesser one, another tenant's IDs."""

from typing import Any

from common.http.endpoints.admin import ADMIN_ROUTES
from common.http.endpoints.pipelines import PIPELINE_ROUTES
from common.http.endpoints.tenants import TENANT_ROUTES
from common.http.routing import Access, Place, Route
from common.http.schemas import schemas
from common.tenants.keys import Scope
from tests.functional.intruders import Duel, ask
from tests.functional.site import Site

TABLES: dict[str, Any] = {
    "admin": ADMIN_ROUTES,
    "onboarding": TENANT_ROUTES,
    "pipelines": PIPELINE_ROUTES,
}
ROUTES = [(function, route) for function, table in TABLES.items() for route in table]
OF_TENANTS = [(function, route) for function, route in ROUTES if route.access.scope]
OF_OPERATORS = [(function, route) for function, route in ROUTES if route.access is Access.ADMIN]
# What a tenant may name as it likes: in its own dataset of names, whatever another has there.
MAKERS = {"save_config", "put_credential"}


def request_of(route: Route[Any], their: dict[str, str]) -> tuple[str, dict[str, Any]]:
    """Fill a route's path with another tenant's IDs, and give it the body of its schema's example."""
    path = route.path
    for parameter in route.parameters_in(Place.PATH):
        path = path.replace(f"{{{parameter.name}}}", their.get(parameter.name, str(parameter.example)))
    more = {"json": schemas()[route.request_schema]["examples"][0]} if route.request_schema else {}
    return f"{route.method} {path}", more


def a_key(duel: Duel, scopes: list[str]) -> tuple[str, str]:
    made = duel.attacker.own("POST", "/api/v1/tenants/keys", {"scopes": scopes}).get_json()
    return made["api_key"], made["api_key_id"]


def test_every_id_in_a_tenants_path_is_one_that_the_victim_has(duel: Duel) -> None:
    named = {parameter.name for _, route in OF_TENANTS for parameter in route.parameters_in(Place.PATH)}
    assert named <= duel.their.keys(), "give the victim of `intruders` one of these too"


def test_no_route_answers_without_a_key_that_is_valid(site: Site, duel: Duel) -> None:
    revoked, key_id = a_key(duel, ["run", "read", "manage"])
    assert duel.attacker.own("DELETE", f"/api/v1/tenants/keys/{key_id}").status_code == 200
    for headers in ({}, {"X-API-Key": revoked}, {"X-API-Key": "acme_api_AAAAAAAAAAAAAAAA"}):
        for function, route in OF_TENANTS:
            line, more = request_of(route, duel.their)
            assert ask(site, function, line, headers, **more).status_code == 401, route.name


def test_no_route_answers_a_key_without_its_scope(site: Site, duel: Duel) -> None:
    # Who has all others has `data` too.
    lacking = {scope: a_key(duel, sorted({*Scope} - {scope} - {Scope.MANAGE}))[0] for scope in Scope}
    for function, route in OF_TENANTS:
        line, more = request_of(route, duel.their)
        key = lacking[Scope(route.access.value)]
        assert ask(site, function, line, {"X-API-Key": key}, **more).status_code == 403, route.name


def test_no_operators_route_answers_without_the_operators_key(site: Site, duel: Duel) -> None:
    for headers, status in (
        ({}, 401),
        ({"X-API-Key": duel.attacker.key}, 401),
        ({"X-Admin-Key": duel.attacker.key}, 403),
    ):
        for function, route in OF_OPERATORS:
            line, more = request_of(route, duel.their)
            assert ask(site, function, line, headers, **more).status_code == status, route.name


def test_no_route_shows_or_changes_what_another_tenant_has(site: Site, duel: Duel) -> None:
    before = duel.state_of_victim()
    ids = {value for name, value in duel.their.items() if name in {"pipeline_logging_id", "api_key_id"}}
    # Makers last: what they make is the attacker's own, under the same name.
    for function, route in sorted(OF_TENANTS, key=lambda found: found[1].name in MAKERS):
        line, more = request_of(route, duel.their)
        answer = ask(site, function, line, {"X-API-Key": duel.attacker.key}, **more)
        has_path = bool(route.parameters_in(Place.PATH)) and route.name not in MAKERS
        if has_path:
            assert answer.status_code == 404, f"{route.name}: {answer.status_code} {answer.text[:300]}"
        else:
            assert not [found for found in {*ids, duel.victim.tenant_id} if found in answer.text], route.name
    # The attacker's own of that name goes again: other tests expect it to find none.
    made = f"/api/v1/tenants/credentials/{duel.their['credential_id']}"
    assert duel.attacker.own("DELETE", made).status_code == 204
    site.drain()
    assert duel.state_of_victim() == before

"""A tenant's own tables: seen, looked into and deleted, each under its scope, and nobody else's."""

from datetime import timedelta

import pytest

from common.pipelines.candidates import candidate_of
from common.setup.views import TENANT_VIEW
from common.tenants.keys import Scope, whole_scopes
from common.tenants.own_tables import MAX_ANSWER_BYTES, LastWrite
from tests.fakes.clock import START
from tests.unit.http.site import key_of
from tests.unit.http.world import OTHER, World

TABLES = "/api/v1/pipelines/tables"


@pytest.fixture
def world() -> World:
    """Acme has two tables and the platform's view, other has one."""
    made = World()
    made.tables.put("acme", "orders", [{"id": number} for number in range(1, 4)])
    made.tables.put("acme", "sales 2024")
    made.tables.put("acme", TENANT_VIEW, kind="VIEW", rows=None, bytes=None)
    made.tables.put("other", "theirs", [{"id": 9}])
    made.tables.writes["acme", "orders"] = LastWrite(
        config_id="daily", step_id="extract", run_id="run-1", written_at=START
    )
    return made


def keys_with(*scopes: str) -> frozenset[Scope]:
    return frozenset(map(Scope, scopes))


def test_tables_are_listed_with_who_wrote_them(world: World) -> None:
    body = world.ask("GET", TABLES).json or {}
    assert [(one["table"], one["kind"], one["is_platforms"], one["rows"]) for one in body["tables"]] == [
        ("orders", "TABLE", False, 3),
        ("sales 2024", "TABLE", False, 0),
        (TENANT_VIEW, "VIEW", True, None),
    ]
    assert body["next_after"] is None
    written = body["tables"][0]["last_written"]
    assert (written["pipeline_id"], written["step_id"], written["pipeline_logging_id"]) == (
        "daily",
        "extract",
        "run-1",
    )
    assert body["tables"][1]["last_written"] is None


def test_a_write_of_long_ago_is_none_that_is_known(world: World) -> None:
    long_ago = START - timedelta(days=401)
    world.tables.writes["acme", "orders"] = LastWrite(
        config_id="daily", step_id="extract", run_id="run-1", written_at=long_ago
    )
    assert (world.ask("GET", TABLES).json or {})["tables"][0]["last_written"] is None


def test_pages_go_on_where_the_last_one_ended(world: World) -> None:
    names: list[str] = []
    after: str | None = ""
    while after is not None:
        page = world.ask("GET", TABLES, query_string={"limit": 1, "after": after}).json or {}
        names += [one["table"] for one in page["tables"]]
        after = page["next_after"]
    assert names == ["orders", "sales 2024", TENANT_VIEW]


def test_the_first_rows_are_shown_and_whether_they_are_all(world: World) -> None:
    body = world.ask("GET", f"{TABLES}/orders/rows?limit=2").json or {}
    assert (body["rows"], body["total_rows"], body["is_complete"]) == ([{"id": 1}, {"id": 2}], 3, False)
    assert (world.ask("GET", f"{TABLES}/orders/rows").json or {})["is_complete"] is True
    empty = world.ask("GET", f"{TABLES}/sales%202024/rows").json or {}
    assert (empty["rows"], empty["is_complete"]) == ([], True)


@pytest.mark.parametrize("limit", [0, 1001, "all"])
def test_no_more_than_a_thousand_rows_are_asked_for(world: World, limit: object) -> None:
    assert world.ask("GET", f"{TABLES}/orders/rows?limit={limit}").status_code == 422


def test_long_rows_are_fewer(world: World) -> None:
    rows = [{"id": number} for number in range(100)]
    world.tables.put("acme", "long", rows, bytes=100 * MAX_ANSWER_BYTES // 2)
    body = world.ask("GET", f"{TABLES}/long/rows").json or {}
    assert (len(body["rows"]), body["is_complete"]) == (2, False)
    world.tables.put("acme", "longer", rows, bytes=100 * MAX_ANSWER_BYTES * 2)
    assert len((world.ask("GET", f"{TABLES}/longer/rows").json or {})["rows"]) == 1


@pytest.mark.parametrize("kind", ["VIEW", "MATERIALIZED_VIEW", "EXTERNAL"])
def test_what_holds_no_rows_itself_is_refused_in_words(world: World, kind: str) -> None:
    world.tables.put("acme", "seen", kind=kind, rows=None, bytes=None)
    answer = world.ask("GET", f"{TABLES}/seen/rows")
    assert answer.status_code == 409
    assert "its rows come of a query" in (answer.json or {})["detail"]
    assert world.tables.asked == []


def test_a_table_is_deleted_once(world: World) -> None:
    assert world.ask("DELETE", f"{TABLES}/orders").status_code == 204
    assert world.ask("DELETE", f"{TABLES}/orders").status_code == 404
    assert world.ask("GET", f"{TABLES}/orders/rows").status_code == 404


@pytest.mark.parametrize("name", [TENANT_VIEW, "_cvg_run_step"])
def test_what_the_platform_keeps_is_not_deleted(world: World, name: str) -> None:
    world.tables.put("acme", name)
    answer = world.ask("DELETE", f"{TABLES}/{name}")
    assert (answer.status_code, ("acme", name) in world.tables.tables) == (403, True)


@pytest.mark.parametrize(
    "name",
    ["theirs", "other.theirs", "p.other.theirs", "theirs@0", "orders$20240101", "orders*", "$orders"],
)
def test_no_name_leads_out_of_the_own_dataset(world: World, name: str) -> None:
    # What would be found if the name went to BigQuery as it is.
    world.tables.put("acme", name) if name != "theirs" else None
    assert world.ask("GET", f"{TABLES}/{name}/rows").status_code == 404
    assert world.ask("DELETE", f"{TABLES}/{name}").status_code == 404
    assert ("other", "theirs") in world.tables.tables


def test_another_tenant_sees_its_own_alone(world: World) -> None:
    body = world.ask("GET", TABLES, key=OTHER).json or {}
    assert [one["table"] for one in body["tables"]] == ["theirs"]
    assert world.ask("GET", f"{TABLES}/orders/rows", key=OTHER).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", TABLES, "read"),
        ("GET", f"{TABLES}/orders/rows", "data"),
        ("DELETE", f"{TABLES}/orders", "manage"),
    ],
)
def test_each_route_has_its_scope(world: World, method: str, path: str, scope: str) -> None:
    for other in {*Scope} - {Scope(scope)}:
        answer = world.ask(method, path, key=key_of("acme", keys_with(other)))
        assert answer.status_code == 403, other
    assert world.ask(method, path, key=key_of("acme", keys_with(scope))).status_code < 300


def test_the_dataset_of_an_account_of_its_own_is_told_to_be_looked_at_elsewhere(world: World) -> None:
    world.tables.hidden.add("acme")
    for method, path in (("GET", TABLES), ("GET", f"{TABLES}/orders/rows"), ("DELETE", f"{TABLES}/orders")):
        answer = world.ask(method, path)
        assert answer.status_code == 403
        assert "an account of its own" in (answer.json or {})["detail"]


def test_a_key_that_had_all_scopes_has_them_still() -> None:
    assert whole_scopes(["run", "read", "manage"]) == frozenset(Scope)
    assert whole_scopes(["run", "read"]) == keys_with("run", "read")
    assert whole_scopes(["data"]) == keys_with("data")


def test_rows_that_no_check_has_let_through_are_not_there(world: World) -> None:
    candidate = candidate_of("0b6ff0d2-6a6c-4c1d-9a57-9a0d5b7f3c11", "clean_up")
    world.tables.put("acme", candidate, [{"id": 1}])
    listed = (world.ask("GET", TABLES).json or {})["tables"]
    assert candidate not in [one["table"] for one in listed]
    assert world.ask("GET", f"{TABLES}/{candidate}/rows").status_code == 404
    assert world.ask("DELETE", f"{TABLES}/{candidate}").status_code == 404

"""The tests of a config over the API: what passed, what differed, and what could not be run."""

from common.pipelines.sql_tests import MISSING
from common.tenants.keys import Scope
from tests.unit.http.site import key_of
from tests.unit.http.world import OTHER, World

FILE = """\
pipeline: {name: Daily}
steps:
  - id: sums
    ps_type: bq_etl.query
    config: {source_query: SELECT SUM(n) AS n FROM orders, target_table: sums}
tests:
  - name: sums up
    step: sums
    given: {orders: {columns: {n: INT64}, csv: "n\\n1\\n2\\n"}}
    expect: {columns: {n: INT64}, csv: "n\\n3\\n"}
"""
CONFIG = "/api/v1/pipelines/configs/daily"


def a_world() -> World:
    world = World()
    assert world.ask("POST", CONFIG, data=FILE, content_type="application/yaml").status_code == 201
    return world


def test_a_test_without_differences_has_passed() -> None:
    world = a_world()
    body = world.ask("POST", f"{CONFIG}/test").json or {}
    assert (body["has_passed"], body["version"]) == (True, 1)
    assert [(one["name"], one["step_id"], one["has_passed"]) for one in body["tests"]] == [
        ("sums up", "sums", True)
    ]
    assert world.literals.submitted == []
    assert world.store.run_rows == []


def test_rows_that_differ_are_told_apart() -> None:
    world = a_world()
    world.literals.rows = [{"n": 3, MISSING: 1}, {"n": 4, MISSING: -2}]
    (one,) = (world.ask("POST", f"{CONFIG}/test").json or {})["tests"]
    assert (one["has_passed"], one["missing"], one["unexpected"]) == (
        False,
        [{"row": {"n": 3}, "times": 1}],
        [{"row": {"n": 4}, "times": 2}],
    )


def test_a_query_that_bigquery_refuses_has_failed_in_its_words() -> None:
    world = a_world()
    world.literals.refusals["dry run", ""] = (400, "invalidQuery", "No matching signature for SUM")
    body = world.ask("POST", f"{CONFIG}/test").json or {}
    assert (body["has_passed"], body["tests"][0]["error_message"]) == (False, "No matching signature for SUM")


def test_a_query_that_reads_a_table_after_all_is_not_run() -> None:
    world = a_world()
    world.literals.read_tables[""] = ("p.acme.orders",)
    world.literals.rows = [{"n": 1, MISSING: 1}]
    (one,) = (world.ask("POST", f"{CONFIG}/test").json or {})["tests"]
    assert one["missing"] == []
    assert "reads a table" in one["error_message"]


def test_another_tenants_tests_are_not_found() -> None:
    assert a_world().ask("POST", f"{CONFIG}/test", key=OTHER).status_code == 404


def test_it_takes_a_key_that_runs() -> None:
    world = a_world()
    for scope, status in ((Scope.READ, 403), (Scope.RUN, 200)):
        answer = world.ask("POST", f"{CONFIG}/test", key=key_of("acme", frozenset({scope})))
        assert answer.status_code == status

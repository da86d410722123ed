"""Tests of a file's SQL become queries that read no table."""

from typing import Any

import pytest

from common.pipelines.compile import compile_pipeline
from common.pipelines.firewall import judge_statement
from common.pipelines.sql_tests import SqlTest
from tests.unit.pipelines.examples import (
    POLICY,
    PROJECT,
    STEP_TYPES,
    a_document,
    a_step,
    violations_of,
)

AMOUNT = {"columns": {"amount": "NUMERIC"}, "csv": "amount\n1.5\n2\n"}
SUM = {"columns": {"amount": "NUMERIC"}, "csv": "amount\n3.5\n"}
SUMS = a_step("sums", "SELECT SUM(amount) AS amount FROM orders AS o", target="sums")


def a_test(**changes: Any) -> dict[str, Any]:
    return {"name": "sums up", "step": "sums", "given": {"orders": AMOUNT}, "expect": SUM} | changes


def compiled_tests(
    *tests: dict[str, Any], steps: tuple[dict[str, Any], ...] = (SUMS,), **more: Any
) -> tuple[SqlTest, ...]:
    return compile_pipeline(
        a_document(*steps, tests=list(tests), **more),
        tenant_id="acme",
        config_id="daily",
        version=1,
        project_id=PROJECT,
        step_types=STEP_TYPES,
        policy=POLICY,
    ).tests


@pytest.mark.parametrize(
    "query",
    [
        "SELECT SUM(amount) AS amount FROM orders",
        "SELECT SUM(o.amount) AS amount FROM acme.orders AS o",
        "SELECT SUM(orders.amount) AS amount FROM `platform-prod.acme.orders`",
        "WITH o AS (SELECT * FROM orders) SELECT SUM(amount) AS amount FROM o",
        "SELECT (SELECT SUM(amount) FROM orders) AS amount",
        "SELECT SUM(a.amount) AS amount FROM orders AS a JOIN orders AS b USING (amount)",
        "SELECT amount FROM orders UNION ALL SELECT amount FROM orders",
        "SELECT amount FROM orders WHERE amount IN (SELECT amount FROM orders)",
        "WITH orders AS (SELECT amount FROM acme.orders) SELECT amount FROM orders",
    ],
)
def test_a_test_reads_no_table(query: str) -> None:
    (test,) = compiled_tests(a_test(), steps=(a_step("sums", query, target="sums"),))
    judged = judge_statement(test.sql, POLICY)
    assert (judged.reasons, judged.tables) == ((), frozenset())
    assert test.sql.count("'1.5'") >= 1


def test_seeds_stand_for_themselves_unless_rows_are_given() -> None:
    seeds = {"orders": {"columns": {"amount": "NUMERIC"}, "csv": "amount\n7\n"}}
    by_seed, by_rows = compiled_tests(a_test(given={}), a_test(), seeds=seeds)
    assert "'7'" in by_seed.sql
    assert "'7'" not in by_rows.sql


def test_the_clock_stands_still() -> None:
    clocks = "CURRENT_DATE('Europe/Berlin') AS d, CURRENT_TIMESTAMP() AS t, CURRENT_DATE() AS e"
    query = f"SELECT {clocks}, ${{date}} AS f"
    expect = {"columns": {"d": "DATE"}, "csv": "d\n2026-01-31\n"}
    step = a_step("sums", query, target="sums")
    (test,) = compiled_tests(a_test(given={}, expect=expect, now="2026-01-31T09:30:00Z"), steps=(step,))
    assert "CURRENT" not in test.sql
    assert test.sql.count("2026-01-31 09:30:00.000000+00") == 3
    assert [(one.name, one.value) for one in test.parameters] == [("date", "2026-01-31")]


@pytest.mark.parametrize(
    ("test", "violation"),
    [
        (a_test(step="sum"), "/tests/0/step: no step has the ID sum; did you mean sums?"),
        (a_test(given={}), "/tests/0/given: lacks rows for platform-prod.acme.orders, which sums reads"),
        (
            a_test(given={"orders": AMOUNT, "gone": AMOUNT}),
            "/tests/0/given: has rows for platform-prod.acme.gone, which sums does not read",
        ),
        (a_test(expect=SUM | {"csv": "amount\nmuch\n"}), "/tests/0/expect/csv: line 2 has in amount"),
        (a_test(given={"orders": AMOUNT | {"csv": "a\n"}}), "/tests/0/given/orders/csv: line 1 must name"),
        (a_test(parameters={"gone": 1}), "/tests/0/parameters/gone: "),
        (a_test(parameters={"date": "today"}), "/tests/0/parameters/date: "),
        (a_test(now="2026-01-31T09:30:00"), "/tests/0/now: must be a day"),
        (a_test(given={"orders": {"csv": "a"}}), "/tests/0/given/orders/columns: is required"),
        ({"name": "a", "step": "sums"}, "/tests/0/expect: is required"),
    ],
)
def test_what_is_wrong_with_a_test_is_told_with_its_place(test: dict[str, Any], violation: str) -> None:
    told = violations_of(a_document(SUMS, tests=[test]))
    assert told[0].startswith(violation), told


def test_all_is_told_at_once() -> None:
    told = violations_of(a_document(a_step("sums", "SELECT FROM"), tests=[a_test(step="sum")]))
    assert len(told) == 2


def test_the_tenants_own_query_is_tested_and_not_what_checks_add_to_it() -> None:
    checks = {"checks": [{"type": "not_null", "column": "amount"}], "failing_rows": {}}
    (test,) = compiled_tests(a_test(), steps=(SUMS | checks,))
    (plain,) = compiled_tests(a_test())
    assert test == plain
    load = {"format": "csv", "uris": "gs://acme-files/sums.csv", "target_table": "sums"}
    step = {"id": "sums", "ps_type": "bq_etl.load", "config": load} | checks
    told = violations_of(a_document(step, tests=[a_test(given={})]))
    assert told == ["/tests/0/step: sums has no SELECT of its own that could be tested"]

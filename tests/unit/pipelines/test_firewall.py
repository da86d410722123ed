"""The SQL firewall: no way through, and none barred that should be open."""

import re
from pathlib import Path
from typing import Any

import pytest
from sqlglot import exp

from common.pipelines import grammar, reads
from common.pipelines.firewall import judge_dry_run, judge_statement
from common.pipelines.tables import Policy, TableName
from tests.data_files import cases_in
from tests.effort import calls_at_most, counted_calls

POLICY = Policy(
    project_id="platform-prod",
    dataset="acme",
    allowed_sources=frozenset(
        {"bigquery-public-data", "shared-data.reference", "partner.sales.orders", "platform-prod.shared"}
    ),
)
HERE = Path(__file__).parent
GROWTH = 4
"""How many times longer a text is than another of its kind, and about as many times more to read."""


def cases(name: str) -> list[Any]:
    """Load the lines of a data file, each with what it does as its ID."""
    lines = cases_in(HERE / f"firewall_{name}.yml")
    return [pytest.param(line, id=line.get("tries") or line["does"]) for line in lines]


def full_name(text: str) -> TableName:
    """Complete a table of a data file."""
    path = text.split(".")
    project = path[0] if len(path) == 3 else POLICY.project_id
    return TableName(project=project, dataset=path[-2], table=path[-1])


def test_the_data_files_hold_as_many_cases_as_they_should() -> None:
    assert len(cases("attacks")) >= 120
    assert len(cases("legitimate")) >= 60


@pytest.mark.parametrize("line", cases("attacks"))
def test_an_attack_is_refused_with_its_reason(line: dict[str, str]) -> None:
    reasons = judge_statement(line["sql"], POLICY).reasons
    assert reasons, "got through"
    assert line["answer"] in "; ".join(reasons)


@pytest.mark.parametrize("line", cases("legitimate"))
def test_a_legitimate_query_passes_and_its_tables_are_known(line: dict[str, Any]) -> None:
    judgement = judge_statement(line["sql"], POLICY)
    assert judgement.reasons == ()
    assert judgement.tables == {full_name(table) for table in line["reads"]}


@pytest.mark.parametrize("line", cases("legitimate"))
@pytest.mark.parametrize(
    "around",
    [
        "SELECT * FROM ({}\n), victim.k",
        "SELECT (SELECT MAX(k) FROM victim.k) FROM ({}\n) AS own",
        "WITH own AS ({}\n) SELECT * FROM own WHERE EXISTS (SELECT 1 FROM victim.k)",
        "({}\n) UNION ALL SELECT * FROM victim.k",
    ],
)
def test_no_query_covers_for_a_read_beside_it(line: dict[str, str], around: str) -> None:
    query = line["sql"].rpartition(";")[0] if line["sql"].startswith("SELECT 1 AS a") else line["sql"]
    reasons = judge_statement(around.format(query or line["sql"]), POLICY).reasons
    assert [reason for reason in reasons if reason.startswith("reads victim.k: only tables of your own")]


PLACES: list[str] = cases_in(HERE / "firewall_places.yml")


@pytest.mark.parametrize("place", PLACES)
def test_a_query_is_seen_wherever_it_stands(place: str) -> None:
    foreign = judge_statement(re.sub(r"\bQ\b", "(SELECT k FROM victim.k)", place), POLICY)
    own = judge_statement(re.sub(r"\bQ\b", "(SELECT k FROM acme.k)", place), POLICY)
    assert [reason.partition(":")[0] for reason in foreign.reasons] == ["reads victim.k"]
    assert own.reasons == ()
    assert full_name("acme.k") in own.tables


def test_all_reasons_are_given_at_once() -> None:
    sql = "SELECT victim.f(a), AI.GENERATE('x') FROM victim.t JOIN tenants.k USING (a)"
    assert [reason.partition(":")[0] for reason in judge_statement(sql, POLICY).reasons] == [
        "reads tenants.k",
        "reads victim.t",
        "calls AI.GENERATE",
        "calls victim.f",
    ]


def test_a_tenant_with_no_allowed_source_reads_its_own_dataset_alone() -> None:
    walled = Policy(project_id="platform-prod", dataset="acme", allowed_sources=frozenset())
    assert judge_statement("SELECT * FROM acme.t", walled).reasons == ()
    assert judge_statement("SELECT * FROM `bigquery-public-data.samples.shakespeare`", walled).reasons


def test_the_default_policy_allows_public_data() -> None:
    policy = Policy(project_id="platform-prod", dataset="acme")
    assert judge_statement("SELECT * FROM `bigquery-public-data.samples.shakespeare`", policy).reasons == ()


def test_no_allow_list_opens_the_whole_project_of_the_platform() -> None:
    policy = Policy(
        project_id="platform-prod", dataset="acme", allowed_sources=frozenset({"platform-prod", "partner"})
    )
    assert judge_statement("SELECT * FROM victim.t", policy).reasons
    assert judge_statement("SELECT * FROM `platform-prod.tenants.tenant_api_keys`", policy).reasons
    assert judge_statement("SELECT * FROM partner.any.t", policy).reasons == ()


# What takes long, or too long


@pytest.mark.parametrize(
    ("begin", "opening", "middle", "closing", "times"),
    [
        ("SELECT ", "STRUCT(", "1", ")", 32),
        ("SELECT ", "DATE(", "1", ")", 32),
        ("SELECT ", "NUMERIC[", "1", "]", 32),
        ("SELECT ", "SAFE.f(", "1", ")", 32),
        ("SELECT ", "NET.f(", "1", ")", 32),
        ("SELECT ", "(", "1", ")", 2_000),
        ("SELECT ", "(SELECT ", "1", ")", 200),
        ("SELECT ", "NOT ", "TRUE", "", 4_000),
        ("SELECT ", "- ", "1", "", 4_000),
        ("SELECT * FROM ", "(a JOIN ", "b", " ON TRUE)", 60),
        ("SELECT * FROM t", " JOIN u ON TRUE", "", "", 400),
        ("SELECT * FROM t", " JOIN u ON TRUE", "", "", 1_200),
        ("SELECT 1 FROM t WHERE TRUE", " AND a = 1", "", "", 400),
        ("SELECT 1 AS a", " UNION ALL SELECT 1 AS a", "", "", 400),
        ("FROM t", " |> WHERE a = 1", "", "", 400),
        ("FROM t", " |> JOIN u ON TRUE", "", "", 400),
        ("", "FROM (", "t", " |> DISTINCT)", 150),
        ("SELECT ", "WITH(a AS 1, ", "a", ")", 60),
        ("SELECT 1 FROM t MATCH_RECOGNIZE (ORDER BY a MEASURES 1 AS n PATTERN (", "a{1} ", "", "", 2_000),
        ("SELECT 1 FROM t", " MATCH_RECOGNIZE (PATTERN (", "", "", 800),
        ("SELECT '", "x", "'", "", 250_000),
        ("SELECT ", "'", "", "", 20_001),
        ("", "/*", "", "", 20_000),
        ("", "-", "", "", 200_000),
        ("", "`", "", "", 100_001),
        ("SELECT a", ".a", "", "", 1_000),
        ("", "${", "", "", 10_000),
        ("SELECT * FROM t", ",t", "", "", 900),
        ("SELECT * FROM t", ",t", "", "", 1_200),
        ("SELECT * FROM UNNEST([1]) a", ",UNNEST([1]) a", "", "", 400),
        ("WITH c AS (SELECT 1)", ",c AS (SELECT 1)", " SELECT 1", "", 400),
    ],
)
def test_what_a_text_takes_grows_with_its_length(
    begin: str, opening: str, middle: str, closing: str, times: int
) -> None:
    shorter, longer = (begin + opening * n + middle + closing * n for n in (times // GROWTH, times))
    with counted_calls() as calls:
        judge_statement(shorter, POLICY)
    with calls_at_most(calls.number * (GROWTH + 1)):
        judge_statement(longer, POLICY)


def test_long_lists_of_rows_pass() -> None:
    rows = " UNION ALL ".join(f"SELECT {row} AS a, 'x' AS b FROM acme.t{row % 3}" for row in range(500))
    judgement = judge_statement(rows, POLICY)
    assert judgement.reasons == ()
    assert {table.table for table in judgement.tables} == {"t0", "t1", "t2"}


def test_deep_nesting_is_refused_with_a_reason_that_says_so() -> None:
    deep = "SELECT " + "(" * 500 + "1" + ")" * 500
    assert judge_statement(deep, POLICY).reasons == ("is nested too deeply",)


@pytest.mark.parametrize(
    "sql",
    ["SELECT * FROM t" + ",t" * 1_001, "WITH " + "c AS (SELECT 1), " * 1_000 + "d AS (SELECT 1) SELECT 1"],
)
def test_more_tables_than_bigquery_reads_are_refused(sql: str) -> None:
    assert judge_statement(sql, POLICY).reasons == ("has more than 1,000 tables, joins and WITHs",)


def test_reading_has_a_known_number_of_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    query = "SELECT " + ", ".join(f"f{n}(a, b)" for n in range(500)) + " FROM acme.t"
    assert judge_statement(query, POLICY).reasons == ()
    monkeypatch.setattr(grammar, "STEPS_PER_TOKEN", 0)
    assert judge_statement(query, POLICY).reasons == ("is too entangled to be read in reasonable time",)


def test_a_table_that_got_lost_in_reading_is_judged_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def lossy(code: str) -> tuple[exp.Expr, list[exp.Table]]:
        tree, met = grammar.read_query(code)
        return tree, [*met, exp.to_table("victim.k")]

    monkeypatch.setattr(reads, "read_query", lossy)
    assert judge_statement("SELECT * FROM acme.t", POLICY).reasons[0].startswith("reads victim.k")


def test_nothing_of_a_statement_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    for line in cases("attacks"):
        judge_statement(line.values[0]["sql"], POLICY)
    assert caplog.records == []


# What BigQuery says


def test_a_dry_run_within_the_policy_passes() -> None:
    tables = [
        "platform-prod.acme.t",
        "bigquery-public-data.samples.shakespeare",
        "partner.sales.orders",
        "platform-prod.acme.events_*",
        "platform-prod.acme.INFORMATION_SCHEMA.TABLES",
    ]
    assert judge_dry_run("SELECT", tables, POLICY, ["platform-prod.acme.f", "shared-data.reference.g"]) == ()
    assert judge_dry_run("SELECT", [], POLICY) == ()


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (
            "platform-prod.tenants.tenant_api_keys",
            "reads platform-prod.tenants.tenant_api_keys: only tables of",
        ),
        ("platform-prod.victim.t", "reads platform-prod.victim.t: only tables of your own dataset, acme"),
        ("other.acme.t", "reads other.acme.t: only"),
        ("partner.sales.customers", "reads partner.sales.customers: only"),
        ("platform-prod.victim.events_*", "reads platform-prod.victim.events_*: only"),
        ("platform-prod.victim.INFORMATION_SCHEMA.TABLES", "of INFORMATION_SCHEMA only"),
        ("platform-prod.acme.tenant_comprehensive_view", "the platform's own views"),
        ("platform-prod.acme.a.b.c", "no path of a table"),
        ("", "no path of a table"),
    ],
)
def test_a_table_that_only_bigquery_sees_is_refused(table: str, reason: str) -> None:
    reasons = judge_dry_run("SELECT", ["platform-prod.acme.view", table], POLICY)
    assert len(reasons) == 1
    assert reason in reasons[0]


@pytest.mark.parametrize(
    "statement_type", ["INSERT", "SCRIPT", "CREATE_TABLE_AS_SELECT", "CALL", "EXPORT_DATA", ""]
)
def test_a_statement_of_another_type_is_refused(statement_type: str) -> None:
    reasons = judge_dry_run(statement_type, [], POLICY)
    assert reasons == (
        f"is of the type {statement_type or 'UNKNOWN'} for BigQuery: a step is one SELECT (WITH is allowed)",
    )


def test_a_routine_that_only_bigquery_sees_is_refused() -> None:
    reasons = judge_dry_run("SELECT", [], POLICY, ["platform-prod.victim.f"])
    assert len(reasons) == 1
    assert reasons[0].startswith("calls platform-prod.victim.f: routines must be built in")


def test_more_tables_than_bigquery_names_are_refused() -> None:
    tables = [f"platform-prod.acme.t{number}" for number in range(50)]
    assert judge_dry_run("SELECT", tables[:49], POLICY) == ()
    assert judge_dry_run("SELECT", tables, POLICY)[0].startswith("reads 50 tables or more")

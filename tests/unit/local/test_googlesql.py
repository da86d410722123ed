"""The analyzer: it must see what BigQuery sees, or its judgement of the product's SQL is worth nothing."""

import pytest

from local.googlesql import Analyzer, RejectedSql, column_type

TABLES = {
    "p-1.shop.orders": {"id": "INT64", "tags": "ARRAY<STRING>", "paid": "BOOL"},
    "p-1.shop.INFORMATION_SCHEMA.TABLES": {"table_name": "STRING"},
    "p-2.other.orders": {"id": "STRING"},
}


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    return Analyzer(TABLES, default_dataset="p-1.shop")


@pytest.mark.parametrize(
    "name",
    ["orders", "shop.orders", "`shop.orders`", "p-1.shop.orders", "`p-1.shop.orders`", "`p-1.shop`.orders"],
)
def test_a_table_is_found_by_each_of_its_names(analyzer: Analyzer, name: str) -> None:
    analysis = analyzer.analyze(f"SELECT id, tags[0] FROM {name}")

    assert analysis.columns == (("id", "INT64"), ("", "STRING"))
    assert analysis.tables == {"p-1.shop.orders"}


def test_a_table_of_another_project_needs_its_whole_name(analyzer: Analyzer) -> None:
    assert analyzer.analyze("SELECT id FROM p-2.other.orders").columns == (("id", "STRING"),)
    with pytest.raises(RejectedSql, match=r"^Table not found: other\.orders"):
        analyzer.analyze("SELECT id FROM other.orders")


def test_metadata_is_a_table_like_others(analyzer: Analyzer) -> None:
    analysis = analyzer.analyze("SELECT table_name FROM shop.INFORMATION_SCHEMA.TABLES")

    assert analysis.tables == {"p-1.shop.INFORMATION_SCHEMA.TABLES"}


def test_what_is_read_is_every_table_that_the_statement_scans(analyzer: Analyzer) -> None:
    sql = "SELECT o.id, t FROM orders AS o, o.tags AS t WHERE EXISTS (SELECT 1 FROM p-2.other.orders)"

    assert analyzer.analyze(sql).tables == {"p-1.shop.orders", "p-2.other.orders"}


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT idd FROM orders", "Unrecognized name: idd; Did you mean id? at [1:8]"),
        ("SELECT id::STRING FROM orders", 'Syntax error: Expected end of input but got ":" at [1:10]'),
        ("SELECT 1\nFROM nowhere", "Table not found: nowhere at [2:6]"),
        (
            "SELECT SUM(paid) FROM orders",
            "No matching signature for aggregate function SUM\n  Argument types: BOOL\n",
        ),
    ],
)
def test_rejected_sql_gets_bigquerys_sentence(analyzer: Analyzer, sql: str, message: str) -> None:
    with pytest.raises(RejectedSql) as rejected:
        analyzer.analyze(sql)

    assert str(rejected.value).startswith(message)


def test_parameters_have_their_types(analyzer: Analyzer) -> None:
    parameters = {"ids": "ARRAY<INT64>", "day": "DATE"}

    analysis = analyzer.analyze("SELECT @day AS day FROM orders WHERE id IN UNNEST(@ids)", parameters)

    assert analysis.columns == (("day", "DATE"),)
    with pytest.raises(RejectedSql, match="Query parameter 'nobody' not found"):
        analyzer.analyze("SELECT @nobody", parameters)


def test_a_view_has_the_columns_of_its_query(analyzer: Analyzer) -> None:
    analysis = analyzer.analyze(
        "CREATE OR REPLACE VIEW shop.v AS SELECT STRUCT(id, paid AS `is paid`) AS o FROM orders"
    )

    assert analysis.kind == "CREATE_VIEW"
    assert analysis.columns == (("o", "STRUCT<id INT64, `is paid` BOOL>"),)


def test_a_script_is_analyzed_statement_by_statement(analyzer: Analyzer) -> None:
    script = "BEGIN TRANSACTION;\nINSERT INTO orders (id) VALUES (@id); -- é\nCOMMIT TRANSACTION;\n"

    analyses = analyzer.analyze_script(script, {"id": "INT64"})

    assert [analysis.kind for analysis in analyses] == ["BEGIN", "INSERT", "COMMIT"]


def test_a_field_of_a_schema_has_a_type_that_the_analyzer_reads() -> None:
    field = {
        "name": "items",
        "type": "RECORD",
        "mode": "REPEATED",
        "fields": [
            {"name": "sku", "type": "STRING", "mode": "REQUIRED"},
            {"name": "price", "type": "FLOAT"},
            {"name": "during", "type": "RANGE", "rangeElementType": {"type": "DATE"}},
            {"name": "counts", "type": "INTEGER", "mode": "REPEATED"},
        ],
    }

    analyzer = Analyzer({"p.d.t": {"items": column_type(field)}}, default_dataset="p.d")

    columns = analyzer.analyze("SELECT i.* FROM t, t.items AS i").columns
    kinds = {"sku": "STRING", "price": "FLOAT64", "during": "RANGE<DATE>", "counts": "ARRAY<INT64>"}
    assert dict(columns) == kinds


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        ("MAX_BY(tags[0], id)", "STRING"),
        ("MIN_BY(id, STRUCT(id).id)", "INT64"),
        ("LOGICAL_OR(CONTAINS_SUBSTR(tags, 'x', json_scope => 'JSON_KEYS'))", "BOOL"),
        ("LOGICAL_AND(SEARCH(orders, 'x', analyzer => 'NO_OP_ANALYZER'))", "BOOL"),
    ],
)
def test_functions_that_the_analyzer_lacks_are_added(analyzer: Analyzer, call: str, kind: str) -> None:
    assert analyzer.analyze(f"SELECT {call} AS x FROM orders").columns == (("x", kind),)


def test_an_analytic_function_may_stand_within_a_condition(analyzer: Analyzer) -> None:
    sql = "SELECT IF(paid, ROW_NUMBER() OVER (ORDER BY id), 0) AS x FROM orders"

    assert analyzer.analyze(sql).columns == (("x", "INT64"),)


def test_a_closed_catalog_answers_no_more() -> None:
    analyzer = Analyzer({}, default_dataset="p.d")
    analyzer.close()

    with pytest.raises(RejectedSql, match=r"Registered catalog \d+ unknown"):
        analyzer.analyze("SELECT 1")

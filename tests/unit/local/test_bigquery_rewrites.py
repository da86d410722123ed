"""What analysts write for BigQuery gives here what it gives there."""

from decimal import Decimal
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest
from google.cloud import bigquery

from tests.unit.local.conftest import PROJECT

VISITS = """
CREATE TABLE shop.visits AS
SELECT
  'ann' AS visitor, ['red', 'blue'] AS colours, NUMERIC '12.50' AS spent, 'de' AS country,
  [STRUCT('url' AS key, STRUCT('/home' AS text, 0 AS number) AS value),
   STRUCT('rank', STRUCT('', 7))] AS facts,
  [STRUCT('team' AS key, 'web' AS value)] AS labels
UNION ALL SELECT
  'bob', ['red'], NUMERIC '100', 'fr', [STRUCT('rank' AS key, STRUCT('' AS text, 9 AS number) AS value)], []
"""


@pytest.fixture(scope="module")
def shop(client: bigquery.Client) -> bigquery.Client:
    client.create_dataset("shop")
    client.query_and_wait(VISITS)
    return client


def ask(client: bigquery.Client, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    config = bigquery.QueryJobConfig(default_dataset=f"{PROJECT}.shop")
    answer = client.query_and_wait(sql, job_config=config)
    return [field.name for field in answer.schema], [tuple(row.values()) for row in answer]


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        (
            "SELECT visitor, (SELECT value.number FROM UNNEST(facts) WHERE key = 'rank') AS n "
            "FROM visits ORDER BY 1",
            [("ann", 7), ("bob", 9)],
        ),
        (
            "SELECT (SELECT value.text FROM UNNEST(facts) AS f WHERE key = 'url' AND f.value.text != '') "
            "FROM visits ORDER BY visitor",
            [("/home",), (None,)],
        ),
        (
            "SELECT key, COUNT(*) AS n FROM visits, UNNEST(facts) GROUP BY key ORDER BY key",
            [("rank", 2), ("url", 1)],
        ),
        (
            "SELECT visitor, key, place FROM visits, UNNEST(facts) f WITH OFFSET place "
            "ORDER BY visitor, place",
            [("ann", "url", 0), ("ann", "rank", 1), ("bob", "rank", 0)],
        ),
        (
            "SELECT visitor, labels.value FROM visits LEFT JOIN UNNEST(labels) AS labels "
            "ON labels.key = 'team' ORDER BY visitor",
            [("ann", "web"), ("bob", None)],
        ),
        (
            "SELECT visitor, value FROM visits LEFT JOIN UNNEST(labels) ORDER BY visitor",
            [("ann", "web"), ("bob", None)],
        ),
        (
            "WITH xor AS (SELECT 'a' AS regexp, 1 AS glob) SELECT rlike.regexp, glob + 1 AS returning "
            "FROM xor AS rlike WHERE rlike.glob = 1",
            [("a", 2)],
        ),
        ("SELECT WITH(a AS 1, b AS a + 1, b * b)", [(4,)]),
        (
            "SELECT visitor, WITH(v AS UPPER(visitor), CONCAT(v, '-', v)) FROM visits "
            "WHERE WITH(s AS spent * 2, s > 20 AND s < 30)",
            [("ann", "ANN-ANN")],
        ),
        ("SELECT WITH(s AS STRUCT(1 AS x, 'y' AS z), s.z)", [("y",)]),
        ("SELECT WITH(n AS COUNT(*), n + 1) FROM visits", [(3,)]),
        ("SELECT WITH(a AS 1, (SELECT a + x FROM UNNEST([10]) AS x))", [(11,)]),
        (
            "FROM visits |> WHERE spent > 20 |> SET country = UPPER(country), spent = 1 "
            "|> DROP colours, facts, labels |> RENAME visitor AS who |> SELECT who, country, spent",
            [("bob", "FR", 1)],
        ),
        (
            "FROM visits |> AGGREGATE COUNT(*) AS n GROUP BY country |> EXTEND n + 1 AS m "
            "|> ORDER BY country |> LIMIT 1",
            [("de", 1, 2)],
        ),
        ("FROM visits, UNNEST(colours) AS c |> SELECT c |> DISTINCT |> AGGREGATE COUNT(*)", [(2,)]),
        ("FROM visits, UNNEST(colours) AS c |> SELECT DISTINCT c |> AGGREGATE COUNT(*)", [(2,)]),
        ("FROM visits |> ORDER BY spent DESC |> LIMIT 1 |> WHERE visitor = 'ann' |> SELECT visitor", []),
        ("FROM visits |> LIMIT 1 |> AGGREGATE COUNT(*)", [(1,)]),
        ("FROM visits |> SELECT visitor |> ORDER BY visitor DESC |> LIMIT 1 OFFSET 1", [("ann",)]),
        (
            "FROM visits |> SELECT visitor, RANK() OVER w AS n WINDOW w AS (ORDER BY spent DESC) "
            "|> WHERE n = 1 |> SELECT visitor",
            [("bob",)],
        ),
        (
            "SELECT AS VALUE STRUCT(visitor AS v, spent) FROM visits WHERE spent > 20",
            [("bob", Decimal(100))],
        ),
        (
            "SELECT 1 AS a, 2 AS b FULL OUTER UNION ALL BY NAME SELECT 3 AS c, 4 AS a ORDER BY a",
            [(1, 2, None), (4, None, 3)],
        ),
        (
            "SELECT visitor, (SELECT AS STRUCT MIN(c) AS low, COUNT(*) AS n FROM UNNEST(colours) AS c).* "
            "FROM visits ORDER BY visitor",
            [("ann", "blue", 2), ("bob", "red", 1)],
        ),
        (
            "SELECT SUM(x) OVER (d) AS s FROM UNNEST([1, 2, 3]) AS x WINDOW a AS (ORDER BY x), "
            "b AS (a ROWS BETWEEN 1 PRECEDING AND CURRENT ROW), c AS (b), d AS (c) ORDER BY s",
            [(1,), (3,), (5,)],
        ),
        ("SELECT HLL_COUNT.EXTRACT(HLL_COUNT.INIT(visitor, 15)) FROM visits", [(2,)]),
        (
            "SELECT HLL_COUNT.MERGE(s) "
            "FROM (SELECT HLL_COUNT.INIT(visitor, 12) AS s FROM visits GROUP BY country)",
            [(2,)],
        ),
        (
            "WITH RECURSIVE a AS (SELECT n + 1 AS n FROM b), "
            "b AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM b WHERE n < 3) SELECT MAX(n) FROM a",
            [(4,)],
        ),
        (
            "SELECT colours, COUNT(*) AS n FROM visits, UNNEST(colours) AS colours "
            "GROUP BY colours ORDER BY n",
            [("blue", 1), ("red", 2)],
        ),
        (
            "SELECT colours FROM visits, UNNEST(colours) WHERE colours != 'red'",
            [("blue",)],
        ),
        (
            "SELECT COUNT(DISTINCT (SELECT value.number FROM UNNEST(facts) WHERE key = 'rank')) FROM visits",
            [(2,)],
        ),
        (
            "SELECT visitor FROM visits WHERE EXISTS (SELECT 1 FROM UNNEST(labels) WHERE value = 'web')",
            [("ann",)],
        ),
        (
            "WITH seen AS (SELECT *, 'own' AS key FROM visits) "
            "SELECT key, l.value FROM seen, UNNEST(labels) AS l",
            [("own", "web")],
        ),
        (
            "WITH a AS (SELECT visitor, labels FROM visits) "
            "SELECT visitor, labels.key FROM a CROSS JOIN UNNEST(labels) AS labels",
            [("ann", "team")],
        ),
        (
            "SELECT ARRAY(SELECT AS STRUCT key FROM UNNEST(facts) ORDER BY key)[OFFSET(0)].key "
            "FROM visits ORDER BY visitor",
            [("rank",), ("rank",)],
        ),
    ],
)
def test_the_fields_of_unnested_structs_are_columns(
    shop: bigquery.Client, sql: str, rows: list[tuple[Any, ...]]
) -> None:
    assert ask(shop, sql)[1] == rows


def test_a_renamed_alias_keeps_its_name_in_the_result(shop: bigquery.Client) -> None:
    assert ask(shop, "SELECT colours FROM visits, UNNEST(colours) AS colours LIMIT 1")[0] == ["colours"]


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        (
            "SELECT visitor, c, n FROM visits, visits.colours AS c WITH OFFSET AS n ORDER BY visitor, n",
            [("ann", "red", 0), ("ann", "blue", 1), ("bob", "red", 0)],
        ),
        (
            "SELECT v.visitor, l.key, offset FROM visits AS v LEFT JOIN v.labels AS l WITH OFFSET ORDER BY 1",
            [("ann", "team", 0), ("bob", None, None)],
        ),
        (
            "SELECT (SELECT MAX(n) FROM v.colours AS c WITH OFFSET n) FROM visits AS v ORDER BY visitor",
            [(1,), (0,)],
        ),
    ],
)
def test_an_array_of_a_row_has_places(shop: bigquery.Client, sql: str, rows: list[tuple[Any, ...]]) -> None:
    assert ask(shop, sql)[1] == rows


def test_the_columns_of_a_wildcard_are_no_fields(shop: bigquery.Client) -> None:
    sql = (
        "SELECT fact.key, SUM(fact.value.number) AS n FROM `shop.visit*`, UNNEST(facts) AS fact "
        "WHERE country = 'de' AND _TABLE_SUFFIX = 's' GROUP BY key ORDER BY n"
    )
    assert ask(shop, sql)[1] == [("url", 0), ("rank", 7)]


def test_limited_values_are_counted_without_nulls(shop: bigquery.Client) -> None:
    sql = "SELECT ARRAY_AGG(x IGNORE NULLS ORDER BY x LIMIT 2) FROM UNNEST([3, NULL, 1, 2]) AS x"
    assert ask(shop, sql)[1] == [([1, 2],)]


def test_a_text_names_a_column_of_unpivot(shop: bigquery.Client) -> None:
    sql = "SELECT * FROM (SELECT 1 AS q1, 2 AS q2) UNPIVOT(n FOR q IN (q1 AS 'first', q2 AS 'second'))"
    assert ask(shop, f"{sql} ORDER BY n") == (["n", "q"], [(1, "first"), (2, "second")])


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("7", "INT64", 7),
        ("0x1F", "INT64", 31),
        ("12.5", "INT64", None),
        ("FALSE", "BOOL", False),
        ("yes", "BOOL", None),
    ],
)
def test_a_text_that_says_no_value_is_none(
    shop: bigquery.Client, text: str, kind: str, value: object
) -> None:
    assert ask(shop, f"SELECT SAFE_CAST('{text}' AS {kind})")[1] == [(value,)]
    if value is None:
        with pytest.raises(BadRequest):
            ask(shop, f"SELECT CAST('{text}' AS {kind})")


@pytest.mark.parametrize(
    "source",
    [
        "visits AS v, UNNEST(v.labels) AS l",
        "visits AS v, v.labels AS l",
        "(SELECT * FROM visits) AS v CROSS JOIN UNNEST(labels) AS l",
        "(SELECT 'ann' AS visitor, ARRAY_AGG(STRUCT('team' AS key, 'web' AS value)) AS labels) AS v, "
        "UNNEST(labels) AS l",
    ],
)
def test_a_star_over_an_array_of_structs_gives_their_fields(shop: bigquery.Client, source: str) -> None:
    sql = f"WITH all_of_it AS (SELECT * FROM {source}) SELECT visitor, key, value FROM all_of_it"
    assert ask(shop, sql)[1] == [("ann", "team", "web")]


@pytest.mark.parametrize(
    ("sql", "columns", "rows"),
    [
        ("SELECT STRUCT(1 AS a, 'x' AS b).*", ["a", "b"], [(1, "x")]),
        (
            "SELECT ARRAY_AGG(STRUCT(visitor, spent) ORDER BY spent LIMIT 1)[OFFSET(0)].visitor AS v "
            "FROM visits",
            ["v"],
            [("ann",)],
        ),
        (
            "SELECT visitor FROM visits WHERE (visitor, country) IN "
            "(SELECT AS STRUCT visitor, 'fr' FROM visits)",
            ["visitor"],
            [("bob",)],
        ),
        (
            "SELECT visitor FROM visits WHERE (visitor, country) NOT IN (('ann', 'de'), ('cid', 'de'))",
            ["visitor"],
            [("bob",)],
        ),
        (
            "SELECT * FROM (SELECT country, spent FROM visits) "
            "PIVOT(SUM(spent) AS total FOR country IN ('de', 'fr'))",
            ["total_de", "total_fr"],
            [(Decimal("12.5"), Decimal(100))],
        ),
        (
            "SELECT * FROM (SELECT country, spent FROM visits) "
            "PIVOT(SUM(spent) AS total, COUNT(*) AS n FOR country IN ('de' AS d)) AS p",
            ["total_d", "n_d"],
            [(Decimal("12.5"), 1)],
        ),
        (
            "SELECT * FROM (SELECT 10 AS size, 1 AS x) PIVOT(SUM(x) FOR size IN (10, 20))",
            ["_10", "_20"],
            [(1, None)],
        ),
        (
            "SELECT CAST(spent AS STRING) AS t, CAST(-spent AS STRING) AS m FROM visits ORDER BY visitor",
            ["t", "m"],
            [("12.5", "-12.5"), ("100", "-100")],
        ),
        ('SELECT FORMAT("%\'d and %d", 1234567, 1000) AS f', ["f"], [("1,234,567 and 1000",)]),
        ("SELECT b'\\x00\\xfe' AS b", ["b"], [(b"\x00\xfe",)]),
        ("SELECT ARRAY_FILTER([1, 2, 3], e -> e > 1) AS a", ["a"], [([2, 3],)]),
        ("SELECT ARRAY_TRANSFORM([1, 2], e -> e * 2) AS a", ["a"], [([2, 4],)]),
        ("SELECT 1 AS a; -- the end", ["a"], [(1,)]),
    ],
)
def test_a_query_gives_the_columns_and_rows_that_bigquery_gives(
    shop: bigquery.Client, sql: str, columns: list[str], rows: list[tuple[Any, ...]]
) -> None:
    assert ask(shop, sql) == (columns, rows)


def test_a_view_may_read_the_fields_of_unnested_structs(shop: bigquery.Client) -> None:
    shop.query_and_wait("CREATE VIEW shop.keys AS SELECT key FROM shop.visits, UNNEST(facts)")
    assert sorted(ask(shop, "SELECT DISTINCT key FROM keys")[1]) == [("rank",), ("url",)]


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("CAST(1.0 AS STRING)", "1"),
        ("CAST(1e15 AS STRING)", "1e+15"),
        ("CAST(0.1 + 0.2 AS STRING)", "0.30000000000000004"),
        ("CAST(CAST('nan' AS FLOAT64) AS STRING)", "nan"),
        ("FORMAT('%t', 1.0)", "1.0"),
        ("TO_JSON_STRING(NUMERIC '20.50')", '"20.5"'),
        ("TO_JSON_STRING(NUMERIC '20.00')", "20"),
        ("TO_JSON_STRING(9007199254740993)", '"9007199254740993"'),
        ("TO_JSON_STRING(2.0)", "2"),
        ("TO_JSON_STRING(TIMESTAMP '2026-01-31 08:30:00+00')", '"2026-01-31T08:30:00Z"'),
        ("TO_JSON_STRING([DATETIME '2026-01-31 08:30:00.5'])", '["2026-01-31T08:30:00.500"]'),
        (
            "TO_JSON_STRING(STRUCT(TIMESTAMP '2026-01-31 08:30:00.123456+00' AS moment))",
            '{"moment":"2026-01-31T08:30:00.123456Z"}',
        ),
        ("TO_JSON_STRING(STRUCT(CAST(NULL AS TIMESTAMP) AS moment))", '{"moment":null}'),
        (
            "(SELECT TO_JSON_STRING(s) FROM (SELECT visitor, spent FROM visits) AS s WHERE visitor = 'ann')",
            '{"visitor":"ann","spent":"12.5"}',
        ),
        (
            "(SELECT TO_JSON_STRING(v.labels) FROM visits AS v WHERE visitor = 'ann')",
            '[{"key":"team","value":"web"}]',
        ),
        ("SUBSTR('apple', 0, 2)", "ap"),
        ("SUBSTR('apple', -9, 2)", "ap"),
        ("SUBSTR('apple', -3, 2)", "pl"),
        ("SAFE.SUBSTR('apple', 1, -2)", None),
    ],
)
def test_values_as_text_are_googlesqls(shop: bigquery.Client, sql: str, text: str | None) -> None:
    assert ask(shop, f"SELECT {sql}")[1] == [(text,)]


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT SUBSTR('apple', 1, -2)", "cannot be negative"),
        ("SELECT STRUCT(1, 'a').*", "unnamed fields"),
    ],
)
def test_what_bigquery_refuses_is_refused(shop: bigquery.Client, sql: str, words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        ask(shop, sql)


@pytest.mark.parametrize(
    ("sql", "row"),
    [
        ("SELECT AS STRUCT 1 AS a, 'x' AS b", (1, "x")),
        (
            "SELECT EXTRACT(MICROSECOND FROM t), EXTRACT(MILLISECOND FROM t), EXTRACT(SECOND FROM t), "
            "MOD(EXTRACT(MILLISECOND FROM t), 100) FROM (SELECT DATETIME '2024-01-01 23:59:59.123456' AS t)",
            (123456, 123, 59, 23),
        ),
        (
            "SELECT UNIX_MICROS(PARSE_TIMESTAMP('%FT%H:%M:%E*S%Ez', '1970-01-01T02:00:00.5+02:00')), "
            "UNIX_MICROS(PARSE_TIMESTAMP('%FT%H:%M:%E*SZ', '1970-01-01T00:00:01Z')), "
            "UNIX_MICROS(PARSE_TIMESTAMP('%F %H:%M:%E3S', '1970-01-01 00:00:01.250'))",
            (500_000, 1_000_000, 1_250_000),
        ),
        (
            "SELECT SAFE.PARSE_TIMESTAMP('%F', 'soon'), SAFE.PARSE_TIMESTAMP('%F', 'soon', 'Europe/Berlin'), "
            "UNIX_SECONDS(SAFE.PARSE_TIMESTAMP('%F', '1970-01-02'))",
            (None, None, 86_400),
        ),
    ],
)
def test_times_are_read_and_taken_apart_as_bigquery_does(
    shop: bigquery.Client, sql: str, row: tuple[Any, ...]
) -> None:
    assert ask(shop, sql)[1] == [row]


def test_a_precision_of_sketches_has_bounds(shop: bigquery.Client) -> None:
    with pytest.raises(BadRequest, match="between 10 and 24"):
        ask(shop, "SELECT HLL_COUNT.INIT(visitor, 9) FROM visits")

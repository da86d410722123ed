"""What Google's analyzer refuses is refused by its sentence and its place, and what it takes is taken."""

from collections.abc import Iterator

import pytest
from google.api_core.exceptions import BadRequest
from google.cloud import bigquery

from local.bigquery import LocalBigQuery
from local.googlesql import Analyzer, RejectedSql
from tests.unit.local.conftest import PROJECT, connect

TABLES = {
    "t": {
        "id": "INT64",
        "amount": "NUMERIC",
        "price": "FLOAT64",
        "name": "STRING",
        "day": "DATE",
        "moment": "TIMESTAMP",
        "dt": "DATETIME",
        "ok": "BOOL",
        "tags": "ARRAY<STRING>",
        "j": "JSON",
    },
    "u": {"id": "INT64", "qty": "INT64"},
}


@pytest.fixture(scope="module")
def client(server: LocalBigQuery) -> Iterator[bigquery.Client]:
    with connect(server.url) as connected:
        connected.create_dataset("analysis")
        for name, columns in TABLES.items():
            defined = ", ".join(f"{column} {kind}" for column, kind in columns.items())
            connected.query_and_wait(f"CREATE TABLE analysis.{name} ({defined})")
        yield connected


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    tables = {f"{PROJECT}.analysis.{name}": columns for name, columns in TABLES.items()}
    return Analyzer(tables, default_dataset=f"{PROJECT}.analysis")


def answered(client: bigquery.Client, sql: str) -> None:
    config = bigquery.QueryJobConfig(default_dataset=f"{PROJECT}.analysis")
    client.query(sql, config, job_retry=None).result(job_retry=None)


REFUSED = [
    ("SELECT amuont FROM t", "Unrecognized name: amuont; Did you mean amount? at [1:8]"),
    ("SELECT id,\n  amuont\nFROM t", "Unrecognized name: amuont; Did you mean amount? at [2:3]"),
    ("SELECT t.nope FROM t", "Name nope not found inside t at [1:10]"),
    ("SELECT x.id FROM t", "Unrecognized name: x at [1:8]"),
    (
        "SELECT name, amount FROM t GROUP BY name",
        "SELECT list expression references column amount which is neither grouped nor aggregated at [1:14]",
    ),
    ("SELECT id FROM t, u", "Column name id is ambiguous at [1:8]"),
    (
        "SELECT id FROM t JOIN u USING (nope)",
        "Column nope in USING clause not found on left side of join at [1:32]",
    ),
    ("SELECT * EXCEPT (nope) FROM t", "Column nope in SELECT * EXCEPT list does not exist at [1:18]"),
    ("SELECT id FROM t WHERE", "Syntax error: Unexpected end of statement at [1:23]"),
    ("SELECT id FROM t WHERE id IN (SELECT id, qty FROM u)", "must have only one output column"),
    ("SELECT SUM(SUM(id)) FROM t", "Aggregations of aggregations are not allowed"),
    ("SELECT id FROM t WHERE SUM(id) > 1", "not allowed in WHERE clause"),
    ("SELECT 1 AS a, a + 1 AS b", "Unrecognized name: a at [1:16]"),
    ("SELECT id AS k FROM t WHERE k > 1", "Unrecognized name: k at [1:29]"),
    ("SELECT id AS at FROM t", "Syntax error: Unexpected keyword AT at [1:14]"),
    ("SELECT id AS groups FROM t", "Syntax error: Unexpected keyword GROUPS at [1:14]"),
    ("SELECT id FROM t LIMIT 1 + 1", "LIMIT expects an integer literal or parameter at [1:24]"),
    ("SELECT id FROM t LIMIT '1'", "LIMIT expects an integer literal or parameter at [1:24]"),
    ("SELECT id FROM t OFFSET 1", 'Expected end of input but got integer literal "1" at [1:25]'),
    ("SELECT COUNT() FROM t", "No matching signature for aggregate function COUNT with no arguments"),
    ("SELECT COUNT(DISTINCT id, name) FROM t", "No matching signature for aggregate function COUNT"),
    (
        "SELECT SUM(DISTINCT id) OVER (ORDER BY name) FROM t",
        "Window ORDER BY is not allowed if DISTINCT is specified",
    ),
    ("SELECT RANK() OVER () FROM t", "Window ORDER BY is required for analytic function rank"),
    (
        "SELECT LAG(id) OVER (PARTITION BY name) FROM t",
        "Window ORDER BY is required for analytic function lag",
    ),
    (
        "SELECT FIRST_VALUE(id) OVER () FROM t",
        "Window ORDER BY is required for analytic function first_value",
    ),
    ("SELECT id FROM t WHERE id", "WHERE clause should return type BOOL, but returns INT64 at [1:24]"),
    (
        "SELECT id FROM t WHERE id AND ok",
        "signature for operator AND for argument types: INT64, BOOL at [1:24]",
    ),
    ("SELECT NOT id FROM t", "No matching signature for operator NOT for argument types: INT64"),
    ("SELECT id FROM t WHERE name = 5", "operator = for argument types: STRING, INT64 at [1:24]"),
    ("SELECT id FROM t WHERE id = '1'", "operator = for argument types: INT64, STRING at [1:24]"),
    ("SELECT id FROM t WHERE moment >= day", "operator >= for argument types: TIMESTAMP, DATE at [1:24]"),
    ("SELECT id FROM t WHERE moment >= DATE '2024-01-01'", "for argument types: TIMESTAMP, DATE at [1:24]"),
    ("SELECT id FROM t WHERE moment < dt", "operator < for argument types: TIMESTAMP, DATETIME at [1:24]"),
    ("SELECT id FROM t WHERE CURRENT_DATE() > moment", "operator > for argument types: DATE, TIMESTAMP"),
    ("SELECT id FROM t WHERE day = name", "operator = for argument types: DATE, STRING at [1:24]"),
    ("SELECT id FROM t WHERE tags = tags", "Equality is not defined for arguments of type ARRAY<STRING>"),
    (
        "SELECT id FROM t ORDER BY tags",
        "ORDER BY does not support expressions of type ARRAY<STRING> at [1:27]",
    ),
    ("SELECT j, COUNT(*) FROM t GROUP BY j", "Grouping by expressions of type JSON is not allowed at [1:36]"),
    (
        "SELECT SUM(id) OVER (PARTITION BY price) FROM t",
        "Partitioning by expressions of type FLOAT64 is not allowed at [1:35]",
    ),
    ("SELECT MAX(tags) FROM t", "MAX is not defined for arguments of type ARRAY<STRING> at [1:8]"),
    ("SELECT SUM(ok) FROM t", "signature for aggregate function SUM for argument types: BOOL at [1:8]"),
    ("SELECT STRING_AGG(id) FROM t", "signature for aggregate function STRING_AGG for argument types: INT64"),
    (
        "SELECT LENGTH(id) FROM t",
        "No matching signature for function LENGTH for argument types: INT64 at [1:8]",
    ),
    ("SELECT CAST(id AS DATE) FROM t", "Invalid cast from INT64 to DATE at [1:13]"),
    ("SELECT CAST(ok AS FLOAT64) FROM t", "Invalid cast from BOOL to FLOAT64 at [1:13]"),
    ("SELECT CAST(moment AS INT64) FROM t", "Invalid cast from TIMESTAMP to INT64 at [1:13]"),
    ("SELECT EXTRACT(HOUR FROM day) FROM t", "EXTRACT from DATE does not support the HOUR date part"),
    (
        "SELECT id FROM t UNION ALL SELECT name FROM t",
        "Column 1 in UNION ALL has incompatible types: INT64, STRING",
    ),
    (
        "INSERT INTO t (id, name) VALUES (1, 'x'), (2, 3)",
        "Value has type INT64 which cannot be inserted into column name, which has type STRING at [1:47]",
    ),
    (
        "INSERT t (name) SELECT id FROM u",
        "Query column 1 has type INT64 which cannot be inserted into column name, which has type STRING",
    ),
    ("INSERT t (id) VALUES ('1')", "Value has type STRING which cannot be inserted into column id"),
    ("INSERT t (id) VALUES (1.5)", "Value has type FLOAT64 which cannot be inserted into column id"),
    ("INSERT t (ok) VALUES (1)", "Value has type INT64 which cannot be inserted into column ok"),
    (
        "INSERT t (day, moment) SELECT day, day FROM t",
        "Query column 2 has type DATE which cannot be inserted into column moment",
    ),
    (
        "UPDATE t SET id = 1, name = id WHERE TRUE",
        "Value of type INT64 cannot be assigned to name, which has type STRING at [1:29]",
    ),
    ("UPDATE t SET id = 1.5 WHERE TRUE", "Value of type FLOAT64 cannot be assigned to id"),
    ("SELECT id FROM t WHERE name = '\\d'", "Syntax error: Illegal escape sequence: \\d at [1:32]"),
    ("SELECT 'a',\n  \"x\\ty\\w\" FROM t", "Syntax error: Illegal escape sequence: \\w at [2:8]"),
    ("SELECT [1, 2,] FROM t", 'Syntax error: Unexpected "]" at [1:14]'),
    ("INSERT u VALUES (1, TRUE)", "Value has type BOOL which cannot be inserted into column qty"),
]


@pytest.mark.parametrize(("sql", "message"), REFUSED)
def test_a_wrong_query_is_refused_by_its_sentence_and_its_place(
    client: bigquery.Client, analyzer: Analyzer, sql: str, message: str
) -> None:
    with pytest.raises(BadRequest) as refused:
        answered(client, sql)
    assert message in refused.value.errors[0]["message"]
    with pytest.raises(RejectedSql):
        analyzer.analyze(sql)


@pytest.mark.parametrize("side", ["LEFT", "RIGHT", "FULL"])
def test_an_outer_join_needs_an_equality(client: bigquery.Client, side: str) -> None:
    with pytest.raises(BadRequest, match=f"{side} OUTER JOIN cannot be used without a condition"):
        answered(client, f"SELECT t.id FROM t {side} JOIN u ON t.id > u.id")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id AS `at` FROM t",
        r"""SELECT r'\d+' AS a, R"\w" AS b, '\x41\101\u00e9\n\'\?' AS c, b'\xff' AS d, "it's" AS e FROM t""",
        "SELECT id FROM t WHERE moment >= '2024-01-01' AND day < '2024-01-01' AND dt >= day",
        "SELECT id FROM t WHERE price > 1 AND amount = 2 AND id < amount AND ok",
        "SELECT id AS a FROM t GROUP BY a HAVING a > 1 ORDER BY a",
        "SELECT id AS name, name AS id FROM t WHERE name = 'x'",
        "SELECT CAST(id AS STRING), CAST(day AS TIMESTAMP), CAST('1' AS INT64), CAST(ok AS INT64) FROM t",
        "SELECT t.id, u.qty FROM t LEFT JOIN u ON t.id = u.id AND u.qty > t.price",
        "SELECT id FROM t UNION ALL SELECT qty FROM u UNION ALL SELECT 1.5",
        "SELECT id, ROW_NUMBER() OVER () AS n, COUNT(*) OVER () FROM t",
        "SELECT RANK() OVER w FROM t WINDOW w AS (ORDER BY id)",
        "SELECT a.id FROM t AS a WHERE EXISTS (SELECT 1 AS id FROM u WHERE u.id = a.id)",
        "SELECT MAX(day), SUM(amount), AVG(price), STRING_AGG(name), COUNT(j) FROM t",
        "SELECT LENGTH(name), EXTRACT(HOUR FROM dt), EXTRACT(YEAR FROM day) FROM t",
        "SELECT x + 1 AS y FROM (SELECT id AS x FROM t)",
        "WITH c AS (SELECT id AS day, day AS id FROM t) SELECT day > 5 AS b, id > '2020-01-01' FROM c",
        "SELECT t.id, tag FROM t, UNNEST(tags) AS tag WHERE tag = 'x'",
        "SELECT id FROM (SELECT 'x' AS id, 1 AS qty) WHERE id = 'x'",
        "SELECT TIMESTAMP_TRUNC(moment, DAY) AS day FROM t WHERE TIMESTAMP_TRUNC(moment, DAY) > '2024-01-01'",
        "INSERT INTO t (id, amount, price, day, moment) VALUES (1, 2, 3, '2024-01-01', '2024-01-01')",
        "UPDATE t SET price = 1, amount = id, dt = day, day = '2024-01-01', ok = id = 1 WHERE TRUE",
        "INSERT t (price, amount, dt, name) SELECT qty, qty, day, name FROM u JOIN t USING (id)",
        "INSERT t (name, tags) VALUES (NULL, ['a']), (CONCAT('a', 'b'), [])",
        "INSERT u (id, qty) SELECT * FROM u UNION ALL SELECT 1, 2",
    ],
)
def test_a_right_query_is_taken(client: bigquery.Client, analyzer: Analyzer, sql: str) -> None:
    analyzer.analyze(sql)
    answered(client, sql)

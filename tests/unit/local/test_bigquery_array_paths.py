"""A path in FROM is an array where it begins with the name of rows in sight, and a table everywhere else."""

import pytest
from google.cloud import bigquery
from sqlglot import exp

from local.bigquery.statements import read_statements, trees_of
from tests.unit.local.conftest import PROJECT

TABLE = """
CREATE TABLE paths.t AS
SELECT 1 AS a, [STRUCT('k' AS key, 1 AS v), STRUCT('l', 2)] AS arr, STRUCT([1, 2] AS inner_arr) AS st
"""
ARRAYS = [
    ("SELECT e.v FROM t AS x, x.arr AS e ORDER BY 1", [(1,), (2,)]),
    ("SELECT a, e.v FROM t LEFT JOIN t.arr AS e ON e.v > 1", [(1, 2)]),
    ("SELECT e.v FROM t AS x INNER JOIN x.arr AS e ON e.v = x.a", [(1,)]),
    ("SELECT (SELECT COUNT(*) FROM x.arr) FROM t AS x", [(2,)]),
    ("SELECT (SELECT v FROM X.arr WHERE key = 'l') FROM t AS x", [(2,)]),
    ("SELECT EXISTS(SELECT 1 FROM t.arr WHERE v = 3) FROM t", [(False,)]),
    ("SELECT COUNT(*) FROM t WHERE 'k' IN (SELECT key FROM t.arr)", [(1,)]),
    ("SELECT (SELECT SUM(n) FROM x.st.inner_arr AS n) FROM t AS x", [(3,)]),
    ("SELECT (SELECT SUM(n) FROM (SELECT n FROM x.st.inner_arr AS n)) FROM t AS x", [(3,)]),
    ("SELECT y FROM UNNEST([STRUCT([1, 2] AS b)]) AS x, x.b AS y ORDER BY 1", [(1,), (2,)]),
    ("SELECT z FROM UNNEST([STRUCT([STRUCT([7] AS b)] AS a)]) AS x, x.a AS y, y.b AS z", [(7,)]),
    ("WITH x AS (SELECT [1, 2] AS b) SELECT (SELECT SUM(n) FROM x.b AS n) FROM x", [(3,)]),
    ("SELECT COUNT(*) FROM t AS x JOIN t AS y ON EXISTS (SELECT 1 FROM y.arr) JOIN t AS z ON TRUE", [(1,)]),
]
TABLES = [
    "SELECT 1 FROM t AS x JOIN (x.arr AS k CROSS JOIN t AS b) ON TRUE",
    "SELECT 1 FROM t AS x, (SELECT * FROM x.arr) AS q",
    "SELECT 1 FROM x.arr, t AS x",
    "WITH x AS (SELECT [1] AS arr) SELECT * FROM x.arr",
    "WITH q AS (SELECT * FROM x.arr) SELECT 1 FROM t AS x, q",
    "SELECT (WITH q AS (SELECT * FROM x.arr) SELECT 1 FROM q) FROM t AS x",
    "SELECT 1 FROM t JOIN t AS y ON EXISTS (SELECT 1 FROM x.arr) JOIN t AS x ON TRUE",
    "SELECT 1 FROM t AS x UNION ALL SELECT 1 FROM x.arr",
]


@pytest.fixture(scope="module")
def paths(client: bigquery.Client) -> bigquery.Client:
    client.create_dataset("paths")
    client.query_and_wait(TABLE)
    return client


@pytest.mark.parametrize(("sql", "rows"), ARRAYS)
def test_a_path_from_rows_in_sight_is_an_array(
    paths: bigquery.Client, sql: str, rows: list[tuple[object, ...]]
) -> None:
    config = bigquery.QueryJobConfig(default_dataset=f"{PROJECT}.paths")
    assert [row.values() for row in paths.query_and_wait(sql, job_config=config)] == rows
    (statement,) = read_statements(sql, PROJECT, "paths")
    assert {dataset for _, dataset, _ in statement.sources} <= {"paths"}


@pytest.mark.parametrize("sql", TABLES)
def test_any_other_path_is_a_table(sql: str) -> None:
    (tree,) = trees_of(sql)
    assert not list(tree.find_all(exp.Unnest))
    (statement,) = read_statements(sql, PROJECT, "paths")
    assert (PROJECT, "x", "arr") in statement.sources

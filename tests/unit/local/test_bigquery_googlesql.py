"""What BigQuery would refuse is refused here, with its kind of sentence, and what it takes is taken."""

import pytest
from google.api_core.exceptions import BadRequest
from google.cloud import bigquery

from local.bigquery.googlesql import refusal
from tests.unit.local.conftest import PROJECT


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT 1::INT64", 'Syntax error: Unexpected ":" at [1:9]'),
        ("SELECT a FROM t WHERE a ILIKE 'x'", 'but got identifier "ILIKE" at [1:25]'),
        ("SELECT DISTINCT ON (a) b FROM t", "Syntax error: Unexpected keyword ON at [1:17]"),
        (
            "SELECT * EXCLUDE (a) FROM t",
            "Syntax error: Expected end of input but got keyword EXCLUDE at [1:10]",
        ),
        ("SELECT a FROM t LIMIT 1, 2", 'Expected end of input but got "," at [1:24]'),
        ("SELECT ARRAY_SUM([1])", "Function not found: ARRAY_SUM at [1:8]"),
        ("SELECT 1 AS a INTERSECT ALL SELECT 1", "Expected keyword DISTINCT but got keyword ALL at [1:25]"),
        ("SELECT * FROM (VALUES (1), (2))", 'Syntax error: Unexpected "(" at [1:23]'),
        ("SELECT NOW()", "Function not found: NOW at [1:8]"),
        ("SELECT\n  len(a) FROM t", "Function not found: len at [2:3]"),
        ("SELECT STRFTIME('%Y', d) FROM t", "Function not found: STRFTIME at [1:8]"),
        ("SELECT list_sum(a), 1 FROM t", "Function not found: list_sum at [1:8]"),
        ("SELECT MEDIAN(a) FROM t", "Function not found: MEDIAN at [1:8]"),
        ("SELECT GROUP_CONCAT(a) FROM t", "Function not found: GROUP_CONCAT at [1:8]"),
        ("SELECT DATE_PART('year', d) FROM t", "Function not found: DATE_PART at [1:8]"),
        ("SELECT TRY_CAST(a AS STRING) FROM t", "Function not found: TRY_CAST at [1:8]"),
        ("SELECT CAST(a AS VARCHAR) FROM t", "Type not found: VARCHAR at [1:18]"),
        ("SELECT CAST(a AS DOUBLE) FROM t", "Type not found: DOUBLE at [1:18]"),
        ("SELECT COUNT(*) FILTER (WHERE a > 1) FROM t", 'Expected end of input but got "("'),
        ("SELECT 5 % 2", 'Syntax error: Unexpected "%" at [1:10]'),
        ("SELECT a FROM t WHERE a == 1", 'Unexpected "="'),
        ("SELECT a FROM t ORDER BY ALL", "Unexpected keyword ALL"),
        ('SELECT 1 AS "a"', 'Unexpected string literal "a" at [1:13]'),
        ("SELECT a FROM t SEMI JOIN u USING (a)", 'identifier "SEMI"'),
        ("SELECT größe FROM t", 'Syntax error: Illegal input character "\\303" at [1:10]'),
        ("SELECT\n \u2018a\u2019 AS a", 'Syntax error: Illegal input character "\\342" at [2:2]'),
        ("SELECT 'a' AS a\uff0c1 AS b", 'Syntax error: Illegal input character "\\357" at [1:16]'),
        ("SELECT UNNEST([1])", "Unexpected keyword UNNEST at [1:8]"),
        ("SELECT a FROM t WHERE a IN (1, 2,)", 'Syntax error: Unexpected ")" at [1:34]'),
        ("SELECT CONCAT(a, 'x',) FROM t", 'Syntax error: Unexpected ")" at [1:22]'),
        ("SELECT a FROM t WHERE a > ALL (SELECT 1)", "Syntax error: Unexpected keyword ALL at [1:27]"),
        ("SELECT a FROM t NATURAL JOIN u", "Natural join not supported"),
        ("SELECT SUM(a) WITHIN GROUP (ORDER BY a) FROM t", "got keyword WITHIN"),
        ("SHOW TABLES", "Statement not supported: ShowStatement"),
        ("EXPLAIN SELECT 1", "Statement not supported: ExplainStatement"),
        ("SELECT * FROM t CROSS JOIN LATERAL (SELECT 1)", "LATERAL join is not supported at [1:28]"),
        (r"SELECT b'\u00e9'", "Illegal escape sequence: \\u at [1:10]"),
        ("SELECT a \u2013 1 FROM t", 'Syntax error: Illegal input character "\\342" at [1:10]'),
    ],
)
def test_sql_of_other_dialects_is_refused(sql: str, message: str) -> None:
    assert message in refusal(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'a::b', \"NOW()\", r'x ILIKE y', '5 % 2' -- LEN(a) :: == \n",
        "SELECT * EXCEPT (a) REPLACE (1 AS b), `now`, `len`(1) FROM t",
        "SELECT DATE_TRUNC(d, WEEK(MONDAY)), EXTRACT(DAY FROM d), EXTRACT(WEEK(SUNDAY) FROM d) FROM t",
        "SELECT d.now(), my.dataset.len(a), DIV(a, 2), MOD(a, 2) FROM t",
        "SELECT year, month, (SELECT 1 AS text), (SELECT 1 AS char) AS double FROM t",
        "INSERT INTO map (a, b) VALUES (1, 2)",
        "SELECT a, (SELECT 1 AS b,), ARRAY(SELECT AS STRUCT 1 AS c, 2 AS d,) FROM (SELECT 1 AS a,)",
        "SELECT a LIKE ANY ('x'), COUNT(DISTINCT a), (ALL_OF), SUM(ALL a) FROM t UNION ALL (SELECT 1)",
        "SELECT * FROM t UNPIVOT((v, w) FOR n IN ((a, b) AS 'one', (c, d) AS 'two'))",
        "ASSERT (SELECT COUNT(*) > 0 FROM t) AS 't has no rows'",
        r"SELECT b'\xff\377\n', rb'\u', '\u00e9'",
        "SELECT CAST(a AS STRING FORMAT 'YYYY'), CAST(b AS NUMERIC), SAFE_CAST(c AS BIGNUMERIC) FROM t",
        "SELECT ARRAY_FILTER(a, e -> e > 1), ARRAY_LENGTH(a), STRING_AGG(a, ',' LIMIT 2) FROM t",
        "SELECT a AS filter, semi, anti FROM t ORDER BY a",
        "SELECT ARRAY_AGG(a LIMIT 1), 2 FROM t LIMIT 1 OFFSET 2",
        "SELECT WITH(a AS 'x', b AS TRUE, IF(b, a, 'y'))",
        "SELECT 'größe', `größe`, r'日本' FROM `t\u2013u` -- “so”\n/* größe */",
        "SELECT DISTINCT a FROM t JOIN u ON t.a = u.a",
        "CREATE TEMP FUNCTION len(a STRING) AS (LENGTH(a)); SELECT len('x')",
    ],
)
def test_sql_that_looks_like_it_and_is_right_is_taken(sql: str) -> None:
    assert refusal(sql) == ""


def test_a_job_and_its_dry_run_fail_by_it(client: bigquery.Client) -> None:
    for is_dry in (True, False):
        job_config = bigquery.QueryJobConfig(dry_run=is_dry)
        with pytest.raises(BadRequest, match="Function not found: NOW at"):
            client.query("SELECT NOW() AS a", job_config=job_config).result()


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT 1 AS a, 2 AS A", r"Duplicate column names .* duplicate\(s\): A"),
        ("SELECT * FROM (SELECT 1 AS a) CROSS JOIN (SELECT 2 AS a)", r"duplicate\(s\): a"),
        ("SELECT 1 AS `a.b`", 'Invalid field name "a.b"'),
    ],
)
@pytest.mark.parametrize("is_dry", [True, False])
def test_columns_of_one_name_and_names_that_no_column_has_are_refused(
    client: bigquery.Client, dataset: str, sql: str, message: str, is_dry: bool
) -> None:
    written = bigquery.QueryJobConfig(destination=f"{PROJECT}.{dataset}.t", dry_run=is_dry)
    with pytest.raises(BadRequest, match=message):
        client.query(sql, job_config=written).result()


def test_columns_without_a_name_are_numbered(client: bigquery.Client) -> None:
    rows = client.query_and_wait("(SELECT COUNT(*), 1 AS a FROM UNNEST([1])) UNION ALL (SELECT 2, 2)")
    assert [field.name for field in rows.schema] == ["f0_", "a"]


def test_a_table_keeps_the_partitioning_that_it_was_made_with(client: bigquery.Client, dataset: str) -> None:
    table = f"{PROJECT}.{dataset}.t"
    by_day = bigquery.TimePartitioning(field="d")

    def write(partitioning: bigquery.TimePartitioning | None) -> None:
        written = bigquery.QueryJobConfig(
            destination=table,
            write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE,
            time_partitioning=partitioning,
        )
        client.query("SELECT DATE '2024-01-01' AS d, 1 AS a", job_config=written).result()

    write(by_day)
    write(by_day)
    write(None)
    with pytest.raises(BadRequest, match=r"Expects partitioning specification interval\(type:day,field:d\)"):
        write(bigquery.TimePartitioning(type_="MONTH", field="d"))


def test_a_table_without_partitions_gets_none(client: bigquery.Client, dataset: str) -> None:
    client.query_and_wait(f"CREATE TABLE {dataset}.t AS SELECT DATE '2024-01-01' AS d")
    written = bigquery.QueryJobConfig(
        destination=f"{PROJECT}.{dataset}.t",
        write_disposition=bigquery.WriteDisposition.WRITE_APPEND,
        time_partitioning=bigquery.TimePartitioning(field="d"),
    )
    with pytest.raises(BadRequest, match="Expects partitioning specification none, but input"):
        client.query("SELECT DATE '2024-01-01' AS d", job_config=written).result()

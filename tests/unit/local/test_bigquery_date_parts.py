"""Parts, elements and literals of dates and times are BigQuery's, and so are parts of JSON and aggregates."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest, MethodNotImplemented
from google.cloud import bigquery

TAGS = """
CREATE TABLE shop.tags AS
SELECT 1 AS n, ['a', 'b'] AS tags, JSON '{"channel": "web", "nested": {"k": [1, 2]}}' AS props
UNION ALL SELECT 2, ['c'], NULL UNION ALL SELECT 3, NULL, NULL UNION ALL SELECT 3, ['d'], NULL
"""


@pytest.fixture(scope="module")
def shop(client: bigquery.Client) -> bigquery.Client:
    client.create_dataset("shop")
    client.query_and_wait(TAGS)
    return client


def ask(client: bigquery.Client, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in client.query_and_wait(sql)]


@pytest.mark.parametrize(
    ("sql", "row"),
    [
        (
            "FORMAT_DATE('%C|%D|%e|%g|%h|%j|%u|%V|%y', DATE '2008-12-05')",
            ("20|12/05/08| 5|08|Dec|340|5|49|08",),
        ),
        (
            "FORMAT_TIMESTAMP('%k|%l|%P|%p|%r|%n%t', TIMESTAMP '2024-05-01 13:04:05')",
            ("13| 1|pm|PM|01:04:05 PM|\n\t",),
        ),
        ("PARSE_TIMESTAMP('%s', '1577836800')", (datetime(2020, 1, 1, tzinfo=UTC),)),
        ("TIMESTAMP '2020-01-01 12:00:00.5-8:00'", (datetime(2020, 1, 1, 20, 0, 0, 500000, tzinfo=UTC),)),
        ("TIMESTAMP '2020-01-01 12:00:00+5'", (datetime(2020, 1, 1, 7, tzinfo=UTC),)),
        ("TIMESTAMP_DIFF('2001-02-01 03:00:00', '2001-02-01 00:00:00', HOUR)", (3,)),
        ("LAST_DAY(DATE '2008-11-25', ISOYEAR)", (date(2008, 12, 28),)),
        ("SAFE.DATE_ADD(DATE '2020-01-31', INTERVAL 1 MONTH)", (date(2020, 2, 29),)),
        ("STRUCT<INT64, STRING>(1, 'a') = STRUCT<INT64, STRING>(1, 'a')", (True,)),
        ("STRUCT<a INT64, b ARRAY<STRING>>(1, ['x']).b", (["x"],)),
        ("""JSON '{"a": {"b": [1, {"c": 2}]}}'.a.b[1].c, JSON '{"a": 1}'['a']""", (2, 1)),
        ("""PARSE_JSON('{"a": [1, 2]}').a[1], TO_JSON(STRUCT(1 AS x)).x""", (2, 1)),
        (
            """INT64_ARRAY(JSON '[1, 2]'), STRING_ARRAY(JSON '["a"]'), BOOL_ARRAY(JSON '[true]'),
            FLOAT64_ARRAY(JSON '[1.5]', wide_number_mode => 'round'), LAX_INT64_ARRAY(JSON '["1"]')""",
            ([1, 2], ["a"], [True], [1.5], [1]),
        ),
        ("FLOAT64(JSON '9', wide_number_mode => 'exact')", (9.0,)),
    ],
)
def test_an_expression_is_what_it_is_on_bigquery(
    shop: bigquery.Client, sql: str, row: tuple[Any, ...]
) -> None:
    assert ask(shop, f"SELECT {sql}") == [row]


@pytest.mark.parametrize(
    ("sql", "row"),
    [
        ("ARRAY_CONCAT_AGG(tags ORDER BY n LIMIT 2)", (["a", "b", "c"],)),
        ("ARRAY_CONCAT_AGG(tags ORDER BY n)", (["a", "b", "c", "d"],)),
        ("APPROX_QUANTILES(n, 2 IGNORE NULLS)", ([1, 2, 3],)),
        ("APPROX_QUANTILES(DISTINCT n, 2)", ([1, 2, 3],)),
    ],
)
def test_an_aggregate_is_what_it_is_on_bigquery(
    shop: bigquery.Client, sql: str, row: tuple[Any, ...]
) -> None:
    assert ask(shop, f"SELECT {sql} FROM shop.tags") == [row]


@pytest.mark.parametrize(
    "sql",
    [
        "EXTRACT(DECADE FROM DATE '2020-01-01')",
        "DATE_TRUNC(DATE '2020-01-01', DECADE)",
        "DATE_TRUNC(DATE '2020-01-01', MONDAY)",
        "DATE_ADD(DATE '2020-01-01', INTERVAL 3 DAYS)",
        "DATE_DIFF(DATE '2020-01-01', DATE '2020-01-02', DAYS)",
        "INTERVAL '3 days'",
    ],
)
def test_a_part_that_bigquery_has_not_is_refused(shop: bigquery.Client, sql: str) -> None:
    with pytest.raises(BadRequest, match="A valid date part name is required but found"):
        ask(shop, f"SELECT {sql}")


@pytest.mark.parametrize("sql", ["DATE_ADD('a')", "FORMAT_DATE('%Y')", "REGEXP_EXTRACT('a')", "COUNT()"])
def test_a_function_without_its_arguments_is_refused(shop: bigquery.Client, sql: str) -> None:
    with pytest.raises(BadRequest, match="No matching signature for"):
        ask(shop, f"SELECT {sql}")


@pytest.mark.parametrize(
    "sql",
    [
        "ST_GEOHASH(ST_GEOGPOINT(1, 2))",
        "JSON_KEYS(JSON '{}', mode => 'lax')",
        "JSON_QUERY(JSON '[]', 'lax $.a')",
    ],
)
def test_what_is_not_here_of_json_is_named(shop: bigquery.Client, sql: str) -> None:
    with pytest.raises(MethodNotImplemented, match="The local BigQuery does not have this"):
        ask(shop, f"SELECT {sql}")

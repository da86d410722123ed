"""Literals, texts and intervals are written and read as BigQuery writes and reads them."""

from decimal import Decimal
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest, MethodNotImplemented
from google.cloud import bigquery

SALES = """
CREATE TABLE shop.sales AS
SELECT
  1 AS n, 10 AS customer, 'north' AS region, DATE '2024-01-01' AS day,
  TIMESTAMP '2024-01-01 08:30:00' AS seen
UNION ALL SELECT 2, 11, 'south', DATE '2024-01-01', TIMESTAMP '2024-01-03 09:00:00.5'
UNION ALL SELECT 3, 10, 'north', DATE '2024-01-02', NULL
UNION ALL SELECT 4, 12, NULL, DATE '2024-02-29', NULL
"""


@pytest.fixture(scope="module")
def shop(client: bigquery.Client) -> bigquery.Client:
    client.create_dataset("shop")
    client.query_and_wait(SALES)
    return client


def ask(client: bigquery.Client, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in client.query_and_wait(sql)]


@pytest.mark.parametrize(
    ("sql", "row"),
    [
        (
            r"""SELECT rb'a\n', br"b\t", Rb'x', BR'''y''', rB'\xff'""",
            (rb"a\n", rb"b\t", b"x", b"y", rb"\xff"),
        ),
        (r"SELECT b'\x41\377\n\\', b'ü', LENGTH(b'ü\xff')", (b"A\xff\n\\", "ü".encode(), 3)),
        ("SELECT FORMAT('%t', 1), FORMAT('%T', 'a'), FORMAT('%t', 'a')", ("1", '"a"', "a")),
        (r"""SELECT FORMAT('%T', 'it\'s'), FORMAT('%T', 'say "x"\n')""", ('"it\'s"', "'say \"x\"\\n'")),
        (
            "SELECT FORMAT('%T %t', day, day), FORMAT('%T', TIME '10:00:00.5') FROM shop.sales WHERE n = 1",
            ('DATE "2024-01-01" 2024-01-01', 'TIME "10:00:00.500"'),
        ),
        (
            "SELECT FORMAT('%T', seen), FORMAT('%t', seen) FROM shop.sales WHERE n = 2",
            ('TIMESTAMP "2024-01-03 09:00:00.500+00"', "2024-01-03 09:00:00.500+00"),
        ),
        (
            "SELECT FORMAT('%T', ['a', NULL]), FORMAT('%t', [1.0, 2.5]), FORMAT('%T', STRUCT(1, 'x'))",
            ('["a", NULL]', "[1.0, 2.5]", '(1, "x")'),
        ),
        (
            "SELECT FORMAT('%T', STRUCT(1 AS a, [STRUCT('y' AS b)] AS c)), FORMAT('%t', NUMERIC '1.50')",
            ('(1, [STRUCT("y")])', "1.5"),
        ),
        (
            "SELECT FORMAT('%T', NUMERIC '1.5'), FORMAT('%T', b'a\\xff'), FORMAT('%t', TRUE), "
            "FORMAT('%T', NULL)",
            ('NUMERIC "1.5"', 'b"a\\xff"', "true", "NULL"),
        ),
        (
            "SELECT FORMAT('%*d|%t', 5, 3, CAST(NULL AS STRING)), FORMAT('%s', CAST(NULL AS STRING))",
            ("    3|NULL", None),
        ),
        (
            """SELECT FORMAT('%p', JSON '{"a": 1}'), FORMAT('%P', JSON '{"a": 1}')""",
            ('{"a":1}', '{\n  "a": 1\n}'),
        ),
        (
            "SELECT CAST(TIMESTAMP '2020-01-01 00:00:00.5' AS STRING), "
            "CAST(DATETIME '2020-01-01 00:00:00.0001' AS STRING), "
            "STRING(TIMESTAMP '2020-01-01 00:00:00.25', '+01')",
            ("2020-01-01 00:00:00.500+00", "2020-01-01 00:00:00.000100", "2020-01-01 01:00:00.250+01"),
        ),
        (
            "SELECT CAST(b'\\x00\\xab' AS STRING FORMAT 'HEX'), CAST('00ab' AS BYTES FORMAT 'HEX'), "
            "CAST('SGVsbG8=' AS BYTES FORMAT 'BASE64'), CAST(b'Hello' AS STRING FORMAT 'BASE64'), "
            "CAST(b'Hello' AS STRING FORMAT 'ASCII'), SAFE_CAST('zz' AS BYTES FORMAT 'HEX')",
            ("00ab", b"\x00\xab", b"Hello", "SGVsbG8=", "Hello", None),
        ),
        (
            "SELECT ROUND(NUMERIC '2.25', 1, 'ROUND_HALF_EVEN'), "
            "ROUND(NUMERIC '2.35', 1, 'ROUND_HALF_EVEN'), ROUND(NUMERIC '-2.5', 0, 'ROUND_HALF_EVEN'), "
            "ROUND(NUMERIC '1250', -2, 'ROUND_HALF_EVEN'), "
            "ROUND(NUMERIC '2.25', 1, 'ROUND_HALF_AWAY_FROM_ZERO')",
            (Decimal("2.2"), Decimal("2.4"), Decimal(-2), Decimal(1200), Decimal("2.3")),
        ),
        (
            "SELECT TO_JSON(9007199254740993, stringify_wide_numbers => TRUE), "
            "TO_JSON(STRUCT(9007199254740993 AS a, 1 AS b, NUMERIC '1.5' AS c), "
            "stringify_wide_numbers => TRUE), "
            "TO_JSON(9007199254740993, stringify_wide_numbers => FALSE)",
            ("9007199254740993", {"a": "9007199254740993", "b": 1, "c": 1.5}, 9007199254740993),
        ),
    ],
)
def test_values_are_written_as_bigquery_writes_them(
    shop: bigquery.Client, sql: str, row: tuple[Any, ...]
) -> None:
    assert ask(shop, sql) == [row]


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("TIMESTAMP '2020-01-03' - TIMESTAMP '2020-01-02'", "0-0 0 24:0:0"),
        ("DATETIME '2020-01-03' - DATETIME '2020-01-01 12:00:00.5'", "0-0 0 35:59:59.5"),
        ("DATE '2020-01-03' - DATE '2020-01-02'", "0-0 1 0:0:0"),
        ("(SELECT MAX(seen) - MIN(seen) FROM shop.sales)", "0-0 0 48:30:0.5"),
        ("(SELECT MAX(day) - MIN(day) FROM shop.sales)", "0-0 59 0:0:0"),
        ("JUSTIFY_HOURS(TIMESTAMP '2020-01-03' - TIMESTAMP '2020-01-02')", "0-0 1 0:0:0"),
        ("CAST('1-2 3 4:5:6.7' AS INTERVAL)", "1-2 3 4:5:6.7"),
        ("CAST('-1-2 -3 -4:5:6' AS INTERVAL)", "-1-2 -3 -4:5:6"),
        ("INTERVAL '1-2 3 4:5:6.789999' YEAR TO SECOND", "1-2 3 4:5:6.789999"),
    ],
)
def test_an_interval_is_counted_as_bigquery_counts_it(shop: bigquery.Client, sql: str, text: str) -> None:
    assert ask(shop, f"SELECT CAST({sql} AS STRING)") == [(text,)]


def test_parts_of_an_interval_are_extracted_from_it_as_it_is(shop: bigquery.Client) -> None:
    sql = "SELECT EXTRACT(HOUR FROM TIMESTAMP '2020-01-03' - TIMESTAMP '2020-01-01')"
    assert ask(shop, sql) == [(48,)]


@pytest.mark.parametrize(
    ("sql", "row"),
    [
        ("SUM(n HAVING MAX customer)", (4,)),
        ("COUNT(n HAVING MAX region), AVG(n HAVING MIN region)", (1, 2.0)),
        ("COUNT(DISTINCT customer HAVING MIN region)", (1,)),
        ("ARRAY_AGG(n HAVING MAX customer + n)", ([4],)),
        ("ANY_VALUE(region HAVING MIN n * 2)", ("north",)),
    ],
)
def test_an_aggregate_of_the_extreme_rows(shop: bigquery.Client, sql: str, row: tuple[Any, ...]) -> None:
    assert ask(shop, f"SELECT {sql} FROM shop.sales") == [row]


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("ROLLUP(region)", [(None, 1), (None, 4), ("north", 2), ("south", 1)]),
        ("CUBE(region)", [(None, 1), (None, 4), ("north", 2), ("south", 1)]),
        ("GROUPING SETS (region, ())", [(None, 1), (None, 4), ("north", 2), ("south", 1)]),
    ],
)
def test_pipes_group_by_several_sets(shop: bigquery.Client, sql: str, rows: list[tuple[Any, ...]]) -> None:
    piped = f"FROM shop.sales |> AGGREGATE COUNT(*) AS n GROUP BY {sql} |> ORDER BY region, n"
    assert ask(shop, piped) == rows


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        (r"SELECT b'\u00e9'", r"Illegal escape sequence: \\u"),
        ("SELECT CAST('x-2' AS INTERVAL)", "Invalid INTERVAL value"),
        ("SELECT CAST(b'a' AS STRING FORMAT 'ROT13')", "Invalid format: ROT13"),
    ],
)
def test_what_bigquery_does_not_write_is_refused(shop: bigquery.Client, sql: str, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        ask(shop, sql)


def test_what_the_local_bigquery_has_not_is_named(shop: bigquery.Client) -> None:
    with pytest.raises(MethodNotImplemented, match="does not have this: CAST of numbers by a FORMAT"):
        ask(shop, "SELECT CAST(1 AS STRING FORMAT '999')")
    with pytest.raises(MethodNotImplemented, match="does not have this: STDDEV with HAVING MAX"):
        ask(shop, "SELECT STDDEV(n HAVING MAX customer) FROM shop.sales")

"""Functions take and give what they do on BigQuery; JSON is changed at the places of its paths."""

import json
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest
from google.cloud import bigquery

ORDERS = """
CREATE TABLE shop.orders AS
SELECT 1 AS n, 'north' AS region, ['a', 'b'] AS tags, [STRUCT('x' AS sku, 2 AS qty), ('y', 1)] AS items
UNION ALL SELECT 2, NULL, ['c'], [('z', 3)]
"""


@pytest.fixture(scope="module")
def shop(client: bigquery.Client) -> bigquery.Client:
    client.create_dataset("shop")
    client.query_and_wait(ORDERS)
    return client


def ask(client: bigquery.Client, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in client.query_and_wait(sql)]


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        (
            "SELECT * FROM UNNEST([STRUCT(1 AS x, 'a' AS y), (2, 'b')]) AS s WITH OFFSET AS o",
            [(1, "a", 0), (2, "b", 1)],
        ),
        (
            "SELECT s.x, o FROM UNNEST([STRUCT(1 AS x, 'a' AS y), (2, 'b')]) AS s WITH OFFSET o "
            "WHERE s.y = 'b'",
            [(2, 1)],
        ),
        (
            "SELECT x, off FROM UNNEST([STRUCT(1 AS x, 'a' AS y), (2, 'b')]) WITH OFFSET off ORDER BY 2 DESC",
            [(2, 1), (1, 0)],
        ),
        (
            "SELECT n, i.*, o FROM shop.orders CROSS JOIN UNNEST(items) AS i WITH OFFSET AS o ORDER BY 1, 4",
            [(1, "x", 2, 0), (1, "y", 1, 1), (2, "z", 3, 0)],
        ),
        (
            "SELECT i.* EXCEPT (qty), o FROM shop.orders, UNNEST(items) AS i WITH OFFSET o ORDER BY n, o",
            [("x", 0), ("y", 1), ("z", 0)],
        ),
        ("SELECT MAX_BY(region, n), MIN_BY(region, n) FROM shop.orders", [(None, "north")]),
        (
            r"SELECT REGEXP_EXTRACT('abc', r'(?:a)(b)'), REGEXP_EXTRACT('a(b', r'\((b)'), "
            r"REGEXP_EXTRACT_ALL('a1b2', r'[a-z](\d)')",
            [("b", "b", ["1", "2"])],
        ),
        ("SELECT BIT_COUNT(-1), BIT_COUNT(7), BIT_COUNT(b'\\xff\\x01')", [(64, 3, 9)]),
    ],
)
def test_a_query_gives_what_it_gives_on_bigquery(
    shop: bigquery.Client, sql: str, rows: list[tuple[Any, ...]]
) -> None:
    assert ask(shop, sql) == rows


def test_a_whole_number_that_is_rounded_is_a_float64(shop: bigquery.Client) -> None:
    rows = shop.query_and_wait("SELECT ROUND(n), TRUNC(n), CEIL(n), FLOOR(n), ABS(n) FROM shop.orders")
    assert [field.field_type for field in rows.schema] == ["FLOAT"] * 4 + ["INTEGER"]


def test_a_text_that_is_no_json_has_no_part(shop: bigquery.Client) -> None:
    sql = """
    SELECT JSON_VALUE(region, '$.a'), JSON_QUERY('{bad', '$'), JSON_VALUE('{"a": 1}', '$.a'),
      JSON_QUERY('{"a": [1]}'), JSON_EXTRACT_ARRAY(region, '$')
    FROM shop.orders WHERE n = 1
    """
    assert ask(shop, sql) == [(None, None, "1", '{"a":[1]}', [])]


def test_a_wildcard_stands_in_backticks(shop: bigquery.Client) -> None:
    assert ask(shop, "SELECT COUNT(*) FROM shop.`order*`") == [(2,)]
    with pytest.raises(BadRequest, match='Expected end of input but got "\\*" at \\[1:15\\]'):
        ask(shop, "SELECT * FROM shop.order*")


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("REGEXP_EXTRACT('abc', r'(a)(b)')", "more than 1 capturing group"),
        ("ARRAY_TO_STRING([1, 2], '-')", "No matching signature for function ARRAY_TO_STRING"),
        ("JSON_SET(JSON '{}', 'a', 1)", "Invalid JSONPath"),
        ("JSON_SET(JSON '{}', '$.a')", "No matching signature for function JSON_SET"),
        ("JSON_REMOVE(JSON '{}')", "No matching signature for function JSON_REMOVE"),
    ],
)
def test_what_a_function_does_not_take_is_refused(shop: bigquery.Client, sql: str, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        ask(shop, f"SELECT {sql}")


@pytest.mark.parametrize(
    ("call", "result"),
    [
        ("""JSON_SET(JSON '{"a": [1, 2]}', '$.a[0]', 9)""", {"a": [9, 2]}),
        ("""JSON_SET(JSON '{"a": 1}', '$', JSON '{"b": 2}')""", {"b": 2}),
        ("""JSON_SET(JSON '{"a": 1}', '$.b', 2, create_if_missing => FALSE)""", {"a": 1}),
        ("""JSON_SET(JSON '{"a": 1}', '$.a', 2, '$.b.c', 'x')""", {"a": 2, "b": {"c": "x"}}),
        ("""JSON_SET(JSON '["a"]', '$[2]', 'x')""", ["a", None, "x"]),
        ("""JSON_SET(JSON '{"a": 1}', '$.a.b', 2)""", {"a": 1}),
        ("""JSON_SET(JSON '{"a": 1}', '$.a', NULL)""", {"a": None}),
        ("""JSON_REMOVE(JSON '{"a": [1, 2, 3], "b": 4}', '$.a[1]', '$.b', '$.c')""", {"a": [1, 3]}),
        ("""JSON_STRIP_NULLS(JSON '{"a": [1, null], "b": {"c": null}}')""", {"a": [1], "b": {}}),
        ("""JSON_STRIP_NULLS(JSON '{"a": [null]}', include_arrays => FALSE)""", {"a": [None]}),
        ("""JSON_STRIP_NULLS(JSON '{"a": {"b": null}, "c": 1}', remove_empty => TRUE)""", {"c": 1}),
        ("""JSON_ARRAY_APPEND(JSON '[1]', '$', [2, 3], '$', 4)""", [1, 2, 3, 4]),
        ("""JSON_ARRAY_APPEND(JSON '[1]', '$', [2], append_each_element => FALSE)""", [1, [2]]),
        ("""JSON_ARRAY_APPEND(JSON '[1]', '$', JSON '[2]')""", [1, [2]]),
        ("""JSON_ARRAY_APPEND(JSON '{"a": null}', '$.a', 1, '$.b', 2)""", {"a": [1]}),
        ("""JSON_ARRAY_INSERT(JSON '["a", "b"]', '$[1]', 1)""", ["a", 1, "b"]),
        ("""JSON_ARRAY_INSERT(JSON '["a"]', '$[3]', 'd')""", ["a", None, None, "d"]),
        ("""JSON_ARRAY_INSERT(JSON '[1]', '$[0]', [2, 3])""", [2, 3, 1]),
        ("""JSON_SET(JSON '{}', '$."a b"', DATE '2020-01-01')""", {"a b": "2020-01-01"}),
    ],
)
def test_json_is_changed_where_its_path_leads(shop: bigquery.Client, call: str, result: Any) -> None:
    assert json.loads(ask(shop, f"SELECT TO_JSON_STRING({call})")[0][0]) == result


def test_no_document_is_changed_to_none(shop: bigquery.Client) -> None:
    assert ask(shop, "SELECT JSON_SET(NULL, '$.a', 1), JSON_STRIP_NULLS(NULL)") == [(None, None)]

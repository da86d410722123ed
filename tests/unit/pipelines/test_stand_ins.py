"""Stand-ins: a query keeps its places and its meaning, and reads no rows of what is not there."""

from dataclasses import dataclass, field

import pytest
import sqlglot

from common.pipelines.firewall import judge_statement
from common.pipelines.stand_ins import named_in, type_of, with_stand_ins
from common.pipelines.tables import Policy


@dataclass
class Column:
    name: str
    field_type: str
    mode: str = "NULLABLE"
    fields: list["Column"] = field(default_factory=list)


ORDERS = {"orders": [Column("n", "INTEGER"), Column("at", "TIMESTAMP")]}
NO_ORDERS = "SELECT CAST(NULL AS INT64) AS `n`, CAST(NULL AS TIMESTAMP) AS `at` LIMIT 0"


def stood_in(sql: str) -> str:
    """Return the query as it is asked, without what is put around it."""
    asked = with_stand_ins(sql, "my-project", "acme", ORDERS)
    assert asked is not None
    first, *lines, last = asked.rstrip().split("\n")
    assert (first, last) == (f"WITH `orders` AS ({NO_ORDERS}) SELECT * FROM (", ")")
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("sql", "asked"),
    [
        ("SELECT n FROM orders", "SELECT n FROM orders"),
        ("SELECT n FROM acme.orders", "SELECT n FROM    `orders`"),
        ("SELECT n FROM `my-project.acme.orders` AS o", "SELECT n FROM                 `orders` AS o"),
        ("SELECT n FROM `my-project`.acme.`orders`", "SELECT n FROM                   `orders`"),
        ("SELECT n FROM my-project.acme.orders", "SELECT n FROM               `orders`"),
        ("SELECT n FROM other.orders", "SELECT n FROM other.orders"),
        ("SELECT n FROM acme.orders_2", "SELECT n FROM acme.orders_2"),
        (
            "SELECT 'acme.orders' FROM orders -- acme.orders",
            "SELECT 'acme.orders' FROM orders -- acme.orders",
        ),
        ("SELECT 1 FROM orders;", "SELECT 1 FROM orders "),
    ],
)
def test_a_name_becomes_the_stand_ins_and_keeps_its_end(sql: str, asked: str) -> None:
    assert stood_in(sql) == asked


def test_lines_are_one_further_down_and_a_comment_at_the_end_ends_itself() -> None:
    asked = with_stand_ins("SELECT n\nFROM orders -- all", "p", "acme", ORDERS)
    assert asked is not None
    assert asked.rstrip().split("\n")[1:] == ["SELECT n", "FROM orders -- all", ")"]


def test_a_query_with_a_with_of_that_name_is_not_judged() -> None:
    sql = "WITH orders AS (SELECT 1 AS n) SELECT n FROM orders JOIN acme.orders AS o USING (n)"
    assert with_stand_ins(sql, "p", "acme", ORDERS) is None
    assert with_stand_ins("SELECT 'x', orders.n AS orders FROM orders", "p", "acme", ORDERS) is not None


def test_the_firewall_and_a_parser_can_read_what_is_asked() -> None:
    columns = {
        "orders": [
            Column(
                "items",
                "RECORD",
                "REPEATED",
                [Column("price", "FLOAT"), Column("tags", "STRING", "REPEATED")],
            )
        ]
    }
    asked = with_stand_ins(
        "WITH a AS (SELECT * FROM orders) SELECT * FROM a ORDER BY 1", "p", "acme", columns
    )
    assert asked is not None
    policy = Policy(project_id="p", dataset="acme")
    assert judge_statement(asked, policy).reasons == ()
    assert sqlglot.parse_one(asked, read="bigquery")


@pytest.mark.parametrize(
    ("column", "type_"),
    [
        (Column("a", "INTEGER"), "INT64"),
        (Column("a", "FLOAT", "REPEATED"), "ARRAY<FLOAT64>"),
        (Column("a", "BOOLEAN", "REQUIRED"), "BOOL"),
        (Column("a", "BIGNUMERIC"), "BIGNUMERIC"),
        (Column("a", "RECORD", "NULLABLE", [Column("b c", "DATE")]), "STRUCT<`b c` DATE>"),
        (Column("a", "RECORD", "REPEATED", [Column("b", "JSON")]), "ARRAY<STRUCT<`b` JSON>>"),
    ],
)
def test_a_columns_type_is_written_as_sql_writes_it(column: Column, type_: str) -> None:
    assert type_of(column) == type_


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("SELECT * FROM orders", {"orders"}),
        ("SELECT * FROM `p.acme.orders`", {"orders"}),
        ("SELECT * FROM `orders`, acme.total", {"orders", "total"}),
        ("SELECT 'orders' -- orders", set()),
        ("SELECT * FROM orders_2", set()),
    ],
)
def test_the_tables_that_a_query_names_are_found(sql: str, named: set[str]) -> None:
    assert named_in(sql, "p", "acme", ["orders", "total"]) == named

"""WRITE_TRUNCATE_DATA replaces the rows of a table, and nothing else of it."""

from datetime import date

import pytest
from google.api_core import exceptions as google
from google.cloud import bigquery

TARGET = "truncated.target"


@pytest.fixture
def table(client: bigquery.Client) -> str:
    client.create_dataset("truncated", exists_ok=True)
    sql = f"CREATE OR REPLACE TABLE {TARGET} (day DATE, n INT64, name STRING) PARTITION BY day"
    client.query_and_wait(sql)
    client.query_and_wait(f"INSERT {TARGET} VALUES (DATE '2026-01-01', 1, 'old')")
    return f"{client.project}.{TARGET}"


def replace_rows(client: bigquery.Client, table: str, sql: str) -> None:
    config = bigquery.QueryJobConfig(destination=table, write_disposition="WRITE_TRUNCATE_DATA")
    client.query(sql, job_config=config, job_retry=None).result()


def test_rows_are_replaced_and_columns_keep_their_order_and_their_partitions(
    client: bigquery.Client, table: str
) -> None:
    replace_rows(client, table, "SELECT 7 AS n, DATE '2026-02-02' AS day")
    assert [tuple(row) for row in client.query_and_wait(f"SELECT * FROM {TARGET}")] == [
        (date(2026, 2, 2), 7, None)
    ]
    resource = client.get_table(table)
    assert [field.name for field in resource.schema] == ["day", "n", "name"]
    assert resource.time_partitioning.field == "day"


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("SELECT 7 AS n, 1 AS more", r"Cannot add fields \(field: more\)"),
        ("SELECT '7' AS n", "Field n has changed type"),
    ],
)
def test_columns_that_do_not_fit_are_refused_and_the_rows_stay(
    client: bigquery.Client, table: str, sql: str, fault: str
) -> None:
    with pytest.raises(google.BadRequest, match=fault):
        replace_rows(client, table, sql)
    assert [row.n for row in client.query_and_wait(f"SELECT n FROM {TARGET}")] == [1]


def test_a_table_that_is_not_there_is_made(client: bigquery.Client, table: str) -> None:
    replace_rows(client, f"{table}_new", "SELECT 7 AS n")
    assert [row.n for row in client.query_and_wait(f"SELECT n FROM {TARGET}_new")] == [7]

"""With the analyzer as the judge, a wrong query fails by BigQuery's own sentence, dry or not."""

from collections.abc import Iterator

import pytest
from google.api_core.exceptions import BadRequest, NotFound
from google.cloud import bigquery

from local.bigquery import LocalBigQuery
from tests.unit.local.conftest import PROJECT


@pytest.fixture(scope="module")
def orders(server: LocalBigQuery, client: bigquery.Client) -> Iterator[bigquery.Client]:
    server.strict_sql.begin().join()
    client.create_dataset("strict")
    client.query_and_wait("CREATE TABLE strict.orders AS SELECT 1 AS id, [STRUCT('a' AS sku)] AS items")
    yield client
    server.strict_sql.is_on = False


@pytest.mark.parametrize("is_dry", [True, False])
@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT idd FROM orders", r"Unrecognized name: idd; Did you mean id\? at \[1:8\]"),
        ("SELECT id AS n FROM orders WHERE n > 1", r"Unrecognized name: n at \[1:34\]"),
        ("SELECT SUM(id > 1) AS n FROM orders", "No matching signature for aggregate function SUM"),
        ("SELECT id FROM orders UNION ALL SELECT 'a'", "Column 1 in UNION ALL has incompatible types"),
        ("SELECT id, COUNT(*) AS n FROM strict.orders", "neither grouped nor aggregated"),
    ],
)
def test_a_wrong_query_fails_by_the_analyzers_sentence(
    orders: bigquery.Client, sql: str, message: str, is_dry: bool
) -> None:
    config = bigquery.QueryJobConfig(default_dataset=f"{PROJECT}.strict", dry_run=is_dry)
    with pytest.raises(BadRequest, match=message):
        orders.query(sql, job_config=config).result()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT sku, CAST(id AS INT) AS n FROM strict.orders, UNNEST(items) WHERE id >= @least",
        "SELECT table_name FROM strict.INFORMATION_SCHEMA.TABLES WHERE @least = 1",
        "SELECT COUNT(*) AS n FROM `strict.ord*` WHERE @least = 1",
    ],
)
def test_a_right_query_runs_and_one_that_cannot_be_judged_too(orders: bigquery.Client, sql: str) -> None:
    least = bigquery.ScalarQueryParameter("least", "INT64", 1)
    rows = orders.query_and_wait(sql, job_config=bigquery.QueryJobConfig(query_parameters=[least]))
    assert rows.total_rows == 1


def test_a_table_that_is_not_there_is_not_found(orders: bigquery.Client) -> None:
    with pytest.raises(NotFound, match=r"strict\.gone"):
        orders.query_and_wait("SELECT a FROM strict.gone")

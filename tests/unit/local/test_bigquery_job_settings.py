"""A job whose settings do not go together is refused before it begins, a call that streams no rows too."""

from typing import Any

import pytest
from google.api_core.exceptions import BadRequest
from google.cloud import bigquery

from tests.unit.local.conftest import PROJECT, start_job


def refusal(client: bigquery.Client, dataset: str, sql: str, **settings: Any) -> str:
    destination = bigquery.TableReference.from_string(f"{PROJECT}.{dataset}.made")
    with pytest.raises(BadRequest) as refused:
        start_job(client, f"{dataset}-settings", sql, destination=destination, **settings).result(
            job_retry=None
        )
    message: str = refused.value.errors[0]["message"]
    return message


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("INSERT other.t (a) VALUES (1)", "Cannot set destination table in jobs with DML statements"),
        ("CREATE TABLE other.t AS SELECT 1 AS a", "Cannot set destination table in jobs with DDL statements"),
        ("DECLARE x INT64; SELECT 1 AS a", "destinationTable cannot be set for scripts"),
        (f"SELECT 1 AS a -- {'x' * 1024 * 1024}", "The query is too large"),
        ("SELECT 1 AS _table_a", 'Invalid field name "_table_a". Field names are not allowed to start with'),
        (
            "SELECT 1 AS _PARTITIONS",
            "prefixes _PARTITION, _TABLE_, _FILE_, _ROW_TIMESTAMP, __ROOT__ and _COL",
        ),
    ],
)
def test_a_statement_that_goes_without_a_destination_has_none(
    client: bigquery.Client, dataset: str, sql: str, message: str
) -> None:
    assert message in refusal(client, dataset, sql)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"clustering_fields": list("abcde")}, "Too many clustering columns: 5, the limit is 4."),
        ({"clustering_fields": ["a", "A"]}, "Clustering columns must not be repeated."),
        (
            {"time_partitioning": bigquery.TimePartitioning(type_="WEEK", field="a")},
            "WEEK is not a valid value",
        ),
        ({"priority": "NOW"}, "NOW is not a valid value"),
    ],
)
def test_a_setting_is_one_that_there_is(
    client: bigquery.Client, dataset: str, settings: dict[str, Any], message: str
) -> None:
    sql = "SELECT 1 AS a, 2 AS b, 3 AS c, 4 AS d, 5 AS e"
    assert message in refusal(client, dataset, sql, **settings)


@pytest.mark.parametrize(
    ("rows", "message"), [(0, "No rows present in the request."), (50_001, "too many rows present")]
)
def test_a_call_streams_some_rows_and_not_too_many(
    client: bigquery.Client, dataset: str, rows: int, message: str
) -> None:
    client.query_and_wait(f"CREATE TABLE {dataset}.streamed (a INT64)")
    path = f"/projects/{PROJECT}/datasets/{dataset}/tables/streamed/insertAll"
    with pytest.raises(BadRequest, match=message):
        client._connection.api_request(  # type: ignore[no-untyped-call]
            method="POST", path=path, data={"rows": [{"json": {"a": 1}}] * rows}
        )


def test_four_clustering_columns_and_a_destination_of_a_query_are_taken(
    client: bigquery.Client, dataset: str
) -> None:
    sql = "SELECT 1 AS a, 2 AS b, 3 AS c, 4 AS d"
    destination = bigquery.TableReference.from_string(f"{PROJECT}.{dataset}.made")
    job = start_job(
        client,
        f"{dataset}-good",
        sql,
        destination=destination,
        clustering_fields=list("abcd"),
        priority="BATCH",
    )
    assert job.result(job_retry=None).total_rows == 1

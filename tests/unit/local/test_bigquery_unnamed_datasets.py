"""What changes a table or a routine says in which dataset it is, but for what is temporary."""

import pytest
from google.api_core.exceptions import BadRequest
from google.cloud import bigquery

from tests.unit.local.conftest import PROJECT


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE lost AS SELECT 1 AS a",
        "CREATE OR REPLACE TABLE lost (a INT64)",
        "CREATE MATERIALIZED VIEW lost AS SELECT 1 AS a",
        "ALTER TABLE lost ADD COLUMN b INT64",
        "DROP TABLE IF EXISTS lost",
        "TRUNCATE TABLE lost",
        "INSERT INTO lost VALUES (1)",
        "UPDATE lost SET a = 1 WHERE TRUE",
        "DELETE FROM lost WHERE TRUE",
        "MERGE lost USING (SELECT 1 AS x) ON a = x WHEN MATCHED THEN DELETE",
        "SELECT * FROM lost",
    ],
)
def test_a_table_without_a_dataset_is_refused(client: bigquery.Client, sql: str) -> None:
    with pytest.raises(BadRequest, match=r'Table "lost" must be qualified with a dataset') as refused:
        client.query(sql, job_retry=None).result()
    assert refused.value.errors[0]["reason"] == "invalid"


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE FUNCTION lost(x INT64) AS (x)",
        "CREATE TABLE FUNCTION lost(x INT64) AS SELECT x AS y",
        "CREATE PROCEDURE lost() BEGIN SELECT 1; END",
        "CREATE OR REPLACE PROCEDURE lost(x INT64) BEGIN SELECT x; END",
        "CALL lost()",
        "DROP PROCEDURE lost",
    ],
)
def test_a_routine_without_a_dataset_is_refused(client: bigquery.Client, sql: str) -> None:
    with pytest.raises(BadRequest, match=r'Routine "lost" must be qualified with a dataset'):
        client.query(sql, job_retry=None).result()


def test_a_default_dataset_is_enough(client: bigquery.Client, dataset: str) -> None:
    config = bigquery.QueryJobConfig(default_dataset=f"{PROJECT}.{dataset}")
    client.query_and_wait("CREATE TABLE found AS SELECT 1 AS a", job_config=config)
    client.query_and_wait("INSERT INTO found VALUES (2)", job_config=config)
    rows = client.query_and_wait(f"SELECT COUNT(*) AS n FROM {dataset}.found")
    assert [row["n"] for row in rows] == [2]


def test_what_is_temporary_needs_none(client: bigquery.Client) -> None:
    script = """
    CREATE TEMP FUNCTION doubled(x INT64) AS (x * 2);
    CREATE TEMP TABLE kept (a INT64);
    INSERT INTO kept VALUES (1), (2);
    UPDATE kept SET a = 3 WHERE a = 1;
    DELETE FROM kept WHERE a = 2;
    SELECT doubled(a) AS a FROM kept;
    """
    assert [row["a"] for row in client.query_and_wait(script)] == [6]

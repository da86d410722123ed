from typing import Any

import pytest
from google.api_core import exceptions as google
from google.cloud import bigquery

from local.bigquery import LocalBigQuery
from local.bigquery.billing import LEAST_BILLED, MEGABYTE, Bytes, price
from tests.unit.local.conftest import start_job

ROWS = 1000


@pytest.fixture(scope="module")
def filled(client: bigquery.Client) -> str:
    """Make tables `a` (8,000 bytes) and `b` (16,000 bytes) and a view over both."""
    name = "filled"
    client.create_dataset(name)
    client.query_and_wait(f"CREATE TABLE {name}.a AS SELECT x FROM UNNEST(GENERATE_ARRAY(1, {ROWS})) AS x")
    client.query_and_wait(f"CREATE TABLE {name}.b AS SELECT x, x AS y FROM {name}.a")
    client.query_and_wait(f"CREATE VIEW {name}.both AS SELECT x, y FROM {name}.a JOIN {name}.b USING (x)")
    return name


def used(job: Any) -> tuple[int, int]:
    return job.total_bytes_processed, job.total_bytes_billed


def test_each_table_is_billed_by_full_megabytes_and_for_ten_at_least() -> None:
    assert price([]) == Bytes(processed=0, billed=0)
    assert price([1]) == Bytes(processed=1, billed=LEAST_BILLED)
    assert price([5, LEAST_BILLED + 1]) == Bytes(
        processed=LEAST_BILLED + 6, billed=LEAST_BILLED + 11 * MEGABYTE
    )


def test_the_size_is_that_of_the_table_resource(client: bigquery.Client, filled: str) -> None:
    job = client.query(f"SELECT x FROM {filled}.b")
    job.result()
    assert used(client.get_job(job.job_id)) == (client.get_table(f"{filled}.b").num_bytes, LEAST_BILLED)


def test_a_view_costs_what_lies_under_it(client: bigquery.Client, filled: str) -> None:
    job = client.query(f"SELECT x FROM {filled}.both")
    job.result()
    assert used(client.get_job(job.job_id)) == (24 * ROWS, 2 * LEAST_BILLED)


def test_the_default_dataset_completes_names(client: bigquery.Client, filled: str) -> None:
    config = bigquery.QueryJobConfig(default_dataset=f"{client.project}.{filled}")
    job = client.query("SELECT x FROM a", job_config=config)
    job.result()
    assert used(client.get_job(job.job_id)) == (8 * ROWS, LEAST_BILLED)


def test_a_query_without_a_table_costs_nothing(client: bigquery.Client) -> None:
    for sql in ("SELECT 1", "SELECT 2 AS a"):
        job = client.query(sql)
        job.result()
        assert used(client.get_job(job.job_id)) == (0, 0)


def test_a_dry_run_says_what_would_be_processed(client: bigquery.Client, filled: str) -> None:
    config = bigquery.QueryJobConfig(dry_run=True)
    assert client.query(f"SELECT x FROM {filled}.both", job_config=config).total_bytes_processed == 24 * ROWS


def test_rows_come_with_their_bytes(client: bigquery.Client, filled: str) -> None:
    assert client.query_and_wait(f"SELECT x FROM {filled}.a").total_bytes_processed == 8 * ROWS
    assert client.query(f"SELECT x FROM {filled}.a").result().total_bytes_processed == 8 * ROWS


def test_a_failed_job_bills_nothing(client: bigquery.Client, filled: str) -> None:
    job = client.query(f"SELECT ERROR('no') FROM {filled}.a", job_retry=None)
    with pytest.raises(google.BadRequest):
        job.result()
    assert used(client.get_job(job.job_id)) == (0, 0)


def test_a_job_over_its_cap_fails_and_does_nothing(
    client: bigquery.Client, filled: str, dataset: str
) -> None:
    target = f"{client.project}.{dataset}.copied"
    start_job(
        client,
        f"{dataset}-over",
        f"SELECT x FROM {filled}.both",
        destination=target,
        maximum_bytes_billed=2 * LEAST_BILLED - 1,
    )
    job = client.get_job(f"{dataset}-over")
    assert job.error_result == {
        "reason": "bytesBilledLimitExceeded",
        "message": "Query exceeded limit for bytes billed: 20971519. 20971520 or higher required.",
    }
    with pytest.raises(google.NotFound):
        client.get_table(target)


def test_a_job_within_its_cap_runs(client: bigquery.Client, filled: str, dataset: str) -> None:
    sql = f"SELECT x FROM {filled}.both LIMIT 1"
    job = start_job(client, f"{dataset}-within", sql, maximum_bytes_billed=2 * LEAST_BILLED)
    assert len(list(job.result())) == 1


def test_a_repeated_job_id_does_not_change_the_price_of_the_first_job(
    client: bigquery.Client, filled: str, dataset: str
) -> None:
    start_job(client, f"{dataset}-first", f"SELECT x FROM {filled}.a")
    with pytest.raises(google.Conflict):
        start_job(client, f"{dataset}-first", f"SELECT x FROM {filled}.both")
    assert used(client.get_job(f"{dataset}-first")) == (8 * ROWS, LEAST_BILLED)


def test_a_job_of_an_earlier_start_is_priced_by_todays_sizes(
    server: LocalBigQuery, client: bigquery.Client, filled: str, dataset: str
) -> None:
    start_job(client, f"{dataset}-earlier", f"SELECT x FROM {filled}.a")
    server.billing.reset()
    assert used(client.get_job(f"{dataset}-earlier")) == (8 * ROWS, LEAST_BILLED)

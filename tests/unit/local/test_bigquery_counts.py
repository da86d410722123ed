import pytest
from google.api_core.exceptions import Conflict
from google.cloud import bigquery

from local.bigquery import LocalBigQuery
from tests.unit.local.conftest import start_job


@pytest.fixture(autouse=True)
def from_zero(server: LocalBigQuery, dataset: str) -> None:
    server.counts.reset()


def test_jobs_are_counted_by_the_prefix_of_their_id_repeats_included(
    server: LocalBigQuery, client: bigquery.Client, dataset: str
) -> None:
    for job_id in (f"cvg-ticket-{dataset}-1", f"cvg-ticket-{dataset}-2", f"cvg-step-{dataset}"):
        start_job(client, job_id)
    with pytest.raises(Conflict):
        start_job(client, f"cvg-ticket-{dataset}-1")
    assert server.counts.jobs(f"cvg-ticket-{dataset}") == 3
    assert server.counts.jobs() == 4


def test_a_dry_run_is_no_job(server: LocalBigQuery, client: bigquery.Client) -> None:
    client.query("SELECT 1", job_config=bigquery.QueryJobConfig(dry_run=True))
    assert (server.counts.dry_runs, server.counts.jobs()) == (1, 0)


def test_streamed_batches_job_look_ups_and_metadata_calls_are_counted(
    server: LocalBigQuery, client: bigquery.Client, dataset: str
) -> None:
    table = client.create_table(
        bigquery.Table(f"{client.project}.{dataset}.t", [bigquery.SchemaField("a", "INT64")])
    )
    client.insert_rows_json(table, [{"a": 1}])
    start_job(client, f"{dataset}-looked-up")
    client.get_job(f"{dataset}-looked-up")
    counts = server.counts
    assert (counts.insert_all, counts.jobs_get, counts.metadata) == (1, 1, 1)
    assert counts.methods["tables.insert"] == 1


def test_reset_starts_again_from_zero(server: LocalBigQuery, client: bigquery.Client) -> None:
    client.query_and_wait("SELECT 2")
    server.counts.reset()
    assert (server.counts.jobs(), sum(server.counts.methods.values())) == (0, 0)


def test_when_the_first_call_came_and_the_last_was_answered_is_known(
    server: LocalBigQuery, client: bigquery.Client
) -> None:
    assert (server.counts.first_call_at, server.counts.last_answer_at) == (0.0, 0.0)
    client.query_and_wait("SELECT 3")
    first, last = server.counts.first_call_at, server.counts.last_answer_at
    client.query_and_wait("SELECT 4")
    assert 0.0 < first < last < server.counts.last_answer_at
    assert server.counts.first_call_at == first

from google.cloud import bigquery

from tests.unit.local.conftest import start_job

LABELS = {"tenant": "acme", "run": "r1"}


def test_a_claim_is_done_at_once_with_its_labels_and_times(client: bigquery.Client, dataset: str) -> None:
    start_job(client, f"{dataset}-claim", labels=LABELS)
    job = client.get_job(f"{dataset}-claim")
    assert isinstance(job, bigquery.QueryJob)
    assert (job.state, job.labels, job.error_result) == ("DONE", LABELS, None)
    assert (job.statement_type, job.total_bytes_billed) == ("SELECT", 0)
    assert None not in (job.created, job.started, job.ended)


def test_claims_share_one_result(client: bigquery.Client, dataset: str) -> None:
    jobs = [start_job(client, f"{dataset}-claim-{number}") for number in range(3)]
    assert len({str(job.destination) for job in jobs}) == 1


def test_a_claim_has_its_row(client: bigquery.Client) -> None:
    assert [row.values() for row in client.query("SELECT 1").result()] == [(1,)]


def test_a_claim_is_in_the_list_of_jobs(client: bigquery.Client, dataset: str) -> None:
    start_job(client, f"{dataset}-listed")
    assert f"{dataset}-listed" in [job.job_id for job in client.list_jobs(max_results=5)]


def test_a_constant_with_a_destination_runs(client: bigquery.Client, dataset: str) -> None:
    config = bigquery.QueryJobConfig(destination=f"{client.project}.{dataset}.one")
    client.query("SELECT 1", job_config=config).result()
    assert client.get_table(f"{dataset}.one").num_rows == 1

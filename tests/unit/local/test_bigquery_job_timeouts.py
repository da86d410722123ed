from google.cloud import bigquery

from local.bigquery import jobs
from tests.unit.local.conftest import ENDLESS, PROJECT, start_job


def test_a_job_is_stopped_when_its_time_is_up(client: bigquery.Client, dataset: str) -> None:
    start_job(client, f"{dataset}-long", ENDLESS, job_timeout_ms=400)
    job = client.get_job(f"{dataset}-long")
    while job.state != "DONE":  # Without its timeout it would run for days.
        job.reload()
    assert job.error_result == {
        "reason": "stopped",
        "message": "Job execution was cancelled: Job timed out after 0.4 sec",
    }


def test_a_job_that_ends_in_time_is_left_alone(client: bigquery.Client, dataset: str) -> None:
    job = start_job(client, f"{dataset}-short", "SELECT 2", job_timeout_ms=3_600_000)
    job.result()
    jobs.time_out((PROJECT, job.job_id), 3600)
    assert client.get_job(job.job_id).error_result is None

import time

from google.cloud import bigquery

from tests.unit.local.conftest import ENDLESS


def test_every_cancelled_job_stops(client: bigquery.Client) -> None:
    for _ in range(2):
        job = client.query(ENDLESS)
        client.cancel_job(job.job_id)
        stopped = client.get_job(job.job_id)
        assert (stopped.state, stopped.error_result["reason"]) == ("DONE", "stopped")


def test_an_answer_does_not_wait_for_a_delayed_acknowledgement(client: bigquery.Client) -> None:
    durations = []
    for _ in range(20):
        start = time.perf_counter()
        list(client.list_datasets())
        durations.append(time.perf_counter() - start)
    assert min(durations) < 0.03

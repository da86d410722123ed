import time
from collections.abc import Iterator

import pytest
import requests
from google.api_core import exceptions as google
from google.cloud import bigquery

from local.bigquery import Effect, Fault, LocalBigQuery
from tests.unit.local.conftest import PROJECT, start_job


@pytest.fixture(autouse=True)
def no_fault_is_left(server: LocalBigQuery) -> Iterator[None]:
    yield
    server.faults.script([])


def job_exists(client: bigquery.Client, job_id: str) -> bool:
    try:
        client.get_job(job_id)
    except google.NotFound:
        return False
    return True


@pytest.mark.parametrize(
    ("effect", "status", "name"),
    [
        (Effect.RATE_LIMIT_EXCEEDED, 429, "RESOURCE_EXHAUSTED"),
        (Effect.JOB_RATE_LIMIT_EXCEEDED, 429, "RESOURCE_EXHAUSTED"),
        (Effect.INTERNAL_ERROR, 500, "INTERNAL"),
        (Effect.BACKEND_ERROR, 503, "UNAVAILABLE"),
    ],
)
def test_an_error_has_the_body_that_bigquery_gives(
    server: LocalBigQuery, effect: Effect, status: int, name: str
) -> None:
    server.faults.script([Fault(effect=effect)])
    answer = requests.get(f"{server.url}/bigquery/v2/projects/{PROJECT}/datasets", timeout=10)
    error = answer.json()["error"]
    assert answer.status_code == status
    assert error == {
        "code": status,
        "message": error["message"],
        "errors": [{"message": error["message"], "domain": "global", "reason": effect.value}],
        "status": name,
    }


def test_a_rate_limit_can_come_as_403_too(server: LocalBigQuery, client: bigquery.Client) -> None:
    server.faults.script([Fault(effect=Effect.RATE_LIMIT_EXCEEDED, status=403)])
    with pytest.raises(google.Forbidden):
        client.get_dataset("d", retry=None)  # type: ignore[arg-type]


def test_an_error_leaves_no_effect_and_the_client_repeats_the_call(
    server: LocalBigQuery, client: bigquery.Client, dataset: str
) -> None:
    server.faults.script([Fault(effect=Effect.BACKEND_ERROR, method="jobs.insert", times=1)])
    with pytest.raises(google.ServiceUnavailable):
        start_job(client, f"{dataset}-refused")
    assert not job_exists(client, f"{dataset}-refused")
    server.faults.script([Fault(effect=Effect.BACKEND_ERROR, method="jobs.insert", times=1)])
    client.query("SELECT 1", job_id=f"{dataset}-repeated", job_retry=None)
    assert job_exists(client, f"{dataset}-repeated")


def test_a_connection_cut_before_leaves_no_effect(
    server: LocalBigQuery, client: bigquery.Client, dataset: str
) -> None:
    server.faults.script([Fault(effect=Effect.CUT_BEFORE, method="jobs.insert")])
    with pytest.raises(requests.ConnectionError):
        start_job(client, f"{dataset}-cut")
    assert not job_exists(client, f"{dataset}-cut")


def test_a_connection_cut_after_leaves_the_effect_and_loses_the_answer(
    server: LocalBigQuery, client: bigquery.Client, dataset: str
) -> None:
    server.faults.script([Fault(effect=Effect.CUT_AFTER, method="jobs.insert")])
    with pytest.raises(requests.ConnectionError):
        start_job(client, f"{dataset}-lost", labels={"run": "r1"})
    assert client.get_job(f"{dataset}-lost").labels == {"run": "r1"}


def test_a_lost_answer_to_streamed_rows_does_not_double_them(
    server: LocalBigQuery, client: bigquery.Client, dataset: str
) -> None:
    client.query_and_wait(f"CREATE TABLE {dataset}.t (a INT64)")
    server.faults.script([Fault(effect=Effect.CUT_AFTER, method="tabledata.insertAll", times=1)])
    client.insert_rows_json(f"{PROJECT}.{dataset}.t", [{"a": 1}], row_ids=["one"])
    assert server.faults.happened == [(Effect.CUT_AFTER, "tabledata.insertAll", "")]
    assert client.get_table(f"{dataset}.t").num_rows == 1


def test_a_slow_answer_comes_later(server: LocalBigQuery, client: bigquery.Client, dataset: str) -> None:
    server.faults.script([Fault(effect=Effect.SLOW, method="jobs.insert", seconds=0.3)])
    start = time.monotonic()
    start_job(client, f"{dataset}-slow")
    assert time.monotonic() - start >= 0.3


def test_a_job_can_be_taken_and_fail_with_a_reason_to_retry(
    server: LocalBigQuery, client: bigquery.Client, dataset: str
) -> None:
    client.query_and_wait(f"CREATE TABLE {dataset}.t (a INT64)")
    server.faults.script([Fault(effect=Effect.JOB_FAILS, job_id_prefix="cvg-step-", reason="backendError")])
    sql = f"INSERT INTO {dataset}.t VALUES (1)"
    start_job(client, f"cvg-step-{dataset}", sql, labels={"run": "r1"})
    failed = client.get_job(f"cvg-step-{dataset}")
    assert (failed.state, failed.error_result["reason"]) == ("DONE", "backendError")
    assert failed.labels == {"run": "r1"}
    with pytest.raises(google.Conflict):
        start_job(client, f"cvg-step-{dataset}", sql)
    assert client.get_table(f"{dataset}.t").num_rows == 0


def test_only_the_nth_call_of_a_method_is_befallen(
    server: LocalBigQuery, client: bigquery.Client, dataset: str
) -> None:
    server.faults.script([Fault(effect=Effect.CUT_AFTER, method="jobs.insert", nth=2)])
    start_job(client, f"{dataset}-1")
    with pytest.raises(requests.ConnectionError):
        start_job(client, f"{dataset}-2")
    start_job(client, f"{dataset}-3")
    client.get_job(f"{dataset}-3")


def draws(server: LocalBigQuery, client: bigquery.Client, seed: int) -> list[str]:
    """Return which of 40 look-ups are slow when every second one should be."""
    half = Fault(effect=Effect.SLOW, method="jobs.get", probability=0.5)
    server.faults.script([half], seed=seed)
    for number in range(40):
        job_exists(client, f"never-started-{number}")
    return [job_id for _, _, job_id in server.faults.happened]


def test_a_seed_decides_which_calls_are_befallen(server: LocalBigQuery, client: bigquery.Client) -> None:
    first = draws(server, client, seed=1)
    assert 10 < len(first) < 30
    assert draws(server, client, seed=1) == first
    assert draws(server, client, seed=2) != first


def test_nothing_goes_wrong_without_a_script(server: LocalBigQuery, client: bigquery.Client) -> None:
    server.faults.script([Fault(effect=Effect.BACKEND_ERROR)])
    server.reset()
    assert list(client.list_datasets()) == []

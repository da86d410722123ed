"""Latency on purpose, and the long poll that makes it bearable."""

import asyncio
from collections.abc import Iterator

import pytest
from google.cloud import bigquery

from local.bigquery import LocalBigQuery
from local.bigquery.answers import Answer, json_answer
from local.bigquery.calls import Call
from local.bigquery.latency import Latency
from local.options import options_from_environment
from tests.unit.local.conftest import PROJECT, api_call, start_job

A_WHILE = 0.5
PATIENCE_SECONDS = 60.0


@pytest.fixture
def slow(server: LocalBigQuery) -> Iterator[LocalBigQuery]:
    server.latency.job_seconds = A_WHILE
    server.counts.reset()
    yield server
    server.latency.reset()


def results(client: bigquery.Client, job_id: str, timeout_ms: int) -> dict[str, object]:
    path, query = f"/projects/{PROJECT}/queries/{job_id}", {"timeoutMs": timeout_ms, "maxResults": 0}
    answer: dict[str, object] = client._connection.api_request("GET", path, query)  # type: ignore[no-untyped-call]
    return answer


def test_one_request_waits_for_the_end_of_a_query(
    slow: LocalBigQuery, client: bigquery.Client, dataset: str
) -> None:
    assert start_job(client, f"{dataset}-slow", "SELECT 2 AS n").state == "PENDING"
    assert results(client, f"{dataset}-slow", 0)["jobComplete"] is False
    answer = results(client, f"{dataset}-slow", 10_000)
    assert (answer["jobComplete"], answer["totalRows"]) == (True, "1")
    assert slow.counts.methods["jobs.getQueryResults"] == 2


def test_a_failed_query_answers_with_its_error(
    slow: LocalBigQuery, client: bigquery.Client, dataset: str
) -> None:
    start_job(client, f"{dataset}-wrong", f"SELECT * FROM {dataset}.nowhere")
    with pytest.raises(Exception, match="Not found: Table"):
        results(client, f"{dataset}-wrong", 10_000)


def test_a_job_that_waits_can_be_cancelled(
    slow: LocalBigQuery, client: bigquery.Client, dataset: str
) -> None:
    slow.latency.job_seconds = 3600
    start_job(client, f"{dataset}-long", "SELECT 3 AS n")
    client.cancel_job(f"{dataset}-long")
    assert client.get_job(f"{dataset}-long").error_result["reason"] == "stopped"


def test_only_the_jobs_that_are_meant_take_longer(
    slow: LocalBigQuery, client: bigquery.Client, dataset: str
) -> None:
    slow.latency.job_seconds, slow.latency.job_id_prefix = 3600, f"{dataset}-long"
    start_job(client, f"{dataset}-long", "SELECT 3 AS n")
    assert [row.n for row in client.query_and_wait("SELECT 4 AS n", wait_timeout=PATIENCE_SECONDS)] == [4]
    assert client.get_job(f"{dataset}-long").state == "PENDING"
    client.cancel_job(f"{dataset}-long")


def test_each_request_is_late_by_what_was_asked_for() -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def forward(_call: Call) -> Answer:
        return json_answer(200, {})

    latency = Latency(sleep)
    latency.request_seconds = 0.05
    asyncio.run(latency.handle(api_call("GET", "/bigquery/v2/projects/p/datasets"), forward))
    latency.reset()
    asyncio.run(latency.handle(api_call("GET", "/bigquery/v2/projects/p/datasets"), forward))
    assert waits == [0.05]


def test_latency_is_chosen_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATENCY_MS", "50")
    monkeypatch.setenv("JOB_SECONDS", "1.5")
    options = options_from_environment()
    assert (options.latency_ms, options.job_seconds) == (50, 1.5)
    monkeypatch.setenv("JOB_SECONDS", "soon")
    with pytest.raises(ValueError, match="JOB_SECONDS is a number from 0 to 60,000, not 'soon'"):
        options_from_environment()

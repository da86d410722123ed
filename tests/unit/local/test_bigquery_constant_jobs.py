import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from google.cloud import bigquery

from local.bigquery import LocalBigQuery, jobs
from local.bigquery.answers import Answer
from local.bigquery.calls import Call
from local.bigquery.constant_jobs import ConstantJobs
from tests.unit.local.conftest import insert_call, start_job

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


def claim_call(job_id: str) -> Call:
    return insert_call(job_id, query={"query": "SELECT 1"})


async def nobody(call: Call) -> Answer:
    raise AssertionError("a claim goes no further")


async def claim_at_once(*job_ids: str) -> list[Answer]:
    layer = ConstantJobs()
    return await asyncio.gather(*(layer.handle(claim_call(job_id), nobody) for job_id in job_ids))


def test_claims_that_come_together_are_stored_together(
    server: LocalBigQuery, dataset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored: list[int] = []

    def finish(asked: Sequence[tuple[jobs.JobKey, dict[str, Any]]]) -> list[jobs.Outcome]:
        stored.append(len(asked))
        return original(asked)

    original = jobs.finish_at_once
    monkeypatch.setattr(jobs, "finish_at_once", finish)
    job_ids = [f"{dataset}-{number}" for number in range(20)]
    answers = server.run(claim_at_once(*job_ids))
    assert [answer.resource["jobReference"]["jobId"] for answer in answers] == job_ids
    assert stored == [20]


def test_of_claims_that_come_together_only_those_of_used_ids_are_refused(
    server: LocalBigQuery, client: bigquery.Client, dataset: str
) -> None:
    start_job(client, f"{dataset}-1", labels=LABELS)
    answers = server.run(claim_at_once(f"{dataset}-0", f"{dataset}-1", f"{dataset}-2"))
    assert [answer.status for answer in answers] == [200, 409, 200]
    assert client.get_job(f"{dataset}-1").labels == LABELS


def test_a_fault_is_told_to_all_who_wait_and_to_nobody_after_them(
    server: LocalBigQuery, dataset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(_: object) -> list[jobs.Outcome]:
        raise RuntimeError("the disk is full")

    layer = ConstantJobs()

    async def claims(*job_ids: str) -> list[Answer | BaseException]:
        answers = (layer.handle(claim_call(job_id), nobody) for job_id in job_ids)
        return await asyncio.gather(*answers, return_exceptions=True)

    with monkeypatch.context() as broken:
        broken.setattr(jobs, "finish_at_once", break_down)
        first = server.run(claims(f"{dataset}-1", f"{dataset}-2"))
    (second,) = server.run(claims(f"{dataset}-3"))
    assert [str(error) for error in first] == ["the disk is full"] * 2
    assert isinstance(second, Answer)
    assert second.status == 200

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from google.api_core.exceptions import Conflict
from google.cloud import bigquery

from local.bigquery.answers import Answer, json_answer
from local.bigquery.calls import Call
from local.bigquery.job_ids import JobIds
from tests.unit.local.conftest import insert_call, start_job

THREADS = 8
ROUNDS = 10


async def overlapping_calls(job_ids: list[str]) -> int:
    """Send one call per ID at once and return how many were below the layer at the same time."""
    layer, inside, most = JobIds(), 0, 0

    async def forward(_: Call) -> Answer:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0.001)
        inside -= 1
        return json_answer(200, {})

    await asyncio.gather(*(layer.handle(insert_call(job_id), forward) for job_id in job_ids))
    return most


def test_calls_of_one_job_id_pass_one_at_a_time() -> None:
    assert asyncio.run(overlapping_calls(["same"] * 5)) == 1


def test_calls_of_different_job_ids_pass_together() -> None:
    assert asyncio.run(overlapping_calls(["one", "two", "three"])) == 3


@pytest.mark.parametrize("kind", ["claim", "write"])
def test_a_raced_job_id_runs_once_and_every_loser_gets_409(
    client: bigquery.Client, dataset: str, kind: str
) -> None:
    client.query_and_wait(f"CREATE TABLE {dataset}.t (a INT64)")
    sql = "SELECT 1" if kind == "claim" else f"INSERT INTO {dataset}.t VALUES (1)"

    def insert(job_id: str) -> str:
        try:
            start_job(client, job_id, sql)
        except Conflict:
            return "409"
        return "won"

    outcomes: Counter[str] = Counter()
    with ThreadPoolExecutor(THREADS) as pool:
        for number in range(ROUNDS):
            outcomes.update(pool.map(insert, [f"{dataset}-{number}"] * THREADS))
    assert outcomes == {"won": ROUNDS, "409": ROUNDS * (THREADS - 1)}
    [row] = client.query_and_wait(f"SELECT COUNT(*) AS rows_written FROM {dataset}.t")
    assert row.rows_written == (ROUNDS if kind == "write" else 0)

import asyncio
import time
from collections.abc import Iterator

import pytest
from google.api_core.exceptions import Conflict, NotFound
from google.cloud import bigquery
from local_bigquery.engine import database

from local.bigquery import Housekeeping, LocalBigQuery
from local.bigquery.answers import Answer, json_answer
from local.bigquery.calls import Call
from tests.unit.local.conftest import PROJECT, api_call, insert_call, start_endless, start_job


class Clock:
    """Seconds since 1970 that tests let pass."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def server(
    no_server: None, tmp_path_factory: pytest.TempPathFactory, clock: Clock
) -> Iterator[LocalBigQuery]:
    """Keep three results and merge after five writes; tests start the chores themselves."""
    chores = Housekeeping(
        keep_results=3,
        keep_seconds=60.0,
        grace_seconds=10.0,
        merge_after_writes=5,
        pause_seconds=3600.0,
        clock=clock,
    )
    folder = tmp_path_factory.mktemp("bigquery")
    with LocalBigQuery(data_dir=folder, project=PROJECT, housekeeping=chores) as running:
        yield running


def query(client: bigquery.Client, job_id: str) -> bigquery.QueryJob:
    job = start_job(client, job_id, "SELECT 2 AS a", labels={"tenant": "acme"})
    assert [row.a for row in job.result()] == [2]
    return job


def has_rows(client: bigquery.Client, job: bigquery.QueryJob) -> bool:
    assert job.destination is not None
    try:
        client.get_table(job.destination)
    except NotFound:
        return False
    return True


def test_only_the_newest_results_that_were_read_stay(
    server: LocalBigQuery, client: bigquery.Client, clock: Clock
) -> None:
    jobs = [query(client, f"newest-{number}") for number in range(6)]
    server.tidy()
    assert all(has_rows(client, job) for job in jobs)
    clock.now += 11
    server.tidy()
    assert [has_rows(client, job) for job in jobs] == [False, False, False, True, True, True]


def test_a_result_that_was_not_read_waits_for_its_client_however_many_follow(
    server: LocalBigQuery, client: bigquery.Client, clock: Clock
) -> None:
    late = start_job(client, "late", "SELECT 2 AS a")
    for number in range(4):
        query(client, f"in-time-{number}")
    clock.now += 59
    server.tidy()
    assert [row.a for row in late.result()] == [2]


def test_a_result_that_was_read_in_part_waits_for_the_rest(
    server: LocalBigQuery, client: bigquery.Client, clock: Clock
) -> None:
    job = start_job(client, "pages", "SELECT a FROM UNNEST([1, 2, 3]) AS a ORDER BY a")
    pages = job.result(page_size=2).pages
    first = [row.a for row in next(pages)]
    for number in range(4):
        query(client, f"meanwhile-{number}")
    clock.now += 59
    server.tidy()
    assert first + [row.a for row in next(pages)] == [1, 2, 3]


def test_a_question_after_the_end_alone_is_no_read(
    server: LocalBigQuery, client: bigquery.Client, clock: Clock
) -> None:
    job = start_job(client, "waited-for", "SELECT 2 AS a")
    job.result(max_results=0)
    for number in range(4):
        query(client, f"read-{number}")
    clock.now += 59
    server.tidy()
    assert [row.a for row in job.result()] == [2]


def test_a_result_stays_while_it_is_being_read(clock: Clock) -> None:
    asyncio.run(read_slowly(clock))


def started(call: Call) -> Answer:
    return json_answer(200, {"jobReference": {"projectId": call.project, "jobId": call.job_id}})


async def read_slowly(clock: Clock) -> None:
    chores = Housekeeping(keep_results=0, keep_seconds=0.0, grace_seconds=0.0, clock=clock)

    async def start(call: Call) -> Answer:
        return started(call)

    async def read(_: Call) -> Answer:
        clock.now += 3600
        assert chores.results.take_due() == []
        return json_answer(200, {"jobComplete": True, "totalRows": "0"})

    await chores.handle(insert_call("slow"), start)
    await chores.handle(api_call("GET", f"/bigquery/v2/projects/{PROJECT}/queries/slow"), read)
    clock.now += 1
    assert chores.results.take_due() == [(PROJECT, "slow")]


def test_a_job_without_its_result_still_answers_and_its_id_stays_used(
    server: LocalBigQuery, client: bigquery.Client, clock: Clock
) -> None:
    jobs = [query(client, f"used-{number}") for number in range(4)]
    clock.now += 61
    server.tidy()
    assert not has_rows(client, jobs[0])
    found = client.get_job("used-0")
    assert (found.state, found.labels, found.error_result) == ("DONE", {"tenant": "acme"}, None)
    with pytest.raises(Conflict):
        start_job(client, "used-0")


def test_a_claim_leaves_nothing_to_tidy_up(
    server: LocalBigQuery, client: bigquery.Client, clock: Clock
) -> None:
    start_job(client, "claim")
    clock.now += 61
    assert (PROJECT, "claim") not in server.housekeeping.results.take_due()
    assert client.get_job("claim").done()


def test_an_old_result_goes_even_when_few_are_kept(
    server: LocalBigQuery, client: bigquery.Client, clock: Clock
) -> None:
    job = query(client, "old")
    clock.now += 61
    assert (PROJECT, "old") in server.housekeeping.results.take_due()
    assert has_rows(client, job)


def test_a_job_that_still_runs_keeps_its_result(
    server: LocalBigQuery, client: bigquery.Client, clock: Clock
) -> None:
    job = start_endless(client, "running")
    clock.now += 61
    assert (PROJECT, "running") not in server.housekeeping.results.take_due()
    client.cancel_job(job.job_id)


def data_files(dataset: str, table: str) -> int:
    listed = database.fetch(f"FROM ducklake_list_files('{PROJECT}', '{table}', schema => '{dataset}')")
    return len(listed)


def test_files_of_streamed_rows_are_merged(
    server: LocalBigQuery, client: bigquery.Client, dataset: str
) -> None:
    client.query_and_wait(f"CREATE TABLE {dataset}.t (a INT64)")
    for number in range(6):
        client.insert_rows_json(f"{PROJECT}.{dataset}.t", [{"a": number}])
    assert data_files(dataset, "t") == 6
    server.tidy()
    assert data_files(dataset, "t") == 1
    rows = client.query_and_wait(f"SELECT a FROM {dataset}.t ORDER BY a")
    assert [row.a for row in rows] == [0, 1, 2, 3, 4, 5]


def test_files_are_left_alone_while_a_job_runs(
    server: LocalBigQuery, client: bigquery.Client, dataset: str
) -> None:
    client.query_and_wait(f"CREATE TABLE {dataset}.t (a INT64)")
    for number in range(6):
        client.insert_rows_json(f"{PROJECT}.{dataset}.t", [{"a": number}])
    job = start_endless(client, "beside")
    server.tidy()
    assert data_files(dataset, "t") == 6
    client.cancel_job(job.job_id)


def test_a_merge_that_finds_no_quiet_moment_is_given_up_and_jobs_go_on() -> None:
    asyncio.run(give_up_a_merge())


async def give_up_a_merge() -> None:
    chores = Housekeeping(merge_after_writes=0, merge_wait_seconds=0.01)
    submitting = asyncio.Event()

    async def slow(call: Call) -> Answer:
        await submitting.wait()
        return started(call)

    busy = asyncio.create_task(chores.handle(insert_call("busy"), slow))
    await asyncio.sleep(0)
    await chores.tidy(NoEngine())
    submitting.set()
    await busy
    assert (await chores.handle(insert_call("next"), slow)).is_success


class NoEngine:
    def merge_files(self) -> None:
        raise AssertionError("files were merged while a job was being submitted")

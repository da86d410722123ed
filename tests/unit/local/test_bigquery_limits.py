import asyncio
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from google.api_core import exceptions as google
from google.cloud import bigquery

from local.bigquery import LocalBigQuery
from local.bigquery.answers import Answer, json_answer
from local.bigquery.calls import Call
from local.bigquery.dml_limits import DmlLimits, StreamingBuffer
from local.bigquery.metadata_updates import MetadataRates
from local.bigquery.switch import Limits
from tests.unit.local.conftest import PROJECT, api_call, insert_call

PATIENCE_SECONDS = 60


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def limits(server: LocalBigQuery, clock: Clock) -> Iterator[Limits]:
    server.limits.is_on, server.limits.clock = True, clock
    yield server.limits
    server.limits.reset()


@pytest.fixture
def table(client: bigquery.Client, dataset: str) -> str:
    client.query_and_wait(f"CREATE TABLE {dataset}.t AS SELECT 0 AS a")
    return f"{dataset}.t"


def reason_of(client: bigquery.Client, sql: str) -> str:
    """Run a statement and return why it failed, "" when it did not."""
    job = client.query(sql, job_retry=None)
    while job.state != "DONE":
        job.reload()
    return str((job.error_result or {}).get("reason", ""))


async def reasons(layer: DmlLimits, sql: str, times: int, refused: int) -> tuple[Counter[str], int]:
    """Start a statement so often at once, and let it end when `refused` of them are; count the reasons.

    Returns too how many ran before the first one ended.
    """
    may_end, running, turned_away = asyncio.Event(), 0, 0

    async def forward(_: Call) -> Answer:
        nonlocal running
        running += not may_end.is_set()
        await may_end.wait()
        return json_answer(200, {})

    async def start(number: int) -> str:
        nonlocal turned_away
        answer = await layer.handle(insert_call(f"job-{number}", query={"query": sql}), forward)
        reason = str(answer.resource.get("status", {}).get("errorResult", {}).get("reason", ""))
        turned_away += bool(reason)
        if turned_away == refused:
            may_end.set()
        return reason

    async with asyncio.timeout(PATIENCE_SECONDS):
        found = await asyncio.gather(*(start(number) for number in range(times)))
    return Counter(found), running


def test_two_mutations_run_twenty_wait_and_the_rest_fails(server: LocalBigQuery, limits: Limits) -> None:
    found, running = server.run(reasons(DmlLimits(limits), "UPDATE d.t SET a = 1 WHERE TRUE", 26, refused=4))
    assert found == {"": 22, "resourcesExceeded": 4}
    assert running == 2


def test_a_refused_mutation_says_what_bigquery_says(
    client: bigquery.Client, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.bigquery.dml_limits.MUTATIONS_RUNNING", 0)
    monkeypatch.setattr("local.bigquery.dml_limits.MUTATIONS_QUEUED", 0)
    job = client.query(f"DELETE FROM {table} WHERE TRUE", job_retry=None)
    assert job.error_result == {
        "reason": "resourcesExceeded",
        "message": "Resources exceeded during query execution: Too many DML statements outstanding against "
        f"table {PROJECT}:{table}, limit is 0.",
    }


def test_inserts_over_the_days_free_ones_queue(
    server: LocalBigQuery, limits: Limits, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("FREE_INSERTS_PER_DAY", 3), ("INSERTS_RUNNING", 1), ("INSERTS_QUEUED", 1)):
        monkeypatch.setattr(f"local.bigquery.dml_limits.{name}", value)
    found, running = server.run(reasons(DmlLimits(limits), "INSERT INTO d.t VALUES (1)", 8, refused=3))
    assert found == {"": 5, "rateLimitExceeded": 3}
    assert running == 3 + 1


def test_reads_and_appends_by_a_destination_have_no_dml_limit(
    client: bigquery.Client, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.bigquery.dml_limits.MUTATIONS_RUNNING", 0)
    monkeypatch.setattr("local.bigquery.dml_limits.MUTATIONS_QUEUED", 0)
    assert reason_of(client, f"SELECT a FROM {table}") == ""


def test_rows_that_were_just_streamed_cannot_be_changed(client: bigquery.Client, table: str) -> None:
    client.insert_rows_json(f"{PROJECT}.{table}", [{"a": 1}])
    job = client.query(f"UPDATE {table} SET a = 2 WHERE TRUE", job_retry=None)
    assert job.error_result["reason"] == "invalidQuery"
    assert job.error_result["message"] == (
        f"UPDATE or DELETE statement over table {PROJECT}.{table} would affect rows in the streaming buffer, "
        "which is not supported"
    )
    assert reason_of(client, f"INSERT INTO {table} VALUES (3)") == ""


def test_without_the_switch_streamed_rows_can_be_changed(
    server: LocalBigQuery, client: bigquery.Client, table: str
) -> None:
    server.limits.is_on = False
    client.insert_rows_json(f"{PROJECT}.{table}", [{"a": 1}])
    assert reason_of(client, f"UPDATE {table} SET a = 2 WHERE TRUE") == ""


async def accept(_: Call) -> Answer:
    return json_answer(200, {})


def accepts(layer: StreamingBuffer, server: LocalBigQuery) -> Callable[[Call], bool]:
    return lambda call: "status" not in server.run(layer.handle(call, accept)).resource


def test_streamed_rows_can_be_changed_after_half_an_hour(
    server: LocalBigQuery, limits: Limits, clock: Clock
) -> None:
    is_accepted = accepts(StreamingBuffer(limits), server)
    path = f"/bigquery/v2/projects/{PROJECT}/datasets/d/tables/t/insertAll"
    assert is_accepted(api_call("POST", path))
    update = {"query": {"query": "UPDATE d.t SET a = 1 WHERE TRUE"}}
    assert not is_accepted(insert_call("too-soon", **update))
    clock.seconds = 1800.0
    assert is_accepted(insert_call("late-enough", **update))


def test_the_sixth_metadata_update_within_ten_seconds_is_refused(
    server: LocalBigQuery, client: bigquery.Client, dataset: str
) -> None:
    resource = client.get_dataset(dataset)
    for number in range(4):  # After datasets.insert, the first.
        resource.labels = {"n": str(number)}
        resource = client.update_dataset(resource, ["labels"])
    with pytest.raises(google.Forbidden, match="too many dataset metadata update operations") as raised:
        client.update_dataset(resource, ["labels"], retry=None)  # type: ignore[arg-type]
    assert raised.value.errors[0]["reason"] == "rateLimitExceeded"


def test_jobs_that_write_a_table_count_as_its_updates(client: bigquery.Client, dataset: str) -> None:
    config = bigquery.QueryJobConfig(
        destination=f"{PROJECT}.{dataset}.t", write_disposition="WRITE_APPEND", job_timeout_ms=60_000
    )
    jobs = [client.query("SELECT 1 AS a", job_config=config, job_retry=None) for _ in range(6)]
    assert [bool(job.error_result) for job in jobs] == [False] * 5 + [True]
    assert jobs[-1].error_result["reason"] == "rateLimitExceeded"
    assert "too many table update operations for this table" in jobs[-1].error_result["message"]


def test_jobs_whose_id_is_taken_count_as_no_updates(client: bigquery.Client, dataset: str) -> None:
    written = bigquery.QueryJobConfig(destination=f"{PROJECT}.{dataset}.t", write_disposition="WRITE_APPEND")
    client.query("SELECT 1 AS a", written, job_id=f"{dataset}-once", job_retry=None).result()
    for _ in range(6):
        with pytest.raises(google.Conflict):
            client.query("SELECT 1 AS a", written, job_id=f"{dataset}-once", job_retry=None)
    job = client.query("SELECT 2 AS a", written, job_id=f"{dataset}-twice", job_retry=None)
    job.result()
    assert job.error_result is None


def test_ddl_counts_and_dml_does_not(client: bigquery.Client, dataset: str) -> None:
    found = [reason_of(client, f"CREATE OR REPLACE TABLE {dataset}.t (a INT64)") for _ in range(6)]
    assert found == [""] * 5 + ["rateLimitExceeded"]
    assert [reason_of(client, f"INSERT INTO {dataset}.t VALUES (1)") for _ in range(6)] == [""] * 6


def test_an_update_is_allowed_again_when_ten_seconds_have_passed(
    server: LocalBigQuery, limits: Limits, clock: Clock
) -> None:
    layer = MetadataRates(limits)
    patch = api_call("PATCH", f"/bigquery/v2/projects/{PROJECT}/datasets/d/tables/t")

    def status() -> int:
        return server.run(layer.handle(patch, accept)).status

    assert [status() for _ in range(6)] == [200] * 5 + [403]
    clock.seconds = 10.0
    assert status() == 200

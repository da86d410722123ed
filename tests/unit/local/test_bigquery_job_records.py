"""A job is written before it changes anything and before anybody learns of it; else at its end alone."""

from typing import Any
from uuid import uuid4

import pytest
from google.cloud import bigquery
from local_bigquery.engine import database
from local_bigquery.jobs import runner
from local_bigquery.models import Job, JobConfiguration

from local.bigquery import job_records
from tests.unit.local.conftest import ENDLESS, PROJECT, start_job


def begun(sql: str, state: str = "RUNNING", **query: Any) -> Job:
    """Save a job as it is asked for, and as it begins to run."""
    configuration = JobConfiguration.model_validate({"query": {"query": sql, **query}})
    job = runner._job(PROJECT, f"job-{uuid4().hex[:8]}", configuration)
    job_records.save(job)
    if state == "RUNNING":
        job_records.save(job.replace(status={"state": state}))
    return job


def written(job: Job) -> list[str]:
    sql = "SELECT state FROM emulator.jobs WHERE job_id = ?"
    return [state for (state,) in database.fetch(sql, [job.jobReference.jobId])]


@pytest.fixture(autouse=True)
def nothing_unwritten(client: bigquery.Client) -> None:
    job_records.write_all()


def test_a_query_that_only_reads_is_not_written_before_its_end() -> None:
    job = begun("SELECT 1 AS n")
    assert written(job) == []
    job_records.save(job.replace(status={"state": "DONE"}))
    assert written(job) == ["DONE"]
    assert job_records.load(PROJECT, job.jobReference.jobId).status.state == "DONE"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("sql", "query"),
    [
        ("INSERT INTO d.t VALUES (1)", {}),
        ("CREATE TABLE d.t (n INT64)", {}),
        ("SELECT 1; SELECT 2", {}),
        ("EXECUTE IMMEDIATE 'SELECT 1'", {}),
        ("SELECT 1", {"destinationTable": {"projectId": PROJECT, "datasetId": "d", "tableId": "t"}}),
    ],
)
def test_a_job_that_may_change_something_is_written_before_it_runs(sql: str, query: dict[str, Any]) -> None:
    assert written(begun(sql, "PENDING", **query)) == []
    assert written(begun(sql, **query)) == ["RUNNING"]


def test_a_job_is_written_before_anybody_learns_of_it() -> None:
    asked, listed, seen = (begun("SELECT 1") for _ in range(3))
    assert job_records.load(PROJECT, asked.jobReference.jobId).status.state == "RUNNING"  # type: ignore[union-attr]
    assert [written(job) for job in (asked, listed, seen)] == [["RUNNING"], [], []]
    assert listed.jobReference.jobId in {job.jobReference.jobId for job in job_records.list_jobs(PROJECT)}
    assert written(seen) == ["RUNNING"]
    last = begun("SELECT 1")
    begun("SELECT * FROM `region-us`.INFORMATION_SCHEMA.JOBS")
    assert written(last) == ["RUNNING"]


def test_a_job_whose_start_is_answered_is_written(client: bigquery.Client) -> None:
    job = start_job(client, f"endless-{uuid4().hex[:8]}", ENDLESS)
    sql = "SELECT state FROM emulator.jobs WHERE job_id = ?"
    assert database.fetch(sql, [job.job_id]) == [("RUNNING",)]
    job.cancel()


def test_a_job_names_the_table_that_it_has_made_by_its_statement(
    client: bigquery.Client, dataset: str
) -> None:
    made = client.query(f"CREATE OR REPLACE TABLE {dataset}.t AS SELECT 1 AS n")
    made.result()
    named = bigquery.TableReference.from_string(f"{PROJECT}.{dataset}.t")
    made.reload()
    assert made.destination == named
    script = client.query(f"CREATE TABLE {dataset}.u AS SELECT 1 AS n; SELECT 2 AS n")
    assert [row.n for row in script.result()] == [2]


def test_a_job_that_was_saved_lately_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    job = begun("SELECT 1")
    ended = job_records.save(job.replace(status={"state": "DONE"}))
    with monkeypatch.context() as patched:
        patched.setattr(job_records, "_load", None)
        assert job_records.load(PROJECT, job.jobReference.jobId) is ended
    job_records.LATEST.clear()
    read = job_records.load(PROJECT, job.jobReference.jobId)
    assert read.dump() == ended.dump()  # type: ignore[union-attr]
    job_records.save(ended)
    job_records.delete(PROJECT, job.jobReference.jobId)
    assert job_records.load(PROJECT, job.jobReference.jobId) is None

"""The contract of `StepJobs.wait`: one request waits for a query, and tells all that is asked."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from common.pipelines.plans import CopyJob, Job, QueryJob, StatementType, WriteDisposition
from common.runs.ports import JobReport, StepJob
from common.runs.quotas import Limits
from common.warehouse.bigquery import Central
from local.bigquery import LocalBigQuery
from tests.contract.warehouse.backends import Backend, in_bigquery, in_memory

LIMITS = Limits(daily=6, monthly=180, concurrent=3)
A_WHILE = 0.3
LONG = 600.0
_numbers = itertools.count()


@pytest.fixture(scope="module", params=["memory", "bigquery"])
def backend(request: pytest.FixtureRequest) -> Backend:
    if request.param == "memory":
        return in_memory()
    return in_bigquery(request.getfixturevalue("bootstrapped"))


@pytest.fixture(scope="module")
def bigquery(bootstrapped: Central) -> Backend:
    return in_bigquery(bootstrapped)


@pytest.fixture(autouse=True)
def _quick_afterwards() -> Iterator[None]:
    yield
    if server := LocalBigQuery.running():
        server.latency.reset()


def a_tenant(backend: Backend) -> str:
    tenant_id = f"waits_{next(_numbers)}"
    backend.add_dataset(tenant_id)
    return tenant_id


def a_job(tenant_id: str, work: Job) -> StepJob:
    return StepJob(
        job_id=f"cvg-step-{tenant_id}-{next(_numbers)}-1",
        tenant_id=tenant_id,
        work=work,
        parameters=(),
        timeout_seconds=600,
        labels={"tenant": tenant_id},
    )


def a_query(sql: str, destination: str = "target", **changes: Any) -> QueryJob:
    return QueryJob(sql=sql, destination=destination, **changes)


def awaited(backend: Backend, job: StepJob, tables_read: int | None = None) -> JobReport:
    """Submit a job, and wait for it to its end."""
    report = replace(backend.jobs.submit(job), tables_read=tables_read)
    for _ in range(400):
        if report.is_done:
            return report
        report = backend.jobs.wait(job, report, 10)
        backend.wait()
    pytest.fail("the job does not end")


def test_who_waits_hears_of_a_querys_end(backend: Backend) -> None:
    backend.slow_down(A_WHILE)
    job = a_job(a_tenant(backend), a_query("SELECT 1 AS n"))
    known = replace(backend.jobs.submit(job), tables_read=0)
    assert not known.is_done
    report = backend.jobs.wait(job, known, 10)
    assert (report.is_done, report.has_failed, report.rows) == (True, False, 1)
    assert report.started_at == known.started_at
    assert report.labels == known.labels


def test_a_wait_ends_when_its_time_is_up(backend: Backend) -> None:
    backend.slow_down(LONG)
    job = a_job(a_tenant(backend), a_query("SELECT 1 AS n"))
    known = backend.jobs.submit(job)
    assert backend.jobs.wait(job, known, 0.1) == known
    backend.jobs.cancel(job.job_id)
    report = backend.jobs.wait(job, known, 10)
    assert (report.is_done, report.error_reason) == (True, "stopped")


def test_a_copy_is_looked_at_and_not_waited_for(backend: Backend) -> None:
    backend.slow_down(0.0)
    tenant = a_tenant(backend)
    assert not awaited(backend, a_job(tenant, a_query("SELECT 1 AS n", "source"))).has_failed
    job = a_job(tenant, CopyJob(sources=(f"test-project.{tenant}.source",), destination="copied"))
    assert awaited(backend, job).rows == 1


def test_a_query_that_fails_says_why(bigquery: Backend) -> None:
    bigquery.slow_down(A_WHILE)
    report = awaited(bigquery, a_job(a_tenant(bigquery), a_query("SELECT ERROR('no') AS n")))
    assert report.has_failed
    assert "no" in report.error_message


ONE, TWO = "SELECT n FROM first", "SELECT n FROM first JOIN second USING (n)"
MERGE = "MERGE first AS old USING second AS fresh ON old.n = fresh.n WHEN MATCHED THEN UPDATE SET n = 2"


@pytest.mark.parametrize(
    ("work", "tables_read", "looks"),
    [
        (a_query("SELECT 1 AS n UNION ALL SELECT 2"), 0, 0),
        (a_query(ONE), 1, 0),
        (a_query(ONE), None, 1),
        (a_query(TWO), 2, 1),
        (a_query(ONE, "second", write_disposition=WriteDisposition.APPEND), 1, 1),
        (a_query(MERGE, "first", statement_type=StatementType.MERGE), 2, 1),
    ],
    ids=["no table", "one table", "unknown tables", "two tables", "append", "merge"],
)
def test_a_query_is_one_request_and_its_job_is_looked_at_where_that_does_not_say_all(
    bigquery: Backend, work: QueryJob, tables_read: int | None, looks: int
) -> None:
    tenant, server = a_tenant(bigquery), LocalBigQuery.running()
    assert server is not None
    for name in ("first", "second"):
        assert not awaited(bigquery, a_job(tenant, a_query("SELECT 1 AS n", name))).has_failed
    bigquery.slow_down(A_WHILE)
    job = a_job(tenant, work)
    server.counts.reset()
    report = awaited(bigquery, job, tables_read)
    counted = server.counts.methods
    assert (counted["jobs.insert"], counted["jobs.getQueryResults"], counted["jobs.get"]) == (1, 1, looks)
    told = bigquery.jobs.find(job.job_id)
    assert told is not None
    figures = ("rows", "bytes_processed", "bytes_billed", "error_reason")
    assert [getattr(report, name) for name in figures] == [getattr(told, name) for name in figures]
    assert report.bytes_billed is not None

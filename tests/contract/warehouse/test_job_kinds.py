"""One contract for jobs of every kind: one effect under one ID, found again, with figures of its own.

On the local BigQuery a folder of its data stands for the buckets of Cloud Storage.
"""

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from common.claims import says_of_itself
from common.errors import AlreadyExists, Unavailable
from common.pipelines.plans import (
    CheckJob,
    Column,
    CopyJob,
    CopyOperation,
    ExtractJob,
    FileFormat,
    FilesLoadedJob,
    Job,
    LoadJob,
    Partitioning,
    QueryJob,
    SchemaUpdate,
    StatementType,
    WriteDisposition,
)
from common.runs.files import FILES_IN_USE, FILES_TAKEN_OVER
from common.runs.ports import JobReport, StepJob
from common.warehouse.bigquery import Central
from local.storage import StorageServer
from tests.contract.warehouse.backends import Backend, in_bigquery, in_memory

COLUMNS = (Column(name="id", type="INTEGER"), Column(name="name", type="STRING"))
_numbers = itertools.count()


@pytest.fixture(scope="module", params=["memory", "bigquery"])
def backend(request: pytest.FixtureRequest) -> Backend:
    if request.param == "memory":
        return in_memory()
    central: Central = request.getfixturevalue("bootstrapped")
    return in_bigquery(central, request.getfixturevalue("storage").url)


@pytest.fixture
def tenant(backend: Backend) -> str:
    tenant_id = f"kinds_{next(_numbers)}"
    backend.add_dataset(tenant_id)
    return tenant_id


def a_job(tenant_id: str, name: str, work: Job) -> StepJob:
    return StepJob(
        job_id=f"cvg-step-{tenant_id}-{name}-1",
        tenant_id=tenant_id,
        work=work,
        parameters=(),
        timeout_seconds=600,
        labels={"tenant": tenant_id, "pipeline": "daily", "run": f"run-{name}", "step": "load"},
    )


def ended(backend: Backend, job: StepJob) -> JobReport:
    """Submit a job and wait for its end."""
    backend.jobs.submit(job)
    for _ in range(400):
        report = backend.jobs.find(job.job_id)
        assert report is not None
        if report.is_done:
            return report
        backend.wait()
    pytest.fail("the job does not end")


def done(backend: Backend, tenant_id: str, name: str, work: Job) -> JobReport:
    report = ended(backend, a_job(tenant_id, name, work))
    assert not report.has_failed, report.error_message
    return report


def of_two_rows(destination: str = "source", **changes: Any) -> QueryJob:
    sql = "SELECT 1 AS id, 'a' AS name UNION ALL SELECT 2, 'b'"
    return QueryJob(sql=sql, destination=destination, **changes)


def a_load(tenant_id: str, **changes: Any) -> LoadJob:
    fields: dict[str, Any] = {
        "uris": (f"gs://{tenant_id}/*.csv",),
        "format": FileFormat.CSV,
        "destination": "loaded",
        "columns": COLUMNS,
        "header_rows": 1,
    }
    return LoadJob(**fields | changes)


def put_two_files(backend: Backend, tenant_id: str) -> None:
    backend.put_file(f"gs://{tenant_id}/a.csv", "id,name\n1,a\n")
    backend.put_file(f"gs://{tenant_id}/b.csv", "id,name\n2,b\n")


KINDS: dict[str, Callable[[str], Job]] = {
    "query": lambda tenant_id: of_two_rows("again", write_disposition=WriteDisposition.APPEND),
    "check": lambda tenant_id: CheckJob(sql="SELECT COUNT(*) = 2 AS holds FROM source"),
    "load": a_load,
    "files": lambda _tenant_id: FilesLoadedJob(destination="loaded"),
    "extract": lambda tenant_id: ExtractJob(source="source", uris=(f"gs://{tenant_id}/out-*.csv",)),
    "copy": lambda tenant_id: CopyJob(sources=(f"test-project.{tenant_id}.source",), destination="copied"),
    "snapshot": lambda tenant_id: CopyJob(
        sources=(f"test-project.{tenant_id}.source",),
        destination="kept",
        operation=CopyOperation.SNAPSHOT,
        write_disposition=WriteDisposition.EMPTY,
    ),
}


JOB_TYPES = {"load": "load", "extract": "extract", "copy": "copy", "snapshot": "copy"}


@pytest.fixture(scope="module")
def rich(backend: Backend) -> str:
    """Give a tenant what jobs of all kinds read: a table, and files of which a table has been loaded."""
    tenant_id = f"rich_{next(_numbers)}"
    backend.add_dataset(tenant_id)
    put_two_files(backend, tenant_id)
    done(backend, tenant_id, "source", of_two_rows())
    done(backend, tenant_id, "before", a_load(tenant_id, destination="loaded_before"))
    return tenant_id


@pytest.mark.parametrize("kind", KINDS)
def test_a_job_of_any_kind_runs_once_under_its_id_and_is_found_with_its_end(
    backend: Backend, rich: str, kind: str
) -> None:
    job = a_job(rich, kind, KINDS[kind](rich))
    report = ended(backend, job)
    assert not report.has_failed, report.error_message
    assert report.labels["tenant"] == rich
    assert report.ended_at is not None
    assert (report.files if kind == "extract" else report.rows) is not None
    assert report.details["job_type"] == JOB_TYPES.get(kind, "query")
    with pytest.raises(AlreadyExists):
        backend.jobs.submit(job)


@pytest.mark.parametrize("kind", ["load", "extract", "copy"])
def test_what_is_no_sql_has_nothing_that_a_dry_run_could_tell(
    backend: Backend, tenant: str, kind: str
) -> None:
    dry_run = backend.jobs.dry_run(a_job(tenant, kind, KINDS[kind](tenant)))
    assert (dry_run.statement_type, dry_run.tables) == ("", ())


# Files


def load_new_files(backend: Backend, tenant_id: str, name: str) -> None:
    """Load what is new, and note it."""
    done(backend, tenant_id, name, a_load(tenant_id))
    labels = {"tenant": tenant_id, "pipeline": "daily", "run": f"run-{name}", "step": "load"}
    note = replace(a_job(tenant_id, f"{name}-files", FilesLoadedJob(destination="loaded")), labels=labels)
    assert not ended(backend, note).has_failed


def files_of(backend: Backend, job: StepJob) -> tuple[str, ...]:
    """Return what a job would load, and take it."""
    work = job.work
    assert isinstance(work, LoadJob)
    return backend.claims_of(job).claim(job, work)


def test_a_file_is_loaded_once_and_again_once_it_has_changed(backend: Backend, tenant: str) -> None:
    put_two_files(backend, tenant)
    load_new_files(backend, tenant, "first")
    backend.put_file(f"gs://{tenant}/c.csv", "id,name\n3,c\n")
    job = a_job(tenant, "second", a_load(tenant))
    assert files_of(backend, job) == (f"gs://{tenant}/c.csv",)
    load_new_files(backend, tenant, "second")
    backend.put_file(f"gs://{tenant}/a.csv", "id,name\n4,d\n")
    assert files_of(backend, a_job(tenant, "third", a_load(tenant))) == (f"gs://{tenant}/a.csv",)


def test_what_a_job_has_taken_it_keeps(backend: Backend, tenant: str) -> None:
    put_two_files(backend, tenant)
    job = a_job(tenant, "first", a_load(tenant))
    taken = files_of(backend, job)
    backend.put_file(f"gs://{tenant}/c.csv", "id,name\n3,c\n")
    assert files_of(backend, job) == taken


def test_a_job_that_has_found_nothing_has_no_files_for_good(backend: Backend, tenant: str) -> None:
    backend.put_file(f"gs://{tenant}/readme.txt", "")
    job = a_job(tenant, "first", a_load(tenant))
    assert files_of(backend, job) == ()
    put_two_files(backend, tenant)
    assert files_of(backend, job) == ()


def test_files_that_nobody_has_noted_are_those_of_their_job(backend: Backend, tenant: str) -> None:
    put_two_files(backend, tenant)
    done(backend, tenant, "first", a_load(tenant))
    assert files_of(backend, a_job(tenant, "second", a_load(tenant))) == ()


def test_files_of_a_job_that_is_still_to_come_keep_others_waiting(backend: Backend, tenant: str) -> None:
    put_two_files(backend, tenant)
    files_of(backend, a_job(tenant, "first", a_load(tenant)))
    with pytest.raises(Unavailable) as refused:
        files_of(backend, a_job(tenant, "second", a_load(tenant)))
    assert refused.value.reason == FILES_IN_USE


def test_an_id_that_is_used_up_is_a_job_that_has_failed(backend: Backend, tenant: str) -> None:
    put_two_files(backend, tenant)
    job = a_job(tenant, "first", a_load(tenant))
    backend.jobs.use_up(job.job_id, job.labels)
    with pytest.raises(AlreadyExists):
        backend.jobs.submit(job)
    report = backend.jobs.find(job.job_id)
    assert report is not None
    assert report.error_reason == FILES_TAKEN_OVER
    assert says_of_itself(report.labels, job.labels)
    taken = files_of(backend, a_job(tenant, "second", a_load(tenant)))
    assert taken == (f"gs://{tenant}/a.csv", f"gs://{tenant}/b.csv")


def test_tables_have_ledgers_of_their_own_and_so_have_tenants(backend: Backend, tenant: str) -> None:
    put_two_files(backend, tenant)
    first = files_of(backend, a_job(tenant, "first", a_load(tenant)))
    assert files_of(backend, a_job(tenant, "second", a_load(tenant, destination="other"))) == first
    backend.add_dataset(f"{tenant}_b")
    assert files_of(backend, a_job(f"{tenant}_b", "third", a_load(tenant))) == first


# What happens in BigQuery


@pytest.fixture(scope="module")
def bigquery(bootstrapped: Central, storage: StorageServer) -> Backend:
    return in_bigquery(bootstrapped, storage.url)


@pytest.fixture
def owner(bigquery: Backend) -> str:
    tenant_id = f"owner_{next(_numbers)}"
    bigquery.add_dataset(tenant_id)
    return tenant_id


def rows_of(central: Central, table: str) -> list[tuple[Any, ...]]:
    return sorted(tuple(row.values()) for row in central.client.query_and_wait(f"SELECT * FROM {table}"))


def test_a_load_adds_the_rows_of_all_its_files(bootstrapped: Central, bigquery: Backend, owner: str) -> None:
    put_two_files(bigquery, owner)
    report = done(bigquery, owner, "load", KINDS["load"](owner))
    assert report.rows == 2
    assert rows_of(bootstrapped, f"{owner}.loaded") == [(1, "a"), (2, "b")]


def test_an_extract_writes_files_that_a_load_reads_again(
    bootstrapped: Central, bigquery: Backend, owner: str
) -> None:
    done(bigquery, owner, "source", of_two_rows())
    report = done(bigquery, owner, "extract", KINDS["extract"](owner))
    assert (report.files, report.rows) == (1, None)
    again = LoadJob(
        uris=(f"gs://{owner}/out-*.csv",),
        format=FileFormat.CSV,
        destination="again",
        columns=COLUMNS,
        header_rows=1,
    )
    assert done(bigquery, owner, "again", again).rows == 2
    assert rows_of(bootstrapped, f"{owner}.again") == [(1, "a"), (2, "b")]


def test_a_copy_of_several_tables_has_the_rows_of_all(
    bootstrapped: Central, bigquery: Backend, owner: str
) -> None:
    for name in ("one", "two"):
        done(bigquery, owner, name, of_two_rows(name))
    sources = tuple(f"test-project.{owner}.{name}" for name in ("one", "two"))
    report = done(bigquery, owner, "copy", CopyJob(sources=sources, destination="both"))
    assert report.rows == 4
    assert len(rows_of(bootstrapped, f"{owner}.both")) == 4


def test_a_merge_reports_the_rows_that_it_changed(
    bootstrapped: Central, bigquery: Backend, owner: str
) -> None:
    done(bigquery, owner, "source", of_two_rows())
    merge = QueryJob(
        sql="MERGE source AS old USING (SELECT 2 AS id, 'c' AS name UNION ALL SELECT 3, 'd') AS fresh"
        " ON old.id = fresh.id WHEN MATCHED THEN UPDATE SET name = fresh.name"
        " WHEN NOT MATCHED THEN INSERT (id, name) VALUES (id, name)",
        destination="source",
        statement_type=StatementType.MERGE,
    )
    assert bigquery.jobs.dry_run(a_job(owner, "asked", merge)).statement_type == "MERGE"
    assert done(bigquery, owner, "merge", merge).rows == 2
    assert rows_of(bootstrapped, f"{owner}.source") == [(1, "a"), (2, "c"), (3, "d")]


def a_day(day: str, n: int, **changes: Any) -> QueryJob:
    return QueryJob(
        sql=f"SELECT DATE '{day}' AS d, {n} AS n",
        destination="daily",
        partitioning=Partitioning(field="d"),
        **changes,
    )


def test_one_partition_is_replaced_and_no_other(bootstrapped: Central, bigquery: Backend, owner: str) -> None:
    for number, (day, n) in enumerate([("2026-01-30", 1), ("2026-01-31", 2), ("2026-01-30", 3)]):
        report = done(bigquery, owner, f"run{number}", a_day(day, n, partition=day.replace("-", "")))
        assert report.rows == 1
    told = [(day.isoformat(), n) for day, n in rows_of(bootstrapped, f"{owner}.daily")]
    assert told == [("2026-01-30", 3), ("2026-01-31", 2)]


def test_rows_of_another_day_are_kept_out_of_a_partition(
    bootstrapped: Central, bigquery: Backend, owner: str
) -> None:
    done(bigquery, owner, "first", a_day("2026-01-30", 1, partition="20260130"))
    report = ended(bigquery, a_job(owner, "second", a_day("2026-01-31", 2, partition="20260130")))
    assert report.has_failed
    assert "different partitions" in report.error_message
    assert [n for _, n in rows_of(bootstrapped, f"{owner}.daily")] == [1]


@pytest.mark.parametrize("options", [(), (SchemaUpdate.ADD_COLUMNS,)])
def test_an_append_adds_columns_where_it_may(
    bootstrapped: Central, bigquery: Backend, owner: str, options: tuple[SchemaUpdate, ...]
) -> None:
    done(bigquery, owner, "first", of_two_rows())
    more = QueryJob(
        sql="SELECT 3 AS id, 'c' AS name, TRUE AS is_new",
        destination="source",
        write_disposition=WriteDisposition.APPEND,
        schema_update=options,
    )
    report = ended(bigquery, a_job(owner, "more", more))
    assert report.has_failed is not bool(options)
    assert len(rows_of(bootstrapped, f"{owner}.source")) == (3 if options else 2)

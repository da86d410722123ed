"""Jobs under IDs of ours: claims in the platform's name, tenants' steps under the executor's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from google.api_core import exceptions as google
from google.cloud import bigquery
from google.cloud.bigquery.query import _QueryResults

from common.claims import Claim
from common.errors import AlreadyExists, NoSuchResource, QueryRefused, WarehouseError
from common.pipelines.plans import CheckJob, CopyJob, ExtractJob, FilesLoadedJob, LoadJob, QueryJob
from common.quality.contracts import FoundColumn
from common.runs.files import TAKEN_OVER, FileClaims, ledger_name
from common.runs.ports import DryRun, JobReport, RowColumn, StepJob
from common.warehouse.buckets import BucketsOf, no_buckets
from common.warehouse.candidates import candidate_written_by, expiring, make_candidate
from common.warehouse.clients import NO_RETRY, RETRY, TIMEOUT_SECONDS, RateLimiter
from common.warehouse.files import FileLedgerRows, closing_query
from common.warehouse.job_kinds import (
    BigQueryJob,
    answered,
    copy_config,
    extract_config,
    load_config,
    query_config,
    report_of,
    taken_over,
    written_table,
)
from common.warehouse.translation import translated

CLAIM = "SELECT 1"
NO_ROWS = "SELECT 1 LIMIT 0"
MAX_TABLE_NAMES = 1000
CLAIMS_PER_SECOND = 90.0
"""BigQuery takes 100 requests a second of one account to one method, and refuses what is more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobs:
    """Jobs of one client. All are in one location, for a job ID is unique per project and location only."""

    client: bigquery.Client
    location: str

    def find(self, job_id: str) -> JobReport | None:
        """Return what BigQuery says of a job, None where there is none of that ID."""
        job = self._get(job_id)
        return self._reported(job) if job else None

    def cancel(self, job_id: str) -> None:
        """Ask BigQuery to stop a job; nothing happens to one that is done or unknown."""
        with translated():
            try:
                self.client.cancel_job(job_id, location=self.location, retry=RETRY, timeout=TIMEOUT_SECONDS)
            except google.NotFound:
                return

    def _reported(self, job: BigQueryJob) -> JobReport:
        return report_of(job, _rows_of_result)

    def _get(self, job_id: str) -> BigQueryJob | None:
        with translated():
            try:
                return self.client.get_job(  # type: ignore[return-value]
                    job_id, location=self.location, retry=RETRY, timeout=TIMEOUT_SECONDS
                )
            except google.NotFound:
                return None

    def _insert(self, sql: str, config: bigquery.QueryJobConfig, job_id: str) -> bigquery.QueryJob:
        # job_retry=None: the client's own repeat would come under another job ID, outside of the lock.
        with translated():
            return self.client.query(
                sql,
                job_config=config,
                job_id=job_id,
                location=self.location,
                retry=RETRY,
                job_retry=None,
                timeout=TIMEOUT_SECONDS,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedJobs(Jobs):
    """Claims (`common.claims.ClaimJobs`): one request each, unless the ID is taken."""

    limiter: RateLimiter = field(default_factory=lambda: RateLimiter(per_second=CLAIMS_PER_SECOND))

    def insert_claim(self, job_id: str, labels: Mapping[str, str]) -> Claim:
        """Take the job ID with a `SELECT 1`, which bills nothing."""
        self.limiter.acquire()
        job = self._insert(CLAIM, bigquery.QueryJobConfig(labels=dict(labels)), job_id)
        return _claim(job)

    def find_claim(self, job_id: str) -> Claim | None:
        """Return the claim on a job ID, None where it is free."""
        job = self._get(job_id)
        return _claim(job) if job else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorJobs(Jobs):
    """Steps (`common.runs.ports.StepJobs`), jobs of every kind; no row passes through here."""

    project: str
    """The platform's own project, where tenants' datasets are."""
    buckets: BucketsOf = no_buckets

    def use_up(self, job_id: str, labels: Mapping[str, str]) -> None:
        """Take an ID with a job that does nothing; AlreadyExists where it is taken."""
        self._insert(NO_ROWS, bigquery.QueryJobConfig(labels={**labels, TAKEN_OVER: "taken-over"}), job_id)

    def dry_run(self, job: StepJob) -> DryRun:
        """Ask what the statement is and reads; jobs of other kinds have none to ask about."""
        work = job.work
        if not isinstance(work, QueryJob | CheckJob):
            return DryRun(statement_type="", tables=(), bytes_processed=0)
        config = self._asking(job, work)
        config.dry_run = True
        config.use_query_cache = False
        with translated():
            asked = self.client.query(
                work.sql, job_config=config, location=self.location, retry=RETRY, job_retry=None
            )
        return DryRun(
            statement_type=asked.statement_type or "",
            tables=tuple(sorted(str(table) for table in asked.referenced_tables)),
            bytes_processed=asked.total_bytes_processed or 0,
            routines=_routines(asked),
            schema=tuple(asked.schema or ()),
        )

    def table_names(self, tenant_id: str) -> Sequence[str]:
        """Name the tables of a tenant's dataset, a thousand at the most."""
        dataset = bigquery.DatasetReference(self.project, tenant_id)
        with translated():
            tables = self.client.list_tables(
                dataset, max_results=MAX_TABLE_NAMES, retry=RETRY, timeout=TIMEOUT_SECONDS
            )
            return [table.table_id for table in tables]

    def columns_of(self, tenant_id: str, table: str) -> Sequence[bigquery.SchemaField] | None:
        """List the columns of a table; None where it is not there."""
        try:
            return tuple(self._table(tenant_id, table).schema)
        except NoSuchResource:
            return None

    def add_columns(self, tenant_id: str, table: str, columns: Sequence[RowColumn]) -> None:
        """Add columns behind those of a table, in one change that no other's can come between."""
        found = self._table(tenant_id, table)
        known = {column.name.lower() for column in found.schema}
        added = [taken_over(column) for column in columns if column.name.lower() not in known]
        found.schema = [*found.schema, *added]
        with translated():
            self.client.update_table(found, ["schema"], retry=RETRY, timeout=TIMEOUT_SECONDS)

    def _table(self, tenant_id: str, table: str) -> bigquery.Table:
        with translated():
            return self.client.get_table(
                f"{self.project}.{tenant_id}.{table}", retry=RETRY, timeout=TIMEOUT_SECONDS
            )

    def prepare(self, job: StepJob, dry_run: DryRun) -> None:
        """Make a table that has to expire; an executor makes other targets by the job itself."""
        if candidate := candidate_written_by(job.work):
            dataset = bigquery.DatasetReference(self.project, job.tenant_id)
            make_candidate(self.client, dataset, candidate, dry_run)

    def read_counts(self, job_id: str) -> Mapping[str, Any]:
        """Return the one row of a check's job that is done; QueryRefused where it is gone."""
        job = self._get(job_id)
        if not isinstance(job, bigquery.QueryJob):
            raise QueryRefused(f"the job {job_id} has no rows", "notFound")
        with translated():
            rows = job.result(max_results=1, retry=RETRY, timeout=TIMEOUT_SECONDS, job_retry=None)
            found = [dict(row.items()) for row in rows]
        if not found:
            raise QueryRefused(f"the job {job_id} has counted nothing", "notFound")
        return found[0]

    def found_columns(self, table: str) -> Sequence[FoundColumn]:
        """Return the columns of `project.dataset.table`; NoSuchResource where there is none."""
        with translated():
            found = self.client.get_table(table, retry=RETRY, timeout=TIMEOUT_SECONDS)
        return [FoundColumn(name=one.name, type=one.field_type, mode=one.mode) for one in found.schema]

    def submit(self, job: StepJob) -> JobReport:
        """Start the job and do not wait; AlreadyExists where its ID is taken, and by nothing else."""
        try:
            return self._reported(self._started(job))
        except AlreadyExists as error:
            if job.job_id in str(error):
                raise
            raise QueryRefused(str(error), error.reason) from error  # Something else that is there already.

    def wait(self, job: StepJob, known: JobReport, seconds: float) -> JobReport:
        """Wait for a query by one request; the job itself is looked at where the answer does not say all."""
        answer = self._results(job, seconds) if isinstance(job.work, QueryJob | CheckJob) else None
        if answer and not answer.complete:
            return known
        report = answered(job, known, answer) if answer else None
        # Only this project's jobs are ours: what is there by now is what was there before.
        return report or self.find(job.job_id) or known

    def _results(self, job: StepJob, seconds: float) -> _QueryResults | None:
        """Wait for a query's end; None where the answer is an error, the query's or the request's own."""
        try:
            # QueryJob.result() asks for the job too, and repeats what a failed job's answer looks like.
            with translated():
                return self.client._get_query_results(
                    job.job_id,
                    retry=NO_RETRY,
                    timeout_ms=int(seconds * 1000),
                    location=self.location,
                    timeout=seconds + TIMEOUT_SECONDS,
                )
        except WarehouseError:
            return None

    def _started(self, job: StepJob) -> BigQueryJob:
        dataset, work = bigquery.DatasetReference(self.project, job.tenant_id), job.work
        call: dict[str, Any] = {
            "job_id": job.job_id,
            "location": self.location,
            "retry": RETRY,
            "timeout": TIMEOUT_SECONDS,
        }
        match work:
            case QueryJob() | CheckJob():
                return self._insert(work.sql, self._config(job, work), job.job_id)
            case LoadJob():
                uris = self.files_of(job).claim(job, work)
                if not uris:
                    return self._insert(NO_ROWS, bigquery.QueryJobConfig(labels=dict(job.labels)), job.job_id)
                target, config = written_table(work, dataset), self._load_config(job, work)
                with translated():
                    return self.client.load_table_from_uri(uris, target, job_config=config, **call)
            case FilesLoadedJob():
                sql, closing = closing_query(self.project, job.tenant_id, ledger_name(work), job.labels)
                return self._insert(sql, closing, job.job_id)
            case ExtractJob():
                source, options = dataset.table(work.source), extract_config(job, work)
                with translated():
                    return self.client.extract_table(source, work.uris, job_config=options, **call)
            case CopyJob():
                decorator = f"${work.partition}" if work.partition else ""
                sources = [bigquery.TableReference.from_string(f"{name}{decorator}") for name in work.sources]
                target = dataset.table(f"{work.destination}{decorator}")
                how = copy_config(job, replace(work, expires_at=expiring(work.expires_at, work)))
                with translated():
                    return self.client.copy_table(sources, target, job_config=how, **call)

    def files_of(self, job: StepJob) -> FileClaims:
        """Return who takes files for a load: under this identity, in a ledger that the executor keeps."""
        ledger = FileLedgerRows(
            client=self.client, location=self.location, project=self.project, dataset=job.tenant_id
        )
        return FileClaims(ledger=ledger, buckets=self.buckets(), jobs=self)

    def _load_config(self, job: StepJob, work: LoadJob) -> bigquery.LoadJobConfig:
        return load_config(job, work)

    def _asking(self, job: StepJob, work: QueryJob | CheckJob) -> bigquery.QueryJobConfig:
        """Configure the dry run."""
        return self._config(job, work)

    def _config(self, job: StepJob, work: QueryJob | CheckJob) -> bigquery.QueryJobConfig:
        return query_config(job, work, bigquery.DatasetReference(self.project, job.tenant_id))


def _routines(job: bigquery.QueryJob) -> tuple[str, ...]:
    # The client has no property for these; the resource of the answer does.
    statistics = job._properties.get("statistics", {}).get("query", {})
    named = statistics.get("referencedRoutines", [])
    return tuple(f"{name['projectId']}.{name['datasetId']}.{name['routineId']}" for name in named)


def _claim(job: BigQueryJob) -> Claim:
    return Claim(job_id=job.job_id, labels=dict(job.labels), claimed_at=job.created or datetime.now(UTC))


def _rows_of_result(job: bigquery.QueryJob) -> int | None:
    """Count the rows of a query's destination.

    None where nobody can tell any more, its table being gone: the job has succeeded all the same.
    """
    try:
        with translated():
            rows = job.result(max_results=0, retry=RETRY, timeout=TIMEOUT_SECONDS, job_retry=None)
    except (NoSuchResource, QueryRefused):
        return None
    return None if rows.total_rows is None else int(rows.total_rows)

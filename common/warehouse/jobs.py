"""Jobs under IDs of ours: claims in the platform's name, tenants' steps under the executor's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from google.api_core import exceptions as google
from google.cloud import bigquery

from common.claims import Claim
from common.errors import AlreadyExists, NoSuchResource, QueryRefused
from common.pipelines.pipeline import BoundParameter
from common.pipelines.plans import Partitioning
from common.runs.ports import DryRun, JobReport, StepJob
from common.warehouse.bigquery import bound
from common.warehouse.clients import RETRY, TIMEOUT_SECONDS, RateLimiter
from common.warehouse.translation import NO_WORD, first_reason, own_words, translated

CLAIM = "SELECT 1"
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

    def _reported(self, job: bigquery.QueryJob) -> JobReport:
        return _report(job)

    def _get(self, job_id: str) -> bigquery.QueryJob | None:
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
    """Steps (`common.runs.ports.StepJobs`): queries with a destination; no row passes through here."""

    project: str
    """The platform's own project, where tenants' datasets are."""

    def dry_run(self, job: StepJob) -> DryRun:
        """Ask what the statement is and reads."""
        config = self._asking(job)
        config.dry_run = True
        config.use_query_cache = False
        with translated():
            asked = self.client.query(
                job.work.sql, job_config=config, location=self.location, retry=RETRY, job_retry=None
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

    def prepare(self, job: StepJob, dry_run: DryRun) -> None:
        """Do nothing: an executor makes the target table by the job itself."""

    def submit(self, job: StepJob) -> JobReport:
        """Start the job and do not wait; AlreadyExists where its ID is taken, and by nothing else."""
        try:
            return self._reported(self._insert(job.work.sql, self._config(job), job.job_id))
        except AlreadyExists as error:
            if job.job_id in str(error):
                raise
            raise QueryRefused(str(error), error.reason) from error  # Something else that is there already.

    def _asking(self, job: StepJob) -> bigquery.QueryJobConfig:
        """Configure the dry run."""
        return self._config(job)

    def _config(self, job: StepJob) -> bigquery.QueryJobConfig:
        dataset, work = bigquery.DatasetReference(self.project, job.tenant_id), job.work
        config = bigquery.QueryJobConfig(
            default_dataset=dataset,
            destination=dataset.table(work.destination),
            write_disposition=work.write_disposition.value,
            query_parameters=[_parameter(parameter) for parameter in job.parameters],
            job_timeout_ms=job.timeout_seconds * 1000,
            time_partitioning=time_partitioning(work.partitioning),
            clustering_fields=list(work.clustering) or None,
            labels=dict(job.labels),
            use_legacy_sql=False,
        )
        if work.maximum_bytes_billed is not None:  # The client would send "None".
            config.maximum_bytes_billed = work.maximum_bytes_billed
        return config


def _routines(job: bigquery.QueryJob) -> tuple[str, ...]:
    # The client has no property for these; the resource of the answer does.
    statistics = job._properties.get("statistics", {}).get("query", {})
    named = statistics.get("referencedRoutines", [])
    return tuple(f"{name['projectId']}.{name['datasetId']}.{name['routineId']}" for name in named)


def _parameter(parameter: BoundParameter) -> bigquery.ScalarQueryParameter | bigquery.ArrayQueryParameter:
    return bound(parameter.name, parameter.type, parameter.value)


def time_partitioning(partitioning: Partitioning | None) -> bigquery.TimePartitioning | None:
    """Say how a target table is divided by time."""
    if partitioning is None:
        return None
    days = partitioning.expiration_days
    return bigquery.TimePartitioning(
        type_=partitioning.type, field=partitioning.field, expiration_ms=days * 86_400_000 if days else None
    )


def _claim(job: bigquery.QueryJob) -> Claim:
    return Claim(job_id=job.job_id, labels=dict(job.labels), claimed_at=job.created or datetime.now(UTC))


def _report(job: bigquery.QueryJob) -> JobReport:
    is_done = job.state == "DONE"
    error: Mapping[str, Any] = job.error_result or {}
    succeeded = is_done and not error
    return JobReport(
        job_id=job.job_id,
        is_done=is_done,
        labels=dict(job.labels),
        error_reason=(first_reason([error]) or "invalid") if error else "",
        error_message=own_words(str(error.get("message") or (NO_WORD if error else ""))),
        started_at=job.started or job.created,
        ended_at=job.ended,
        rows=_rows_written(job) if succeeded else None,
        bytes_processed=job.total_bytes_processed if succeeded else None,
        bytes_billed=job.total_bytes_billed if succeeded else None,
    )


def _rows_written(job: bigquery.QueryJob) -> int | None:
    """Count the rows that a query wrote: its plan's last stage says so.

    None where nobody can tell any more, its table being gone: the job has succeeded all the same.
    """
    if job.query_plan:
        return int(job.query_plan[-1].records_written or 0)
    try:
        with translated():
            rows = job.result(max_results=0, retry=RETRY, timeout=TIMEOUT_SECONDS, job_retry=None)
    except (NoSuchResource, QueryRefused):
        return None
    return None if rows.total_rows is None else int(rows.total_rows)

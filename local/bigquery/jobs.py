"""The jobs that `local_bigquery` keeps and runs, by project and job ID."""

import contextlib
import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from typing import Any

import duckdb
from local_bigquery import errors
from local_bigquery.catalog.tables import RESULTS
from local_bigquery.engine import database
from local_bigquery.errors import BigQueryError
from local_bigquery.jobs import runner, store
from local_bigquery.models import Job, JobConfiguration, JobStatistics

from local.bigquery import catalog, committed, job_records, receipts
from local.bigquery.loads import RowsRefused
from local.bigquery.sql_files import sql
from local.bigquery.statements import statements_in

CANCEL_SECONDS = 10.0
INTERRUPT_SECONDS = 0.05
JobKey = tuple[str, str]
Outcome = tuple[int, dict[str, Any]]
_ended: Callable[[Job, JobStatistics, BigQueryError | None], Job] = runner._done
_timed_out: dict[JobKey, float] = {}


def running(key: JobKey) -> "Future[Any] | None":
    """Return what ends with a running job; None for a job that does not run."""
    job = runner._running.get(key)
    return job.future if job else None


def any_running() -> bool:
    """Tell whether any job is queued or running."""
    return bool(runner._running)


def cancel(project: str, job_id: str) -> Job:
    """Cancel a job as jobs.cancel does, and wait for its end; nothing happens to one that has ended."""
    job = runner.get(project, job_id)
    if running_job := runner._running.get((project, job_id)):
        running_job.cancelled = True
        _interrupt([running_job], time.monotonic() + CANCEL_SECONDS)
        job = runner.get(project, job_id)
    return job


def time_out(key: JobKey, seconds: float) -> None:
    """Stop a job that has run for `seconds`, as BigQuery does; nothing happens to one that has ended."""
    while running(key):
        _timed_out[key] = seconds
        cancel(*key)
    _timed_out.pop(key, None)


def done(job: Job, statistics: JobStatistics, error: BigQueryError | None = None) -> Job:
    """Return `job` as it is when it has ended; one that has committed its rows has not failed."""
    if error and (counts := receipts.current(*_key(job))) is not None:
        statistics, error = committed.statistics_of(job.configuration, counts), None
    rows = receipts.take_rows_written(*_key(job))
    if rows is not None and not error:
        statistics = committed.with_rows_written(job.configuration, statistics, rows)
    seconds = _timed_out.get((job.jobReference.projectId, job.jobReference.jobId))
    if error and seconds is not None:
        error = BigQueryError("stopped", f"Job execution was cancelled: Job timed out after {seconds:g} sec")
    ended = _ended(job if error else _naming_its_table(job, statistics), statistics, error)
    if isinstance(error, RowsRefused):
        return ended.replace(status=ended.status.replace(errors=error.protos()))
    return ended


def _naming_its_table(job: Job, statistics: JobStatistics) -> Job:
    """Name the destination of a job that has made its table by CREATE TABLE AS, as BigQuery does."""
    query = job.configuration.query
    if not (query and statistics.query and statistics.query.statementType == "CREATE_TABLE_AS_SELECT"):
        return job
    statement, *more = statements_in(query.dump(), job.jobReference.projectId)
    # One of a script has no table of its own; a temporary one is in no dataset that is named.
    if more or not (statement.target and all(statement.target)):
        return job
    names = zip(("projectId", "datasetId", "tableId"), statement.target, strict=True)
    configuration = job.configuration.replace(query=query.replace(destinationTable=dict(names)))
    return job.replace(configuration=configuration)


def end_all(grace_seconds: float) -> None:
    """Give running jobs a short time to finish, then interrupt them; they fail with a reason to retry."""
    wait([job.future for job in _running_jobs()], grace_seconds)
    interrupted = list(runner._running)
    while remaining := _running_jobs():
        _interrupt(remaining, time.monotonic() + CANCEL_SECONDS)
    for key in interrupted:
        job = store.load(*key)
        if job.status.errorResult:
            _fail_as_lost(job)


def end_unfinished() -> None:
    """End the jobs that an earlier process did not live to end: done with their rows, or failed without."""
    for (resource,) in database.fetch(sql("unfinished_jobs")):
        job = Job.model_validate_json(resource)
        counts = receipts.find(*_key(job)) if receipts.commits_once(job.configuration) else None
        if counts is None:
            _fail_as_lost(job)
        else:
            committed.describe_destination(job.configuration)
            store.save(done(job, committed.statistics_of(job.configuration, counts)))


def finish_at_once(asked: Sequence[tuple[JobKey, dict[str, Any]]]) -> list[Outcome]:
    """Store `SELECT 1` jobs as done, all by one statement, for each costs as much as many together.

    Return the HTTP status and the job of each, or 409 and the error.
    """
    shared = {project: catalog.ensure_constant(project) for (project, _), _ in asked}
    return _store([_constant_job(key, configuration, shared[key[0]]) for key, configuration in asked])


def fail_at_once(key: JobKey, configuration: dict[str, Any], reason: str, message: str) -> Outcome:
    """Store a job as failed without a run; return the HTTP status and the job, or 409 and the error."""
    (outcome,) = _store([_ended_job(key, configuration, {}, BigQueryError(reason, message))])
    return outcome


def _constant_job(key: JobKey, configuration: dict[str, Any], table: str) -> Job:
    destination = {"projectId": key[0], "datasetId": RESULTS, "tableId": table}
    query = {**configuration["query"], "destinationTable": destination}
    return _ended_job(key, {**configuration, "query": query}, {"query": {"statementType": "SELECT"}})


def _ended_job(
    key: JobKey,
    configuration: dict[str, Any],
    statistics: dict[str, Any],
    error: BigQueryError | None = None,
) -> Job:
    kind = next(name for name in ("query", "load", "copy", "extract") if name in configuration)
    job = runner._job(*key, JobConfiguration.model_validate({**configuration, "jobType": kind.upper()}))
    times = {"startTime": job.statistics.creationTime}
    return done(job, JobStatistics.model_validate(statistics | times), error)


def _store(ended: Sequence[Job]) -> list[Outcome]:
    for job in ended:
        job_records.write(*_key(job))
    resources = [job.dump() for job in ended]
    stored = set(database.fetch(sql("store_jobs"), {"jobs": json.dumps(resources)}))
    return [
        (200, resource) if key in stored else _duplicate(key)
        for key, resource in zip(map(_key, ended), resources, strict=True)
    ]


def _key(job: Job) -> JobKey:
    return job.jobReference.projectId, job.jobReference.jobId


def _duplicate(key: JobKey) -> Outcome:
    error = errors.already_exists("Job", ":".join(key))
    return error.code, error.response()


def results() -> list[tuple[float, JobKey]]:
    """Return the start (seconds since 1970) and key of each job that has a result table, oldest first."""
    rows = database.fetch(sql("results"))
    return [(milliseconds / 1000, (project, job_id)) for milliseconds, project, job_id in rows]


def drop_result(key: JobKey) -> None:
    """Drop the rows that a job left."""
    database.execute(sql("drop_result", table=catalog.result_table(":".join(key))))


def _running_jobs() -> list[runner.Running]:
    return [job for job in list(runner._running.values()) if job.future]


def _interrupt(jobs: list[runner.Running], deadline: float) -> None:
    # Again and again, because an interrupt between two of a job's statements has no effect.
    while time.monotonic() < deadline:
        for job in jobs:
            with contextlib.suppress(duckdb.Error):  # Closed meanwhile.
                if job.cursor:
                    job.cursor.interrupt()
        if not wait([job.future for job in jobs], INTERRUPT_SECONDS).not_done:
            return


def _fail_as_lost(job: Job) -> None:
    lost = BigQueryError("backendError", "The local BigQuery ended while this job ran. Retry the job.")
    store.save(done(job, job.statistics, lost))

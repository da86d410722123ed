"""The jobs that `local_bigquery` keeps and runs, by project and job ID."""

from concurrent.futures import Future, wait
from typing import Any

from local_bigquery import errors
from local_bigquery.catalog.tables import RESULTS
from local_bigquery.engine import database
from local_bigquery.errors import BigQueryError
from local_bigquery.jobs import runner, store
from local_bigquery.models import Job, JobConfiguration, JobStatistics, TableReference

from local.bigquery import catalog
from local.bigquery.sql_files import sql

END_SECONDS = 10.0
JobKey = tuple[str, str]


def running(key: JobKey) -> "Future[Any] | None":
    """Return what ends with a running job; None for a job that does not run."""
    job = runner._running.get(key)
    return job.future if job else None


def any_running() -> bool:
    """Tell whether any job is queued or running."""
    return bool(runner._running)


def end_all() -> None:
    """Give running jobs a short time to finish, then cancel them."""
    wait(_futures(), END_SECONDS)
    for project, job_id in list(runner._running):
        runner.cancel(project, job_id)
    wait(_futures())


def fail_unfinished() -> None:
    """Fail the jobs that an earlier process started and did not live to finish."""
    lost = BigQueryError("backendError", "The local BigQuery ended while this job ran. Retry the job.")
    for (resource,) in database.fetch(sql("unfinished_jobs")):
        job = Job.model_validate_json(resource)
        store.save(runner._done(job, job.statistics, lost))


def finish_at_once(key: JobKey, configuration: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Store a `SELECT 1` job as done; return the HTTP status and the job, or 409 and the error."""
    project, job_id = key
    if store.load(project, job_id):
        error = errors.already_exists("Job", f"{project}:{job_id}")
        return error.code, error.response()
    job = runner._job(project, job_id, JobConfiguration.model_validate({**configuration, "jobType": "QUERY"}))
    job.configuration.query.destinationTable = TableReference(
        projectId=project, datasetId=RESULTS, tableId=catalog.ensure_constant(project)
    )
    query = JobStatistics(startTime=job.statistics.creationTime, query={"statementType": "SELECT"})
    return 200, store.save(runner._done(job, query)).dump()


def results() -> list[tuple[float, JobKey]]:
    """Return the start (seconds since 1970) and key of each job that has a result table, oldest first."""
    rows = database.fetch(sql("results"))
    return [(milliseconds / 1000, (project, job_id)) for milliseconds, project, job_id in rows]


def drop_result(key: JobKey) -> None:
    """Drop the rows that a job left."""
    database.execute(sql("drop_result", table=catalog.result_table(":".join(key))))


def _futures() -> list["Future[Any]"]:
    return [job.future for job in list(runner._running.values()) if job.future]

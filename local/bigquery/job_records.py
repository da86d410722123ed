"""When a job is written down: before it changes anything, when somebody asks for it, and at its end.

`local_bigquery` writes each job three times, as pending, running and done, and each time takes as long as a
small query. A job that is not written is lost with the process: so one that may change something is written
before it runs, and a query that leaves no more than its rows before anybody learns that it was begun. It
reads each job three times too, mostly soon after its end: the latest are remembered.
"""

import json
import threading

from local_bigquery.engine import database
from local_bigquery.jobs import store
from local_bigquery.models import Job
from sqlglot import exp

from local.bigquery.memories import Known
from local.bigquery.sql_files import sql
from local.bigquery.statements import trees_of

JobKey = tuple[str, str]
UNWRITTEN: dict[JobKey, Job] = {}
"""Jobs as they are by now, where what is written of them is older."""
NEW: set[JobKey] = set()
"""Jobs of which nothing is written yet."""
LATEST = Known[JobKey, Job]()
"""The jobs that were saved last, as they are by now."""

_lock = threading.RLock()
_save, _load, _list, _delete = store.save, store.load, store.list_, store.delete


def install() -> None:
    """Take the place of the functions of `local_bigquery` that write, read and delete jobs."""
    store.save, store.load, store.list_, store.delete = save, load, list_jobs, delete


def save(job: Job) -> Job:
    """Keep a job, written or not."""
    with _lock:
        if _reads_jobs(job):
            write_all()
        if job.status.state == "PENDING":
            NEW.add(_key(job))
        if _may_be_lost(job):
            UNWRITTEN[_key(job)] = job
        else:
            _write(job)
            UNWRITTEN.pop(_key(job), None)
        LATEST.keep(_key(job), job)
        return job


def load(project: str, job_id: str) -> Job | None:
    """Return a job, which is written by then; None where there is none."""
    write(project, job_id)
    found: Job | None = LATEST.get((project, job_id)) or _load(project, job_id)
    return found


def delete(project: str, job_id: str) -> None:
    """Delete a job."""
    LATEST.forget((project, job_id))
    _delete(project, job_id)


def list_jobs(*arguments: object, **options: object) -> list[Job]:
    """Return the jobs that `local_bigquery` finds, all of which are written by then."""
    write_all()
    found: list[Job] = _list(*arguments, **options)
    return found


def write(project: str, job_id: str) -> None:
    """Write a job as it is by now."""
    with _lock:
        if job := UNWRITTEN.pop((project, job_id), None):
            _write(job)


def write_all() -> None:
    """Write all jobs as they are by now."""
    with _lock:
        for key in list(UNWRITTEN):
            write(*key)


def _write(job: Job) -> None:
    if _key(job) not in NEW:
        _save(job)
        return
    project, job_id = _key(job)
    written = {
        "project_id": project,
        "job_id": job_id,
        "parent_job_id": job.statistics.parentJobId,
        "state": job.status.state,
        "creation_time": int(job.statistics.creationTime),
        "resource": json.dumps(job.dump()),
    }
    database.execute(sql("new_job"), written)
    NEW.discard(_key(job))


def _key(job: Job) -> JobKey:
    return job.jobReference.projectId, job.jobReference.jobId


def _may_be_lost(job: Job) -> bool:
    return job.status.state == "PENDING" or (job.status.state == "RUNNING" and _leaves_rows_alone(job))


def _leaves_rows_alone(job: Job) -> bool:
    """Tell whether a job is a query that changes nothing but the table of its own result."""
    query = job.configuration.query
    if query is None or query.destinationTable:
        return False
    trees = trees_of(query.query or "")
    return len(trees) == 1 and isinstance(trees[0], exp.Query)


def _reads_jobs(job: Job) -> bool:
    query = job.configuration.query
    return query is not None and "INFORMATION_SCHEMA" in (query.query or "").upper()

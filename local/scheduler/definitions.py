"""What a user may ask of a job, checked and completed with Cloud Scheduler's defaults."""

import re
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from google.cloud import scheduler_v1

from local.refusals import invalid, unimplemented
from local.rpc import raw
from local.scheduler.crontab import next_fire

Job = Any
"""A raw protobuf message google.cloud.scheduler.v1.Job."""

new_job: Any = raw(scheduler_v1.Job)
PARENT = re.compile(r"projects/[A-Za-z0-9.:-]+/locations/[a-z0-9-]+")
JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,500}")
MAX_RETRIES = 5
SHORTEST_DEADLINE_SECONDS, MAX_DEADLINE_SECONDS = 15, 30 * 60
DEFAULT_SECONDS = {"min_backoff_duration": 5, "max_backoff_duration": 3600}
DEFAULT_DOUBLINGS = 5


def complete(parent: str, asked: Job, now: datetime) -> Job:
    """Return a new job's definition: named, checked, with defaults; raise a refusal for a bad one."""
    if not PARENT.fullmatch(parent):
        raise invalid(f"parent must be projects/PROJECT/locations/LOCATION, not {parent!r}")
    job = new_job()
    job.CopyFrom(asked)
    job.name = asked.name or f"{parent}/jobs/{uuid4().int}"
    prefix, _, job_id = job.name.rpartition("/jobs/")
    if prefix != parent or not JOB_ID.fullmatch(job_id):
        raise invalid(f"Job name must be {parent}/jobs/JOB_ID, not {job.name!r}")
    return _with_defaults(_checked(job, now))


def _checked(job: Job, now: datetime) -> Job:
    target = job.WhichOneof("target")
    if target is None:
        raise invalid("Job must have a target")
    if target != "http_target":
        raise unimplemented(f"the local scheduler has HTTP targets only, no {target}")
    url = urlsplit(job.http_target.uri)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise invalid(f"http_target.uri must be an HTTP or HTTPS URL, not {job.http_target.uri!r}")
    if not 0 <= job.retry_config.retry_count <= MAX_RETRIES:
        raise invalid(f"retry_config.retry_count must be from 0 to {MAX_RETRIES}")
    deadline = job.attempt_deadline.ToTimedelta().total_seconds()
    if deadline and not SHORTEST_DEADLINE_SECONDS <= deadline <= MAX_DEADLINE_SECONDS:
        raise invalid("attempt_deadline must be from 15 seconds to 30 minutes")
    try:
        next_fire(job.schedule, job.time_zone or "Etc/UTC", now)
    except ValueError as error:
        raise invalid(str(error)) from error
    return job


def _with_defaults(job: Job) -> Job:
    job.time_zone = job.time_zone or "Etc/UTC"
    if not job.http_target.http_method:
        job.http_target.http_method = scheduler_v1.HttpMethod.POST
    if not job.HasField("attempt_deadline"):
        job.attempt_deadline.seconds = 180
    for field, seconds in DEFAULT_SECONDS.items():
        if not job.retry_config.HasField(field):
            getattr(job.retry_config, field).seconds = seconds
    job.retry_config.max_doublings = job.retry_config.max_doublings or DEFAULT_DOUBLINGS
    return job

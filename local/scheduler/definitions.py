"""What a user may ask of a job, checked and completed with Cloud Scheduler's defaults."""

import re
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from google.cloud import scheduler_v1

from local.scheduler.crontab import next_fire
from local.scheduler.refusals import InvalidArgument, Unimplemented

Job = Any
"""A raw protobuf message google.cloud.scheduler.v1.Job."""

new_job: Any = type(scheduler_v1.Job.pb(scheduler_v1.Job()))
PARENT = re.compile(r"projects/[A-Za-z0-9.:-]+/locations/[a-z0-9-]+")
JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,500}")
MAX_RETRIES = 5
SHORTEST_DEADLINE_SECONDS, MAX_DEADLINE_SECONDS = 15, 30 * 60
OUTPUT_ONLY = ("state", "status", "schedule_time", "last_attempt_time", "user_update_time")
DEFAULT_SECONDS = {"min_backoff_duration": 5, "max_backoff_duration": 3600}
DEFAULT_DOUBLINGS = 5


def complete(parent: str, asked: Job, now: datetime) -> Job:
    """Return a new job's definition: named, checked, with defaults; raise a refusal for a bad one."""
    if not PARENT.fullmatch(parent):
        raise InvalidArgument(f"parent must be projects/PROJECT/locations/LOCATION, not {parent!r}")
    job = new_job()
    job.CopyFrom(asked)
    job.name = asked.name or f"{parent}/jobs/{uuid4().int}"
    prefix, _, job_id = job.name.rpartition("/jobs/")
    if prefix != parent or not JOB_ID.fullmatch(job_id):
        raise InvalidArgument(f"Job name must be {parent}/jobs/JOB_ID, not {job.name!r}")
    return _with_defaults(_checked(job, now))


def updated(job: Job, asked: Job, paths: list[str], now: datetime) -> Job:
    """Return `job` with the fields of `paths` (all, when there are none) as asked for."""
    changed = new_job()
    changed.CopyFrom(job)
    for path in paths or [name for name in new_job.DESCRIPTOR.fields_by_name if name not in OUTPUT_ONLY]:
        _copy_field(asked, changed, path)
    changed.name = job.name
    return _with_defaults(_checked(changed, now))


def _copy_field(source: Job, target: Job, path: str) -> None:
    first, _, rest = path.partition(".")
    field = source.DESCRIPTOR.fields_by_name.get(first)
    if field is None or (first in OUTPUT_ONLY and field.containing_type is new_job.DESCRIPTOR):
        raise InvalidArgument(f"update_mask: {path!r} is no field that can be set")
    if rest:
        _copy_field(getattr(source, first), getattr(target, first), rest)
        return
    if field.containing_oneof and not source.HasField(first):
        return  # Another member of the oneof is set, or none: leave that to the member's own path.
    target.ClearField(first)
    fragment = type(source)()
    fragment.CopyFrom(source)
    for name in source.DESCRIPTOR.fields_by_name:
        if name != first:
            fragment.ClearField(name)
    target.MergeFrom(fragment)


def _checked(job: Job, now: datetime) -> Job:
    target = job.WhichOneof("target")
    if target is None:
        raise InvalidArgument("Job must have a target")
    if target != "http_target":
        raise Unimplemented(f"the local scheduler has HTTP targets only, no {target}")
    url = urlsplit(job.http_target.uri)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise InvalidArgument(f"http_target.uri must be an HTTP or HTTPS URL, not {job.http_target.uri!r}")
    if not 0 <= job.retry_config.retry_count <= MAX_RETRIES:
        raise InvalidArgument(f"retry_config.retry_count must be from 0 to {MAX_RETRIES}")
    deadline = job.attempt_deadline.ToTimedelta().total_seconds()
    if deadline and not SHORTEST_DEADLINE_SECONDS <= deadline <= MAX_DEADLINE_SECONDS:
        raise InvalidArgument("attempt_deadline must be from 15 seconds to 30 minutes")
    try:
        next_fire(job.schedule, job.time_zone or "Etc/UTC", now)
    except ValueError as error:
        raise InvalidArgument(str(error)) from error
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

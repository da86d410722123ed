from datetime import UTC, datetime
from typing import Any

import pytest
from google.api_core import exceptions as google
from google.cloud import scheduler_v1
from google.protobuf.duration_pb2 import Duration

from tests.contract.scheduler.conftest import PARENT, Target, job

Client = Any
"""The real CloudSchedulerClient, whose stubs know no dicts as messages."""
State = scheduler_v1.Job.State
NAME = f"{PARENT}/jobs/dispatcher"


def test_a_new_job_is_enabled_and_has_the_defaults(client: Client, target: Target) -> None:
    made = client.create_job(parent=PARENT, job=job(target, time_zone=""))
    assert made == client.get_job(name=NAME)
    assert (made.state, made.time_zone) == (State.ENABLED, "Etc/UTC")
    assert made.http_target.http_method == scheduler_v1.HttpMethod.POST
    assert made.attempt_deadline.total_seconds() == 180
    assert made.retry_config.min_backoff_duration.total_seconds() == 5
    assert made.schedule_time == datetime(2026, 1, 1, 0, 1, tzinfo=UTC)
    assert not made.last_attempt_time


def test_a_job_without_a_name_gets_one(client: Client, target: Target) -> None:
    made = client.create_job(parent=PARENT, job=job(target, job_id=""))
    assert made.name.startswith(f"{PARENT}/jobs/")
    assert client.get_job(name=made.name) == made


def test_a_name_is_taken_once(client: Client, target: Target) -> None:
    client.create_job(parent=PARENT, job=job(target))
    with pytest.raises(google.AlreadyExists):
        client.create_job(parent=PARENT, job=job(target))


@pytest.mark.parametrize(
    "fields",
    [
        {"schedule": ""},
        {"schedule": "61 * * * *"},
        {"schedule": "* * * * * *"},
        {"schedule": "0 0 30 2 *"},
        {"time_zone": "Europe/Atlantis"},
        {"time_zone": "../../etc/passwd"},
        {"name": f"{PARENT}/jobs/with space"},
        {"name": "projects/other/locations/us-central1/jobs/dispatcher"},
        {"http_target": {"uri": "ftp://host"}},
        {"http_target": None},
        {"retry_config": {"retry_count": 6}},
        {"attempt_deadline": Duration(seconds=5)},
    ],
)
def test_a_job_that_is_not_well_formed_is_refused(
    client: Client, target: Target, fields: dict[str, Any]
) -> None:
    asked = job(target) | fields
    with pytest.raises(google.InvalidArgument):
        client.create_job(parent=PARENT, job=asked)
    for name in {NAME, str(fields.get("name", NAME))}:
        with pytest.raises(google.NotFound):
            client.get_job(name=name)


def test_a_parent_must_be_a_location(client: Client, target: Target) -> None:
    with pytest.raises(google.InvalidArgument):
        client.create_job(parent="projects/p", job=job(target, job_id=""))


def test_a_pubsub_target_is_not_implemented(client: Client, target: Target) -> None:
    asked = {"schedule": "* * * * *", "pubsub_target": {"topic_name": "projects/p/topics/t"}}
    with pytest.raises(google.MethodNotImplemented):
        client.create_job(parent=PARENT, job=asked)


def test_a_job_is_paused_and_resumed_once(client: Client, target: Target) -> None:
    client.create_job(parent=PARENT, job=job(target))
    with pytest.raises(google.FailedPrecondition):
        client.resume_job(name=NAME)
    assert client.pause_job(name=NAME).state == State.PAUSED
    with pytest.raises(google.FailedPrecondition):
        client.pause_job(name=NAME)
    assert client.resume_job(name=NAME).state == State.ENABLED


@pytest.mark.parametrize("call", ["get_job", "pause_job", "resume_job", "run_job"])
def test_an_unknown_job_is_not_found(client: Client, call: str) -> None:
    with pytest.raises(google.NotFound):
        getattr(client, call)(name=NAME)


def test_a_method_that_is_not_served_says_so_and_what_is(client: Client, target: Target) -> None:
    client.create_job(parent=PARENT, job=job(target))
    sentence = r"is not served on this machine; served is CreateJob, GetJob,"
    with pytest.raises(google.MethodNotImplemented, match=f"DeleteJob of .*{sentence}"):
        client.delete_job(name=NAME)
    with pytest.raises(google.MethodNotImplemented, match=f"UpdateJob of .*{sentence}"):
        client.update_job(job={"name": NAME})
    assert client.get_job(name=NAME).state == State.ENABLED

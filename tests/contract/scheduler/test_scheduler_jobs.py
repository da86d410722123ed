from datetime import UTC, datetime
from typing import Any

import pytest
from google.api_core import exceptions as google
from google.cloud import scheduler_v1
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask

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
    assert list(client.list_jobs(parent=PARENT)) == []


def test_a_parent_must_be_a_location(client: Client, target: Target) -> None:
    with pytest.raises(google.InvalidArgument):
        client.create_job(parent="projects/p", job=job(target, job_id=""))


def test_a_pubsub_target_is_not_implemented(client: Client, target: Target) -> None:
    asked = {"schedule": "* * * * *", "pubsub_target": {"topic_name": "projects/p/topics/t"}}
    with pytest.raises(google.MethodNotImplemented):
        client.create_job(parent=PARENT, job=asked)


def test_jobs_are_listed_by_name_and_page(client: Client, target: Target) -> None:
    for job_id in ("c", "a", "b"):
        client.create_job(parent=PARENT, job=job(target, job_id))
    other = "projects/q/locations/us-central1"
    client.create_job(parent=other, job=job(target, name=f"{other}/jobs/other"))
    pages = client.list_jobs(request={"parent": PARENT, "page_size": 2}).pages
    names = [[listed.name.rpartition("/")[2] for listed in page.jobs] for page in pages]
    assert names == [["a", "b"], ["c"]]


def test_an_update_changes_what_its_mask_names(client: Client, target: Target) -> None:
    made = client.create_job(parent=PARENT, job=job(target, http_target={"headers": {"a": "1"}}))
    asked = {
        "name": NAME,
        "schedule": "0 5 * * *",
        "http_target": {"headers": {"b": "2"}},
        "description": "new",
    }
    mask = FieldMask(paths=["schedule", "http_target.headers"])
    changed = client.update_job(job=asked, update_mask=mask)
    assert (changed.schedule, changed.description) == ("0 5 * * *", "")
    assert dict(changed.http_target.headers) == {"b": "2"}
    assert changed.http_target.uri == made.http_target.uri
    assert changed.schedule_time == datetime(2026, 1, 1, 5, tzinfo=UTC)


def test_an_update_without_a_mask_changes_everything(client: Client, target: Target) -> None:
    client.create_job(parent=PARENT, job=job(target, description="old", retry_config={"retry_count": 2}))
    client.pause_job(name=NAME)
    changed = client.update_job(job=job(target, schedule="*/5 * * * *"))
    assert (changed.schedule, changed.description) == ("*/5 * * * *", "")
    assert changed.retry_config.retry_count == 0
    assert changed.state == State.PAUSED


@pytest.mark.parametrize("path", ["state", "no_such_field", "http_target.no_such_field"])
def test_an_update_of_what_cannot_be_set_is_refused(client: Client, target: Target, path: str) -> None:
    client.create_job(parent=PARENT, job=job(target))
    with pytest.raises(google.InvalidArgument):
        client.update_job(job=job(target), update_mask=FieldMask(paths=[path]))


def test_a_bad_update_leaves_the_job_as_it_was(client: Client, target: Target) -> None:
    made = client.create_job(parent=PARENT, job=job(target))
    with pytest.raises(google.InvalidArgument):
        client.update_job(job=job(target, schedule="never"))
    assert client.get_job(name=NAME) == made


def test_a_job_is_paused_and_resumed_once(client: Client, target: Target) -> None:
    client.create_job(parent=PARENT, job=job(target))
    with pytest.raises(google.FailedPrecondition):
        client.resume_job(name=NAME)
    assert client.pause_job(name=NAME).state == State.PAUSED
    with pytest.raises(google.FailedPrecondition):
        client.pause_job(name=NAME)
    assert client.resume_job(name=NAME).state == State.ENABLED


def test_a_deleted_job_is_gone_and_its_name_free(client: Client, target: Target) -> None:
    client.create_job(parent=PARENT, job=job(target))
    client.delete_job(name=NAME)
    with pytest.raises(google.NotFound):
        client.get_job(name=NAME)
    client.create_job(parent=PARENT, job=job(target))


@pytest.mark.parametrize("call", ["get_job", "pause_job", "resume_job", "run_job", "delete_job"])
def test_an_unknown_job_is_not_found(client: Client, call: str) -> None:
    with pytest.raises(google.NotFound):
        getattr(client, call)(name=NAME)
    with pytest.raises(google.NotFound):
        client.update_job(job={"name": NAME})

"""The operator's control works through the real client, on the local scheduler."""

import pytest
from google.cloud import scheduler_v1

from common.errors import NotConfigured
from common.scheduler.jobs import SchedulerJob, make_client
from local.scheduler import SchedulerServer
from tests.contract.scheduler.conftest import PARENT, Target, job


@pytest.fixture
def control(
    server: SchedulerServer, client: scheduler_v1.CloudSchedulerClient, target: Target
) -> SchedulerJob:
    created = client.create_job(parent=PARENT, job=job(target))  # type: ignore[arg-type]
    return SchedulerJob(client=client, name=created.name)


def test_a_job_is_paused_and_resumed_and_repeats_do_no_harm(
    control: SchedulerJob, server: SchedulerServer, target: Target
) -> None:
    assert control.read().state == "ENABLED"
    assert [control.pause().state, control.pause().state] == ["PAUSED", "PAUSED"]
    server.advance(180)
    assert target.seen == []
    assert [control.resume().state, control.resume().state] == ["ENABLED", "ENABLED"]
    server.advance(60)
    assert len(target.seen) == 1


def test_a_job_is_called_at_once_paused_or_not(
    control: SchedulerJob, server: SchedulerServer, target: Target
) -> None:
    control.pause()
    control.run()
    server.wait_until_idle()
    assert len(target.seen) == 1
    state = control.read()
    assert (state.state, state.last_attempt_failed) == ("PAUSED", False)
    assert state.last_attempt_time is not None


def test_a_failed_call_is_told(control: SchedulerJob, server: SchedulerServer, target: Target) -> None:
    target.statuses = [500]
    control.run()
    server.wait_until_idle()
    assert control.read().last_attempt_failed


def test_a_missing_job_is_a_matter_of_setting_up(server: SchedulerServer) -> None:
    with make_client(server.address) as client, pytest.raises(NotConfigured, match="jobs/nobody"):
        SchedulerJob(client=client, name=f"{PARENT}/jobs/nobody").read()

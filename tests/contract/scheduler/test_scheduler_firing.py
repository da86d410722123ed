import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from google.cloud import scheduler_v1
from google.cloud.scheduler_v1.services.cloud_scheduler.transports import CloudSchedulerGrpcTransport
from google.protobuf.duration_pb2 import Duration

from local.scheduler import SchedulerServer
from tests.contract.scheduler.conftest import PARENT, PATIENCE_SECONDS, Target, job

Client = Any
"""The real CloudSchedulerClient, whose stubs know no dicts as messages."""
NAME = f"{PARENT}/jobs/dispatcher"
START = datetime(2026, 1, 1, tzinfo=UTC)


def fired_at(target: Target) -> list[str]:
    return [seen.headers["x-cloudscheduler-scheduletime"] for seen in target.seen]


def test_a_job_fires_once_for_each_of_its_times(
    server: SchedulerServer, client: Client, target: Target
) -> None:
    client.create_job(parent=PARENT, job=job(target))
    server.advance(59)
    assert target.seen == []
    server.advance(1)
    assert fired_at(target) == ["2026-01-01T00:01:00Z"]
    server.advance(180)
    assert fired_at(target)[1:] == [f"2026-01-01T00:0{minute}:00Z" for minute in (2, 3, 4)]
    found = client.get_job(name=NAME)
    assert found.last_attempt_time == START + timedelta(minutes=4)
    assert found.schedule_time == START + timedelta(minutes=5)
    assert found.status.code == 0


def test_a_schedule_goes_by_its_time_zone(server: SchedulerServer, client: Client, target: Target) -> None:
    client.create_job(parent=PARENT, job=job(target, schedule="0 9 * * *", time_zone="Asia/Kolkata"))
    server.advance(24 * 3600)
    assert fired_at(target) == ["2026-01-01T03:30:00Z"]


def test_the_request_is_as_asked_for(server: SchedulerServer, client: Client, target: Target) -> None:
    http_target = {
        "uri": f"{target.url}/a/b?c=d",
        "http_method": "PUT",
        "headers": {"X-Mine": "1", "Content-Type": "application/json"},
        "body": b'{"tick": true}',
        "oidc_token": {"service_account_email": "dispatcher@p.iam.gserviceaccount.com"},
    }
    client.create_job(parent=PARENT, job=job(target, http_target=http_target))
    server.advance(60)
    [seen] = target.seen
    assert (seen.method, seen.path, seen.body) == ("PUT", "/a/b?c=d", b'{"tick": true}')
    assert seen.headers["x-mine"] == "1"
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["authorization"] == "Bearer local-oidc"
    assert seen.headers["user-agent"] == "Google-Cloud-Scheduler"
    assert seen.headers["x-cloudscheduler-jobname"] == "dispatcher"


def test_without_a_token_there_is_no_authorization(
    server: SchedulerServer, client: Client, target: Target
) -> None:
    client.create_job(parent=PARENT, job=job(target))
    server.advance(60)
    assert "authorization" not in target.seen[0].headers


def test_a_paused_job_does_not_fire_and_misses_what_it_slept_through(
    server: SchedulerServer, client: Client, target: Target
) -> None:
    client.create_job(parent=PARENT, job=job(target))
    client.pause_job(name=NAME)
    server.advance(150)
    assert target.seen == []
    client.resume_job(name=NAME)
    server.advance(60)
    assert fired_at(target) == ["2026-01-01T00:03:00Z"]


def test_run_job_fires_at_once_even_when_paused(
    server: SchedulerServer, client: Client, target: Target
) -> None:
    client.create_job(parent=PARENT, job=job(target, schedule="0 0 1 1 *"))
    client.pause_job(name=NAME)
    client.run_job(name=NAME)
    server.wait_until_idle()
    assert len(target.seen) == 1
    assert client.get_job(name=NAME).last_attempt_time == START


@pytest.mark.parametrize(
    ("status", "code"),
    [(404, 5), (403, 7), (401, 16), (400, 3), (429, 8), (500, 13), (503, 14), (418, 2), (302, 2)],
)
def test_the_status_says_how_the_target_answered(
    server: SchedulerServer, client: Client, target: Target, status: int, code: int
) -> None:
    target.statuses = [status]
    client.create_job(parent=PARENT, job=job(target))
    server.advance(60)
    assert client.get_job(name=NAME).status.code == code
    server.advance(60)
    assert client.get_job(name=NAME).status.code == 0


def test_a_target_that_is_not_there_is_unavailable(
    server: SchedulerServer, client: Client, target: Target
) -> None:
    client.create_job(parent=PARENT, job=job(target, http_target={"uri": "http://127.0.0.1:9"}))
    server.advance(60)
    assert client.get_job(name=NAME).status.code == grpc.StatusCode.UNAVAILABLE.value[0]


def test_a_failure_is_not_repeated_by_default(
    server: SchedulerServer, client: Client, target: Target
) -> None:
    target.statuses = [500]
    client.create_job(parent=PARENT, job=job(target, schedule="*/10 * * * *"))
    server.advance(19 * 60)
    assert len(target.seen) == 1


def test_a_failed_firing_is_repeated_with_growing_pauses(
    server: SchedulerServer, client: Client, target: Target
) -> None:
    target.statuses = [500, 500, 500]
    retry = {"retry_count": 3, "min_backoff_duration": Duration(seconds=10)}
    client.create_job(parent=PARENT, job=job(target, schedule="*/10 * * * *", retry_config=retry))
    attempts = []
    server.advance(600)
    for _ in range(4):
        found = client.get_job(name=NAME)
        attempts.append((found.last_attempt_time - START).total_seconds())
        server.advance((found.schedule_time - START).total_seconds() - attempts[-1])
    assert attempts == [600, 610, 630, 670]
    assert fired_at(target)[:4] == ["2026-01-01T00:10:00Z"] * 4


def test_repeats_end_at_the_next_firing(server: SchedulerServer, client: Client, target: Target) -> None:
    target.statuses = [500] * 10
    retry = {"retry_count": 5, "min_backoff_duration": Duration(seconds=25)}
    client.create_job(parent=PARENT, job=job(target, retry_config=retry))
    server.advance(119)
    assert fired_at(target) == ["2026-01-01T00:01:00Z"] * 2


class RealTime:
    """A scheduler that goes by the machine's clock, and the client for it."""

    def __init__(self) -> None:
        self.server = SchedulerServer()
        transport = CloudSchedulerGrpcTransport(channel=grpc.insecure_channel(self.server.start()))
        self.client: Client = scheduler_v1.CloudSchedulerClient(transport=transport)

    def stop(self) -> None:
        self.client.transport.close()
        self.server.stop()


def until(condition: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    assert condition()


def test_by_the_machines_clock_a_job_fires_at_its_time(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    def soon(schedule: str, time_zone: str, after: datetime) -> datetime:
        return after + timedelta(seconds=0.2)

    real = RealTime()
    monkeypatch.setattr("local.scheduler.timetable.next_fire", soon)
    try:
        real.client.create_job(parent=PARENT, job=job(target))
        until(lambda: len(target.seen) >= 3)
    finally:
        real.stop()
    moments = [datetime.fromisoformat(moment) for moment in fired_at(target)]
    assert moments[1] - moments[0] == timedelta(seconds=0.2)


def test_a_firing_waits_for_the_one_before(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "local.scheduler.timetable.next_fire", lambda _, __, after: after + timedelta(seconds=0.1)
    )
    monkeypatch.setattr("local.scheduler.timetable.last_fire", lambda _, __, until: until)
    target.may_answer.clear()
    real = RealTime()
    try:
        real.client.create_job(parent=PARENT, job=job(target))
        until(lambda: len(target.seen) == 1)
        time.sleep(0.35)
        assert len(target.seen) == 1
        target.may_answer.set()
        until(lambda: len(target.seen) >= 2)
    finally:
        real.stop()


def test_stop_cuts_off_a_request_under_way_and_leaves_no_thread(target: Target) -> None:
    before = set(threading.enumerate())
    target.may_answer.clear()
    real = RealTime()
    real.client.create_job(parent=PARENT, job=job(target, schedule="0 0 1 1 *"))
    real.client.run_job(name=NAME)
    until(lambda: len(target.seen) == 1)
    real.stop()
    assert not target.answered
    left = {thread for thread in threading.enumerate() if thread.name.startswith("scheduler")}
    assert left <= before


def test_a_taken_port_is_an_error(server: SchedulerServer) -> None:
    host, _, port = server.address.partition(":")
    second = SchedulerServer(host, int(port))
    with pytest.raises(OSError, match="is the port taken"):
        second.start()
    second.stop()


def test_only_a_manual_clock_can_be_advanced() -> None:
    with SchedulerServer() as real, pytest.raises(RuntimeError):
        real.advance(60)

"""The dispatcher's job in Cloud Scheduler (`common.dispatcher.control.DispatcherJob`)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import grpc
from google.api_core import exceptions as google
from google.cloud import scheduler_v1
from google.cloud.scheduler_v1.services.cloud_scheduler.transports import CloudSchedulerGrpcTransport

from common.dispatcher.control import JobState
from common.errors import NotConfigured, Unavailable

PATIENCE_SECONDS = 10.0


def make_client(emulator_host: str = "") -> scheduler_v1.CloudSchedulerClient:
    """Make a client; with `emulator_host` (`host:port`) it speaks to that server, without credentials."""
    if not emulator_host:
        return scheduler_v1.CloudSchedulerClient()
    channel = grpc.insecure_channel(emulator_host)
    return scheduler_v1.CloudSchedulerClient(transport=CloudSchedulerGrpcTransport(channel=channel))


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerJob:
    """One job, by its full name `projects/…/locations/…/jobs/…`."""

    client: scheduler_v1.CloudSchedulerClient
    name: str

    def read(self) -> JobState:
        """Return what the job is doing."""
        return self._call(self.client.get_job)

    def pause(self) -> JobState:
        """Let the job call nobody until it is resumed; a repeat does no harm."""
        return self._become(self.client.pause_job)

    def resume(self) -> JobState:
        """Let the job go on; a repeat does no harm."""
        return self._become(self.client.resume_job)

    def run(self) -> JobState:
        """Have the job call now, paused or not."""
        return self._call(self.client.run_job)

    def _become(self, method: Callable[..., Any]) -> JobState:
        with suppress(google.FailedPrecondition):  # The job is in that state already.
            return self._call(method)
        return self.read()

    def _call(self, method: Callable[..., Any]) -> JobState:
        with _translated(self.name):
            return _state(method(name=self.name, timeout=PATIENCE_SECONDS))


@contextmanager
def _translated(name: str) -> Iterator[None]:
    try:
        yield
    except google.FailedPrecondition:
        raise
    except google.NotFound as error:
        raise NotConfigured(f"Cloud Scheduler has no job {name}") from error
    except (google.GoogleAPICallError, google.RetryError) as error:
        raise Unavailable(f"Cloud Scheduler did not answer: {type(error).__name__}") from error


def _state(job: scheduler_v1.Job) -> JobState:
    return JobState(
        name=job.name,
        state=job.state.name,
        schedule=job.schedule,
        time_zone=job.time_zone,
        next_run_time=_moment(job.schedule_time),
        last_attempt_time=_moment(job.last_attempt_time),
        last_attempt_failed=bool(job.status.code) if job.last_attempt_time else None,
    )


def _moment(time: Any) -> datetime | None:
    return datetime.fromtimestamp(time.timestamp(), UTC) if time and time.timestamp() > 0 else None

"""What the platform uses of google.cloud.scheduler.v1.CloudScheduler; the rest is refused."""

from collections.abc import Callable, Mapping
from typing import Any

from google.cloud import scheduler_v1

from local.rpc import Handler, raw, unary
from local.scheduler.clocks import Clock
from local.scheduler.definitions import Job, complete
from local.scheduler.timetable import ENABLED, PAUSED, Timetable

SERVICE = "google.cloud.scheduler.v1.CloudScheduler"


class Service:
    """Each method takes its raw request and returns its raw response."""

    def __init__(self, timetable: Timetable, clock: Clock, run: Callable[[str], Job]) -> None:
        self._timetable = timetable
        self._clock = clock
        self._run = run

    def create_job(self, request: Any) -> Job:
        """Take a new job."""
        job = complete(request.parent, request.job, self._clock.now())
        job.user_update_time.FromDatetime(self._clock.now())
        return self._timetable.add(job)

    def get_job(self, request: Any) -> Job:
        """Return a job."""
        return self._timetable.get(request.name)

    def pause_job(self, request: Any) -> Job:
        """Let a job fire no more until it is resumed."""
        return self._timetable.switch(request.name, ENABLED, PAUSED)

    def resume_job(self, request: Any) -> Job:
        """Let a paused job fire again, from its next time on."""
        return self._timetable.switch(request.name, PAUSED, ENABLED)

    def run_job(self, request: Any) -> Job:
        """Run a job now, paused or not; the answer does not wait for the target's."""
        return self._run(request.name)


def methods(service: Service) -> Mapping[str, Handler]:
    """Bind all methods that are served."""
    return {
        "CreateJob": unary(raw(scheduler_v1.CreateJobRequest), service.create_job),
        "GetJob": unary(raw(scheduler_v1.GetJobRequest), service.get_job),
        "PauseJob": unary(raw(scheduler_v1.PauseJobRequest), service.pause_job),
        "ResumeJob": unary(raw(scheduler_v1.ResumeJobRequest), service.resume_job),
        "RunJob": unary(raw(scheduler_v1.RunJobRequest), service.run_job),
    }

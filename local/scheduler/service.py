"""The methods of google.cloud.scheduler.v1.CloudScheduler, without generated code."""

from collections.abc import Callable
from typing import Any

import grpc
from google.cloud import scheduler_v1
from google.protobuf.empty_pb2 import Empty

from local.scheduler.clocks import Clock
from local.scheduler.definitions import Job, complete, updated
from local.scheduler.refusals import InvalidArgument, Refusal
from local.scheduler.timetable import ENABLED, PAUSED, Timetable

type Handler = grpc.RpcMethodHandler[Any, Any]

SERVICE = "google.cloud.scheduler.v1.CloudScheduler"
MAX_PAGE = 500


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

    def list_jobs(self, request: Any) -> Any:
        """Return one page of a location's jobs."""
        jobs = self._timetable.jobs_of(request.parent)
        if not request.page_token.isdecimal() and request.page_token:
            raise InvalidArgument("page_token is none of ours")
        start = int(request.page_token or 0)
        end = start + min(request.page_size or MAX_PAGE, MAX_PAGE)
        return LIST_RESPONSE(jobs=jobs[start:end], next_page_token=str(end) if end < len(jobs) else "")

    def update_job(self, request: Any) -> Job:
        """Change the definition of a job; its state stays."""
        now = self._clock.now()

        def change(job: Job) -> Job:
            changed = updated(job, request.job, list(request.update_mask.paths), now)
            changed.user_update_time.FromDatetime(now)
            return changed

        return self._timetable.change(request.job.name, change)

    def pause_job(self, request: Any) -> Job:
        """Let a job fire no more until it is resumed."""
        return self._timetable.switch(request.name, ENABLED, PAUSED)

    def resume_job(self, request: Any) -> Job:
        """Let a paused job fire again, from its next time on."""
        return self._timetable.switch(request.name, PAUSED, ENABLED)

    def run_job(self, request: Any) -> Job:
        """Run a job now, paused or not; the answer does not wait for the target's."""
        return self._run(request.name)

    def delete_job(self, request: Any) -> Empty:
        """Forget a job."""
        self._timetable.remove(request.name)
        return Empty()


def handlers(service: Service) -> grpc.GenericRpcHandler:
    """Bind the methods to a gRPC server."""
    return grpc.method_handlers_generic_handler(
        SERVICE,
        {
            "CreateJob": _unary(scheduler_v1.CreateJobRequest, service.create_job),
            "GetJob": _unary(scheduler_v1.GetJobRequest, service.get_job),
            "ListJobs": _unary(scheduler_v1.ListJobsRequest, service.list_jobs),
            "UpdateJob": _unary(scheduler_v1.UpdateJobRequest, service.update_job),
            "PauseJob": _unary(scheduler_v1.PauseJobRequest, service.pause_job),
            "ResumeJob": _unary(scheduler_v1.ResumeJobRequest, service.resume_job),
            "RunJob": _unary(scheduler_v1.RunJobRequest, service.run_job),
            "DeleteJob": _unary(scheduler_v1.DeleteJobRequest, service.delete_job),
        },
    )


def _raw(message: Any) -> Any:
    return type(message.pb(message()))


LIST_RESPONSE = _raw(scheduler_v1.ListJobsResponse)


def _unary(request: Any, function: Callable[[Any], Any]) -> Handler:
    def serve(message: Any, context: grpc.ServicerContext) -> Any:
        try:
            return function(message)
        except Refusal as refusal:
            context.abort(refusal.code, str(refusal))

    return grpc.unary_unary_rpc_method_handler(
        serve, _raw(request).FromString, lambda response: response.SerializeToString()
    )

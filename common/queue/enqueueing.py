"""Requests for runs that may wait: over the concurrent limit they join the queue."""

from dataclasses import dataclass

from common.errors import Conflict, NotFound
from common.queue.run_queue import RunQueue
from common.queue.waiting import WaitingRun
from common.runs.beginning import ReadyRun
from common.runs.ports import AdmissionFacts
from common.runs.run import RunStatus
from common.runs.starting import RunRequest, StartedRun
from common.times import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueingRequests:
    """`common.runs.starting.RunEnqueuer`."""

    queue: RunQueue
    clock: Clock

    def enqueue_run(self, request: RunRequest, ready: ReadyRun, facts: AdmissionFacts) -> StartedRun:
        """Put the run into the queue, or return what has become of the one under this idempotency key."""
        if facts.config is None:
            raise NotFound("there is no such pipeline config")
        now = self.clock()
        stored = self.queue.enqueue(
            WaitingRun(
                tenant_id=request.tenant_id,
                run_id=ready.run_id,
                config_id=request.config_id,
                config_version=facts.config.version,
                priority=facts.config.priority,
                due_at=now,
                added_at=now,
                run_date=ready.run_date,
                interval=ready.interval,
                trigger=request.trigger,
                parameters=request.parameters,
                request_hash=request.content_hash,
                left_out=ready.pipeline.left_out,
                traceparent=request.traceparent,
            )
        )
        if stored.run.request_hash != request.content_hash:
            raise Conflict("this idempotency key has been used for another request")
        is_repeat = stored.run.started_at != now or stored.status is not RunStatus.QUEUED
        return StartedRun(run=stored.run, status=stored.status, is_repeat=is_repeat)

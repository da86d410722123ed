"""Time on purpose: each request and each job takes longer than on this machine, as in the cloud."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

from local_bigquery.jobs import runner
from local_bigquery.models import Job

from local.bigquery.answers import Answer
from local.bigquery.calls import Call
from local.bigquery.proxy import Forward

SLICE_SECONDS = 0.02
"""How soon a job that waits notices that it was cancelled."""
SUBMIT_WAIT_MS = runner.SUBMIT_WAIT_MS


class Latency:
    """Adds `request_seconds` to each request and `job_seconds` to each job; nothing at the start.

    With a `job_id_prefix`, only jobs take longer whose IDs begin with it. Jobs wait beside each other, and
    take turns on the engine's threads afterwards. One that is slow is not waited for by who starts it:
    `jobs.insert` answers while it is pending.
    """

    def __init__(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self.request_seconds = 0.0
        self._sleep = sleep

    @property
    def job_seconds(self) -> float:
        """What each job takes longer."""
        return _JOBS.seconds

    @job_seconds.setter
    def job_seconds(self, seconds: float) -> None:
        _JOBS.seconds = seconds
        runner.SUBMIT_WAIT_MS = 0 if seconds else SUBMIT_WAIT_MS

    @property
    def job_id_prefix(self) -> str:
        """Which jobs take longer, by how their IDs begin."""
        return _JOBS.id_prefix

    @job_id_prefix.setter
    def job_id_prefix(self, prefix: str) -> None:
        _JOBS.id_prefix = prefix

    async def handle(self, call: Call, forward: Forward) -> Answer:
        """Pass the call on, late."""
        if self.request_seconds:
            await self._sleep(self.request_seconds)
        return await forward(call)

    def reset(self) -> None:
        """Be as quick as this machine."""
        self.request_seconds, self.job_seconds, self.job_id_prefix = 0.0, 0.0, ""


class _Jobs:
    seconds = 0.0
    id_prefix = ""

    def seconds_of(self, job: Job) -> float:
        return self.seconds if job.jobReference.jobId.startswith(self.id_prefix) else 0.0


_JOBS = _Jobs()


def late(execute: Callable[..., None], threads: int) -> Callable[..., None]:
    """Have a job wait before it is carried out, as one of `threads`; a cancelled one goes on at once."""
    turns = threading.BoundedSemaphore(threads)

    def execute_late(job: Job, job_type: str, session: Any, running: runner.Running, *more: Any) -> None:
        due = time.monotonic() + _JOBS.seconds_of(job)
        while not running.cancelled and (left := due - time.monotonic()) > 0:
            time.sleep(min(SLICE_SECONDS, left))
        with turns:
            execute(job, job_type, session, running, *more)

    return execute_late

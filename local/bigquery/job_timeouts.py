"""jobTimeoutMs: a job that runs for longer is stopped."""

import asyncio

from local.bigquery import jobs
from local.bigquery.answers import Answer
from local.bigquery.calls import Call
from local.bigquery.proxy import Forward


class JobTimeouts:
    """Stop each job when its own time is up; it counts from the moment in which the job is asked for."""

    def __init__(self) -> None:
        self._timers: set[asyncio.Task[None]] = set()

    async def handle(self, call: Call, forward: Forward) -> Answer:
        """Pass the call on, with a timer for its job."""
        seconds = int(call.job_configuration.get("jobTimeoutMs") or 0) / 1000
        if seconds and call.starts_job and call.job_id:
            timer = asyncio.create_task(_expire((call.project, call.job_id), seconds))
            self._timers.add(timer)
            timer.add_done_callback(self._timers.discard)
        return await forward(call)

    def reset(self) -> None:
        """Let go of all timers."""
        for timer in self._timers:
            timer.cancel()


async def _expire(key: jobs.JobKey, seconds: float) -> None:
    await asyncio.sleep(seconds)
    await asyncio.to_thread(jobs.time_out, key, seconds)

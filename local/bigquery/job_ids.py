"""Job IDs that can be used once, exactly: the lock that the platform stands on."""

import asyncio
from weakref import WeakValueDictionary

from local.bigquery.answers import Answer, error_answer
from local.bigquery.calls import Call
from local.bigquery.proxy import Forward


class JobIds:
    """Let only one request at a time start the job of an ID.

    `local_bigquery` looks whether a job ID is used and then stores the job, in two steps: two requests
    between them both run. Behind this layer the second request comes after the first one's job is stored,
    and gets 409. BigQuery tells of jobs for 180 days, and nothing says that their IDs are free then:
    `forgotten` are IDs that are taken, of jobs that are gone.
    """

    def __init__(self) -> None:
        self.forgotten: set[tuple[str, str]] = set()
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def handle(self, call: Call, forward: Forward) -> Answer:
        """Pass the call on when no other one of the same job ID is on its way."""
        if (call.project, call.job_id) in self.forgotten:
            return _answer_of_forgotten(call)
        if not (call.starts_job and call.job_id):
            return await forward(call)
        lock = self._locks.setdefault((call.project, call.job_id), asyncio.Lock())
        async with lock:
            return await forward(call)

    def reset(self) -> None:
        """Keep the locks: each lives as long as a request that holds or awaits it."""
        self.forgotten.clear()


def _answer_of_forgotten(call: Call) -> Answer:
    name = f"{call.project}:{call.job_id}"
    if call.starts_job:
        return error_answer("duplicate", f"Already Exists: Job {name}")
    return error_answer("notFound", f"Not found: Job {name}")

"""Job IDs that can be used once, exactly: the lock that the platform stands on."""

import asyncio
from weakref import WeakValueDictionary

from local.bigquery.answers import Answer
from local.bigquery.calls import Call
from local.bigquery.proxy import Forward


class JobIds:
    """Let only one request at a time start the job of an ID.

    `local_bigquery` looks whether a job ID is used and then stores the job, in two steps: two requests
    between them both run. Behind this layer the second request comes after the first one's job is stored,
    and gets 409.
    """

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def handle(self, call: Call, forward: Forward) -> Answer:
        """Pass the call on when no other one of the same job ID is on its way."""
        if not (call.starts_job and call.job_id):
            return await forward(call)
        lock = self._locks.setdefault((call.project, call.job_id), asyncio.Lock())
        async with lock:
            return await forward(call)

    def reset(self) -> None:
        """Keep the locks: each lives as long as a request that holds or awaits it."""

"""Chores off the request path that keep the embedded BigQuery as quick after 10,000 jobs as after ten."""

import asyncio
import time
from collections import deque
from typing import Protocol

from local.bigquery import jobs
from local.bigquery.answers import Answer
from local.bigquery.calls import Call
from local.bigquery.gate import Gate
from local.bigquery.jobs import JobKey
from local.bigquery.proxy import Forward


class Files(Protocol):
    """The data files of all tables."""

    def merge_files(self) -> None:
        """Merge small files into larger ones."""


class Housekeeping:
    """Drop the result tables of old query jobs, and merge the small files that streamed rows leave.

    Each query job leaves its rows in a table of its own: the newest `keep_results` stay, unless older
    than `keep_seconds`; one younger than `grace_seconds` always stays, because its client may not have
    read it yet. Only the rows go: a job's ID stays used, and `jobs.get` answers on.

    Each insertAll leaves a file. After `merge_after_writes` writes they are merged, in a moment without
    running jobs, because a merge makes a concurrent UPDATE fail. New jobs wait for such a moment, and it
    is given up after `merge_wait_seconds`.
    """

    def __init__(
        self,
        *,
        keep_results: int = 50,
        keep_seconds: float = 600.0,
        grace_seconds: float = 10.0,
        merge_after_writes: int = 200,
        merge_wait_seconds: float = 1.0,
        pause_seconds: float = 5.0,
    ) -> None:
        self._keep_results = keep_results
        self._keep_seconds = keep_seconds
        self._grace_seconds = grace_seconds
        self._merge_after_writes = merge_after_writes
        self._merge_wait_seconds = merge_wait_seconds
        self._pause_seconds = pause_seconds
        self._results: deque[tuple[float, JobKey]] = deque()
        self._writes = 0
        self._jobs_gate = Gate()

    async def handle(self, call: Call, forward: Forward) -> Answer:
        """Pass the call on, and note what it leaves behind."""
        if call.method == "tabledata.insertAll":
            self._writes += 1
        if not call.starts_job:
            return await forward(call)
        async with self._jobs_gate.passing():
            answer = await forward(call)
        if answer.is_success:
            self._writes += 1
            self.note(time.time(), (call.project, call.job_id))
        return answer

    def note(self, created: float, key: JobKey) -> None:
        """Remember that a job started at `created` (seconds since 1970) leaves a result."""
        self._results.append((created, key))

    def recall(self) -> None:
        """Remember the results that an earlier process left."""
        self._results.extend(jobs.results())

    def reset(self) -> None:
        """Forget what the wiped jobs left."""
        self._results.clear()
        self._writes = 0

    async def run(self, files: Files) -> None:
        """Do the chores until cancelled."""
        while True:
            await asyncio.sleep(self._pause_seconds)
            await self.tidy(files)

    async def tidy(self, files: Files) -> None:
        """Do what is due now."""
        for key in self.take_due(time.time()):
            await asyncio.to_thread(jobs.drop_result, key)
        if self._writes >= self._merge_after_writes:
            await self._merge(files)

    def take_due(self, now: float) -> list[JobKey]:
        """Return the jobs whose results are due to go at `now`, and forget them."""
        due: list[JobKey] = []
        while self._results:
            created, key = self._results[0]
            age = now - created
            surplus = len(self._results) > self._keep_results and age > self._grace_seconds
            if not (surplus or age > self._keep_seconds) or jobs.running(key):
                break
            self._results.popleft()
            due.append(key)
        return due

    async def _merge(self, files: Files) -> None:
        try:
            async with asyncio.timeout(self._merge_wait_seconds) as wait, self._jobs_gate.alone():
                wait.reschedule(None)
                if not jobs.any_running():
                    self._writes = 0
                    await asyncio.to_thread(files.merge_files)
        except TimeoutError:
            return

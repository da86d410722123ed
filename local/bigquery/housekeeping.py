"""Chores off the request path that keep the embedded BigQuery as quick after 10,000 jobs as after ten."""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from local.bigquery import jobs
from local.bigquery.answers import Answer
from local.bigquery.calls import Call
from local.bigquery.proxy import Forward, Gate
from local.bigquery.results import Results


class Files(Protocol):
    """The data files of all tables."""

    def merge_files(self) -> None:
        """Merge small files into larger ones."""


class Housekeeping:
    """Drop the result tables of old query jobs, and merge the small files that streamed rows leave.

    Each query job leaves its rows in a table of its own. Those that were read stay while they are among the
    newest `keep_results`, and for `grace_seconds` at least; those that were not stay for `keep_seconds`
    after their client was heard of. Only the rows go: a job's ID stays used, and `jobs.get` answers on.

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
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.results = Results(
            keep=keep_results, keep_seconds=keep_seconds, grace_seconds=grace_seconds, clock=clock
        )
        self._merge_after_writes = merge_after_writes
        self._merge_wait_seconds = merge_wait_seconds
        self._pause_seconds = pause_seconds
        self._writes = 0
        self._jobs_gate = Gate()

    async def handle(self, call: Call, forward: Forward) -> Answer:
        """Pass the call on, and note what it leaves behind."""
        if call.method == "tabledata.insertAll":
            self._writes += 1
        with self.results.used_by(call):
            answer = await (self._start(call, forward) if call.starts_job else forward(call))
        self.results.note(call, answer)
        return answer

    def recall(self) -> None:
        """Remember the results that an earlier process left."""
        self.results.recall()

    def reset(self) -> None:
        """Forget what the wiped jobs left."""
        self.results.clear()
        self._writes = 0

    async def run(self, files: Files) -> None:
        """Do the chores until cancelled."""
        while True:
            await asyncio.sleep(self._pause_seconds)
            await self.tidy(files)

    async def tidy(self, files: Files) -> None:
        """Do what is due now."""
        for key in self.results.take_due():
            await asyncio.to_thread(jobs.drop_result, key)
        if self._writes >= self._merge_after_writes:
            await self._merge(files)

    async def _start(self, call: Call, forward: Forward) -> Answer:
        async with self._jobs_gate.passing():
            answer = await forward(call)
        self._writes += answer.is_success
        return answer

    async def _merge(self, files: Files) -> None:
        try:
            async with asyncio.timeout(self._merge_wait_seconds) as wait, self._jobs_gate.alone():
                wait.reschedule(None)
                if not jobs.any_running():
                    self._writes = 0
                    await asyncio.to_thread(files.merge_files)
        except TimeoutError:
            return

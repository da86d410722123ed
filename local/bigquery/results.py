"""The rows that query jobs leave, each in a table of its own: which of them nobody needs any more."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from local_bigquery.catalog.tables import RESULTS

from local.bigquery import jobs
from local.bigquery.answers import Answer
from local.bigquery.calls import Call
from local.bigquery.jobs import JobKey

READS = ("jobs.query", "jobs.getQueryResults", "tabledata.list")


@dataclass(slots=True)
class Result:
    """What is known of one result; `touched_at` is the last moment at which its client was heard of."""

    touched_at: float
    calls: int = 0
    is_read: bool = False


class Results:
    """Results by job, in the order in which their jobs started.

    A result that was read to its end goes when it is not among the newest `keep`, and `grace_seconds` after
    the last read. One that was not goes when nobody has asked for it for `keep_seconds`: a client on a busy
    machine may come late, and must find its rows.
    """

    def __init__(
        self, *, keep: int, keep_seconds: float, grace_seconds: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._keep = keep
        self._keep_seconds = keep_seconds
        self._grace_seconds = grace_seconds
        self._clock = clock
        self._results: dict[JobKey, Result] = {}

    @contextmanager
    def used_by(self, call: Call) -> Iterator[None]:
        """Keep the result that a call is about while the call is under way."""
        result = self._results.get(_job_of(call))
        if result is None:
            yield
            return
        result.calls += 1
        try:
            yield
        finally:
            result.calls -= 1
            result.touched_at = self._clock()

    def note(self, call: Call, answer: Answer) -> None:
        """Note what an answer starts, or gives to its end."""
        if not answer.is_success:
            return
        if _leaves_rows(call):
            reference = answer.resource["jobReference"]
            self._results[reference["projectId"], reference["jobId"]] = Result(self._clock())
        result = self._results.get(_job_of(call))
        if result and call.method in READS and _is_last_page(call, answer):
            result.is_read = True

    def recall(self) -> None:
        """Remember the results that an earlier process left."""
        self._results |= {key: Result(created) for created, key in jobs.results()}

    def clear(self) -> None:
        """Forget all results."""
        self._results.clear()

    def take_due(self) -> list[JobKey]:
        """Return the jobs whose results nobody needs any more, and forget them."""
        now, surplus = self._clock(), len(self._results) - self._keep
        due = [
            key
            for number, (key, result) in enumerate(self._results.items())
            if self._is_due(result, now, is_surplus=number < surplus) and not jobs.running(key)
        ]
        for key in due:
            del self._results[key]
        return due

    def _is_due(self, result: Result, now: float, *, is_surplus: bool) -> bool:
        age = now - result.touched_at
        is_useless = result.is_read and is_surplus and age > self._grace_seconds
        return not result.calls and (is_useless or age > self._keep_seconds)


def _job_of(call: Call) -> JobKey:
    """Return the job that a call starts, asks about, or reads the result of."""
    project, dataset, table = call.table
    return project, table if dataset == RESULTS else call.job_id


def _leaves_rows(call: Call) -> bool:
    """Tell whether a call starts a query whose rows go nowhere else."""
    query = call.job_configuration.get("query")
    return call.starts_job and query is not None and "destinationTable" not in query


def _is_last_page(call: Call, answer: Answer) -> bool:
    page = answer.resource
    is_complete = page.get("jobComplete", call.method == "tabledata.list")
    return bool(is_complete) and "pageToken" not in page and not _asks_for_no_rows(call)


def _asks_for_no_rows(call: Call) -> bool:
    """Tell whether a call only waits for the end: the client then reads with another one."""
    return str(call.query.get("maxResults", call.resource.get("maxResults", ""))) == "0"

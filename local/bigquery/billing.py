"""Bytes processed and billed: BigQuery's rules applied to the sizes of the tables that a job names."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from local.bigquery import tables
from local.bigquery.answers import Answer
from local.bigquery.calls import Call
from local.bigquery.failed_jobs import fail_job
from local.bigquery.jobs import JobKey
from local.bigquery.proxy import Forward
from local.bigquery.statements import Statement, Table, statements_in, statements_of

MEGABYTE = 1024 * 1024
LEAST_BILLED = 10 * MEGABYTE
REMEMBERED_JOBS = 10_000
JOB_ANSWERS = ("jobs.insert", "jobs.get", "jobs.cancel")
RESULT_ANSWERS = ("jobs.query", "jobs.getQueryResults")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bytes:
    """What a job processes, and what of that is billed."""

    processed: int = 0
    billed: int = 0


def price(sizes: Iterable[int]) -> Bytes:
    """Add up the tables of a query: each is billed by the full megabyte, and for ten of them at least."""
    sizes = list(sizes)
    megabytes = [max(LEAST_BILLED, -(-size // MEGABYTE) * MEGABYTE) for size in sizes]
    return Bytes(processed=sum(sizes), billed=sum(megabytes))


class Billing:
    """Give jobs and dry runs their bytes; refuse a job that would bill more than `maximumBytesBilled`.

    The whole of each table counts, whatever columns and partitions are read: an upper bound, as
    BigQuery's own.
    """

    def __init__(self) -> None:
        self._bytes: OrderedDict[JobKey, Bytes] = OrderedDict()
        self.billed_bytes = 0
        """What all jobs since the start or the last reset are billed."""

    async def handle(self, call: Call, forward: Forward) -> Answer:
        """Price the job that the call starts, and put the prices into answers about jobs."""
        configuration = call.job_configuration
        if configuration.get("query"):
            asked = await _asked(statements_of(call))
            limit = int(configuration["query"].get("maximumBytesBilled") or 0)
            if call.starts_job and 0 < limit < asked.billed:
                return await fail_job(
                    call,
                    "bytesBilledLimitExceeded",
                    f"Query exceeded limit for bytes billed: {limit}. {asked.billed} or higher required.",
                )
            if call.is_dry_run:
                return _with_estimate(await forward(call), asked.processed)
            self._remember((call.project, call.job_id), asked)
        answer = await forward(call)
        return await self._with_bytes(call, answer)

    def reset(self) -> None:
        """Forget the jobs that were wiped."""
        self._bytes.clear()
        self.billed_bytes = 0

    def _remember(self, key: JobKey, asked: Bytes) -> None:
        if key not in self._bytes:  # A used ID comes again: the first job counts.
            self._bytes[key] = asked
            self.billed_bytes += asked.billed
        if len(self._bytes) > REMEMBERED_JOBS:
            self._bytes.popitem(last=False)

    async def _with_bytes(self, call: Call, answer: Answer) -> Answer:
        if not answer.is_success or call.method not in JOB_ANSWERS + RESULT_ANSWERS:
            return answer
        resource = answer.resource
        if call.method in JOB_ANSWERS:
            job = resource.get("job", resource)
            used = await self._used(call, job.get("configuration", {}).get("query") or {})
            changed = _is_billed(job) and _put_into_job(job, used)
        else:
            used = await self._used(call, {})
            changed = bool(resource.get("jobComplete")) and _put_into_result(resource, used)
        return answer.with_resource(resource) if changed else answer

    async def _used(self, call: Call, query: dict[str, Any]) -> Bytes:
        known = self._bytes.get((call.project, call.job_id))
        if known is None and query:  # Started before this process: today's sizes are the best guess.
            return await _asked(statements_in(query, call.project))
        return known or Bytes()


async def _asked(statements: Iterable[Statement]) -> Bytes:
    sources: frozenset[Table] = frozenset().union(*(statement.sources for statement in statements))
    return await asyncio.to_thread(_estimate, sources) if sources else Bytes()


def _estimate(sources: frozenset[Table]) -> Bytes:
    return price(tables.size_bytes(table) for table in tables.below(sources))


def _is_billed(job: dict[str, Any]) -> bool:
    status = job.get("status", {})
    return status.get("state") == "DONE" and "errorResult" not in status


def _put_into_job(job: dict[str, Any], used: Bytes) -> bool:
    if not used.billed or "query" not in job.get("statistics", {}):
        return False
    job["statistics"]["totalBytesProcessed"] = str(used.processed)
    job["statistics"]["query"] |= {
        "totalBytesProcessed": str(used.processed),
        "totalBytesBilled": str(used.billed),
    }
    return True


def _put_into_result(result: dict[str, Any], used: Bytes) -> bool:
    result["totalBytesProcessed"] = str(used.processed)
    if "totalBytesBilled" in result:
        result["totalBytesBilled"] = str(used.billed)
    return bool(used.billed)


def _with_estimate(answer: Answer, processed: int) -> Answer:
    if not answer.is_success:
        return answer
    resource = answer.resource
    if "statistics" in resource:  # jobs.insert
        resource["statistics"]["totalBytesProcessed"] = str(processed)
        resource["statistics"]["query"]["totalBytesProcessed"] = str(processed)
    else:
        resource["totalBytesProcessed"] = str(processed)
    return answer.with_resource(resource)

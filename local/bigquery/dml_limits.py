"""BigQuery's limits on DML: two mutating statements per table at once, twenty queued; and on INSERT."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime

from local.bigquery import jobs
from local.bigquery.answers import MORE_ABOUT_QUOTAS, Answer
from local.bigquery.calls import Call
from local.bigquery.concurrency_limits import ConcurrencyLimit
from local.bigquery.failed_jobs import fail_job
from local.bigquery.proxy import Forward
from local.bigquery.statements import MUTATIONS, Kind, Table, statements_of
from local.bigquery.switch import Switch

MUTATIONS_RUNNING, MUTATIONS_QUEUED = 2, 20
FREE_INSERTS_PER_DAY = 1500
INSERTS_RUNNING, INSERTS_QUEUED = 10, 100


class DmlLimits:
    """Let DML jobs wait for their turn on a table, and fail those for which the queue has no room.

    A job that waits is not there yet for jobs.get: its jobs.insert is answered when it starts. Statements
    of a script count for themselves, and a script waits for all its tables.
    """

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._mutations: defaultdict[Table, ConcurrencyLimit] = defaultdict(
            lambda: ConcurrencyLimit(MUTATIONS_RUNNING, MUTATIONS_QUEUED)
        )
        self._inserts: defaultdict[Table, ConcurrencyLimit] = defaultdict(
            lambda: ConcurrencyLimit(INSERTS_RUNNING, INSERTS_QUEUED)
        )
        self._insert_counts: Counter[tuple[str, Table]] = Counter()
        self._leaving: set[asyncio.Task[None]] = set()

    async def handle(self, call: Call, forward: Forward) -> Answer:
        """Pass a job on when there is room for its DML."""
        if not (self._switch.is_on and call.starts_job):
            return await forward(call)
        mutated, inserted = _targets(call, MUTATIONS), self._limited_inserts(_targets(call, {Kind.INSERT}))
        for table in mutated:
            if self._mutations[table].is_full:
                return await fail_job(call, "resourcesExceeded", _too_many_mutations(table))
        if any(self._inserts[table].is_full for table in inserted):
            return await fail_job(call, "rateLimitExceeded", TOO_MANY_INSERTS)
        all_admissions = [self._mutations[table] for table in mutated] + [
            self._inserts[table] for table in inserted
        ]
        return await self._run(call, forward, all_admissions)

    def reset(self) -> None:
        """Forget the wiped tables."""
        self._mutations.clear()
        self._inserts.clear()
        self._insert_counts.clear()

    def _limited_inserts(self, tables: Sequence[Table]) -> list[Table]:
        today = datetime.now(UTC).date().isoformat()
        limited = []
        for table in tables:
            self._insert_counts[today, table] += 1
            if self._insert_counts[today, table] > FREE_INSERTS_PER_DAY:
                limited.append(table)
        return limited

    async def _run(self, call: Call, forward: Forward, all_admissions: Sequence[ConcurrencyLimit]) -> Answer:
        for tenant_admissions in all_admissions:
            await tenant_admissions.enter()
        try:
            return await forward(call)
        finally:
            leaving = asyncio.create_task(_leave_after((call.project, call.job_id), all_admissions))
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)


async def _leave_after(key: jobs.JobKey, all_admissions: Sequence[ConcurrencyLimit]) -> None:
    if future := jobs.running(key):
        await asyncio.wrap_future(future)
    for tenant_admissions in all_admissions:
        tenant_admissions.leave()


def _targets(call: Call, kinds: set[Kind] | frozenset[Kind]) -> list[Table]:
    """Return the tables that the job changes by statements of `kinds`, in one order for all jobs."""
    found = {statement.target for statement in statements_of(call) if statement.kind in kinds}
    return sorted(table for table in found if table)


def _too_many_mutations(table: Table) -> str:
    project, dataset, name = table
    return (
        "Resources exceeded during query execution: Too many DML statements outstanding against table "
        f"{project}:{dataset}.{name}, limit is {MUTATIONS_QUEUED}."
    )


TOO_MANY_INSERTS = (
    f"Exceeded rate limits: too many table dml insert operations for this table. {MORE_ABOUT_QUOTAS}"
)

"""BigQuery's limits on DML: two mutating statements per table at once, twenty queued; INSERT; fresh rows."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime

from local.bigquery import jobs
from local.bigquery.answers import MORE_ABOUT_QUOTAS, Answer
from local.bigquery.calls import Call
from local.bigquery.failed_jobs import fail_job
from local.bigquery.proxy import Forward
from local.bigquery.statements import MUTATIONS, Kind, Statement, Table, statements_of
from local.bigquery.switch import Limits, Switch

MUTATIONS_RUNNING, MUTATIONS_QUEUED = 2, 20
FREE_INSERTS_PER_DAY = 1500
INSERTS_RUNNING, INSERTS_QUEUED = 10, 100
BUFFER_SECONDS = 30 * 60.0


class ConcurrencyLimit:
    """Room for `running` at once and `queued` that wait for them."""

    def __init__(self, running: int, queued: int) -> None:
        self._slots = asyncio.Semaphore(running)
        self._room = running + queued
        self._inside = 0

    @property
    def is_full(self) -> bool:
        """Tell whether one more would be turned away."""
        return self._inside >= self._room

    async def enter(self) -> None:
        """Wait for a slot; look at `is_full` first, without an await between."""
        self._inside += 1
        try:
            await self._slots.acquire()
        except BaseException:
            self._inside -= 1
            raise

    def leave(self) -> None:
        """Give the slot to the next in the queue."""
        self._inside -= 1
        self._slots.release()


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


class StreamingBuffer:
    """Fail UPDATE, DELETE and MERGE on a table that rows were streamed into within half an hour.

    BigQuery fails those alone whose condition reaches such a row; here any row of the table counts.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._streamed: dict[Table, float] = {}

    async def handle(self, call: Call, forward: Forward) -> Answer:
        """Note streamed rows, and refuse DML that comes too soon after them."""
        if self._limits.is_on and call.starts_job:
            for statement in statements_of(call):
                if statement.kind in MUTATIONS and self._has_fresh_rows(statement.target):
                    return await fail_job(call, "invalidQuery", _rows_are_fresh(statement))
        answer = await forward(call)
        if call.method == "tabledata.insertAll" and answer.is_success:
            self._streamed[call.table] = self._limits.clock()
        return answer

    def reset(self) -> None:
        """Forget the wiped rows."""
        self._streamed.clear()

    def _has_fresh_rows(self, table: Table | None) -> bool:
        streamed = self._streamed.get(table) if table else None
        return streamed is not None and self._limits.clock() - streamed < BUFFER_SECONDS


def _rows_are_fresh(statement: Statement) -> str:
    kind = "UPDATE or MERGE" if statement.kind == "MERGE" else "UPDATE or DELETE"
    table = ".".join(statement.target or ())
    return (
        f"{kind} statement over table {table} would affect rows in the streaming buffer, "
        "which is not supported"
    )

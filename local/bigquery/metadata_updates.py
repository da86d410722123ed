"""Updates of datasets and tables: five in ten seconds for each of them, and one at a time."""

import asyncio
from collections import defaultdict, deque
from http import HTTPStatus

from local.bigquery.answers import MORE_ABOUT_QUOTAS, Answer, error_answer
from local.bigquery.calls import Call
from local.bigquery.failed_jobs import fail_job
from local.bigquery.proxy import Forward
from local.bigquery.statements import Kind, Table, statements_of
from local.bigquery.switch import Limits

CHANGING = frozenset({"datasets.patch", "datasets.update", "tables.patch", "tables.update"})
UPDATES = 5
WINDOW_SECONDS = 10.0
UPDATING = frozenset({"insert", "patch", "update", "delete"})


class MetadataRates:
    """Refuse the sixth update of a dataset or a table within ten seconds.

    The API updates, and DDL does, and a query, load or copy job does with its destination; DML does not. What
    is answered 409, as a job is whose ID is taken, updates nothing.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._updates: defaultdict[tuple[str, ...], deque[float]] = defaultdict(lambda: deque(maxlen=UPDATES))

    async def handle(self, call: Call, forward: Forward) -> Answer:
        """Pass the call on when what it updates has not been updated too often."""
        if not self._limits.is_on:
            return await forward(call)
        if (name := _updated_by_api(call)) and not self._is_allowed(name):
            return error_answer("rateLimitExceeded", _refusal(name))
        updated = _updated_by_job(call) if call.starts_job else set()
        for table in updated:
            if not self._is_allowed(table):
                return await fail_job(call, "rateLimitExceeded", _refusal(table))
        answer = await forward(call)
        if answer.status == HTTPStatus.CONFLICT:
            for table in updated:
                self._updates[table].pop()
        return answer

    def reset(self) -> None:
        """Forget all updates."""
        self._updates.clear()

    def _is_allowed(self, name: tuple[str, ...]) -> bool:
        now, updates = self._limits.clock(), self._updates[name]
        if len(updates) == UPDATES and now - updates[0] < WINDOW_SECONDS:
            return False
        updates.append(now)
        return True


def _updated_by_api(call: Call) -> tuple[str, ...]:
    kind, _, verb = call.method.partition(".")
    if kind not in ("datasets", "tables") or verb not in UPDATING:
        return ()
    project, dataset, table = call.table
    if kind == "datasets":
        return project, dataset or call.resource.get("datasetReference", {}).get("datasetId", "")
    return project, dataset, table or call.resource.get("tableReference", {}).get("tableId", "")


def _updated_by_job(call: Call) -> set[Table]:
    updated = {
        statement.target
        for statement in statements_of(call)
        if statement.kind is Kind.DDL and statement.target
    }
    for kind in ("query", "load", "copy"):
        destination = (call.job_configuration.get(kind) or {}).get("destinationTable")
        if destination:
            updated.add((destination["projectId"], destination["datasetId"], destination["tableId"]))
    return updated


def _refusal(name: tuple[str, ...]) -> str:
    operations = "dataset metadata update operations for this dataset"
    if len(name) == 3:
        operations = "table update operations for this table"
    return f"Exceeded rate limits: too many {operations}. {MORE_ABOUT_QUOTAS}"


class MetadataTurns:
    """Let the second of two updates see the first.

    `local_bigquery` reads a resource, checks its ETag and writes it: two at once would both pass, and the
    later one undo the other, or fail by a conflict that BigQuery does not know.
    """

    def __init__(self) -> None:
        self._turns: defaultdict[tuple[str, ...], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def handle(self, call: Call, forward: Forward) -> Answer:
        """Pass an update on when those before it have been answered."""
        if call.method not in CHANGING:
            return await forward(call)
        async with self._turns[call.table]:
            return await forward(call)

    def reset(self) -> None:
        """Forget the turns: whoever had one has been answered by now."""
        self._turns.clear()

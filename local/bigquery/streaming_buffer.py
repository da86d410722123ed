"""The streaming buffer: rows streamed within half an hour cannot be changed by DML."""

from local.bigquery.answers import Answer
from local.bigquery.calls import Call
from local.bigquery.failed_jobs import fail_job
from local.bigquery.proxy import Forward
from local.bigquery.statements import MUTATIONS, Statement, Table, statements_of
from local.bigquery.switch import Limits

BUFFER_SECONDS = 30 * 60.0


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
                    return await fail_job(call, "invalidQuery", _refusal(statement))
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


def _refusal(statement: Statement) -> str:
    kind = "UPDATE or MERGE" if statement.kind == "MERGE" else "UPDATE or DELETE"
    table = ".".join(statement.target or ())
    return (
        f"{kind} statement over table {table} would affect rows in the streaming buffer, "
        "which is not supported"
    )

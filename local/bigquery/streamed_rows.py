"""Streamed rows that are lost by nothing but BigQuery's own rules: they are in no statement's way."""

from local_bigquery.catalog import tabledata
from local_bigquery.engine import database

from local.bigquery.answers import Answer
from local.bigquery.calls import Call
from local.bigquery.commits import ATTEMPTS, CONFLICT
from local.bigquery.proxy import Forward
from local.bigquery.statements import Table


class StreamedRows:
    """Forget insert IDs whose rows are not in the table, and stream again after a conflict.

    `local_bigquery` notes an insert ID before the rows are written and keeps it for a minute, by the
    table's name. A repeat after a failure would lose the rows, and so would a table that is deleted and
    made again.
    """

    async def handle(self, call: Call, forward: Forward) -> Answer:
        """Pass the call on, once more when a job on the same table got in its way."""
        if call.method != "tabledata.insertAll":
            return await self._handle_other(call, forward)
        for _ in range(ATTEMPTS):
            answer = await forward(call)
            if answer.is_success and not answer.resource.get("insertErrors"):
                break
            _forget(call.table, _insert_ids(call))
            if CONFLICT not in answer.body.decode():
                break
        return answer

    def reset(self) -> None:
        """Keep nothing, so forget nothing."""

    async def _handle_other(self, call: Call, forward: Forward) -> Answer:
        answer = await forward(call)
        if call.method in ("tables.delete", "datasets.delete") and answer.is_success:
            _forget(call.table, None)
        return answer


def _insert_ids(call: Call) -> set[str]:
    return {row["insertId"] for row in call.resource.get("rows", []) if row.get("insertId")}


def _forget(table: Table, insert_ids: set[str] | None) -> None:
    """Forget some or all insert IDs of a table, or of a dataset's tables when `table` names none."""
    prefix = database.quote(*(part for part in table if part))
    for name, insert_id in list(tabledata._recent):
        is_there = name == prefix or (not table[2] and name.startswith(f"{prefix}."))
        if is_there and (insert_ids is None or insert_id in insert_ids):
            tabledata._recent.pop((name, insert_id), None)

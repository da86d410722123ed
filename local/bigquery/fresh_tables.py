"""Streaming into tables that were made, made anew or changed a moment ago: BigQuery knows them late."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local.bigquery import catalog, tables
from local.bigquery.answers import Answer, error_answer, json_answer
from local.bigquery.calls import Call
from local.bigquery.proxy import Forward
from local.bigquery.statements import Kind, Table, statements_of
from local.bigquery.switch import Switch


@dataclass(slots=True)
class StreamingDelay(Switch):
    """The switch of this habit; `seconds` of `clock` pass until streaming knows what has changed."""

    seconds: float = 120.0
    clock: Callable[[], float] = time.monotonic

    def reset(self) -> None:
        """Switch it off, and go by the machine's clock."""
        self.is_on, self.seconds, self.clock = False, 120.0, time.monotonic


class FreshTables:
    """Refuse or lose streamed rows for a time, as BigQuery does; DML and queries know a table at once.

    A new table is answered 404. Rows for a table that stands in the place of another one go to that one: they
    are accepted and lost. A row that fills a new column is refused: no such field.
    """

    def __init__(self, delay: StreamingDelay) -> None:
        self._delay = delay
        self._made: dict[Table, float] = {}
        self._remade: dict[Table, float] = {}
        self._columns: dict[Table, dict[str, float]] = {}
        self._gone: set[Table] = set()

    async def handle(self, call: Call, forward: Forward) -> Answer:
        """Note what happens to tables, and answer what is streamed to them too early."""
        if not self._delay.is_on:
            return await forward(call)
        if call.method == "tabledata.insertAll":
            return self._refusal(call) or await forward(call)
        noted = self._changes(call)
        answer = await forward(call)
        if answer.is_success:
            for note in noted:
                note()
        return answer

    def reset(self) -> None:
        """Forget all tables."""
        for memory in (self._made, self._remade, self._columns, self._gone):
            memory.clear()

    def _changes(self, call: Call) -> list[Callable[[], None]]:
        """Say what is to be noted once the call has succeeded; what was there before is looked at now."""
        project, dataset, name = call.table
        match call.method:
            case "tables.insert":
                named = call.resource.get("tableReference", {}).get("tableId", "")
                return [self._making((project, dataset, named), is_there=False)]
            case "tables.delete" | "datasets.delete":
                return [lambda: self._gone.add((project, dataset, name))]
            case "tables.patch" | "tables.update" if "schema" in call.resource:
                fields = {field["name"] for field in call.resource["schema"]["fields"]}
                new = fields - {column.name for column in catalog.columns(project, dataset, name)}
                return [lambda: self._change(call.table, new)]
        makes = [one.target for one in statements_of(call) if call.starts_job and one.kind is Kind.DDL]
        return [self._making(table, is_there=_is_replaced(call, table)) for table in makes if table]

    def _making(self, table: Table, *, is_there: bool) -> Callable[[], None]:
        was_there = is_there or {table, (*table[:2], "")} & self._gone
        made = self._remade if was_there else self._made
        return lambda: made.update({table: self._delay.clock()})

    def _change(self, table: Table, new: set[str]) -> None:
        self._columns.setdefault(table, {}).update(dict.fromkeys(new, self._delay.clock()))

    def _refusal(self, call: Call) -> Answer | None:
        table = call.table
        if self._is_fresh(self._remade.get(table)):
            return json_answer(200, {"kind": "bigquery#tableDataInsertAllResponse"})
        if self._is_fresh(self._made.get(table)):
            return error_answer("notFound", f"Not found: Table {table[0]}:{table[1]}.{table[2]}")
        unknown = {name for name, at in self._columns.get(table, {}).items() if self._is_fresh(at)}
        rows = call.resource.get("rows", [])
        if not any(unknown & row["json"].keys() for row in rows):
            return None
        errors = [_row_errors(index, unknown & row["json"].keys()) for index, row in enumerate(rows)]
        return json_answer(200, {"kind": "bigquery#tableDataInsertAllResponse", "insertErrors": errors})

    def _is_fresh(self, changed_at: float | None) -> bool:
        return changed_at is not None and self._delay.clock() - changed_at < self._delay.seconds


def _is_replaced(call: Call, table: Table) -> bool:
    text: str = call.job_configuration["query"].get("query", "")
    return "OR REPLACE TABLE" in text.upper() and tables.exists(table)


def _row_errors(index: int, unknown: set[str]) -> dict[str, Any]:
    """Write a row's errors: of a call in which one row is refused, none is taken."""
    found = [
        {"reason": "invalid", "location": name, "debugInfo": "", "message": f"no such field: {name}."}
        for name in sorted(unknown)
    ]
    return {"index": index, "errors": found or [{"reason": "stopped", "location": "", "message": ""}]}

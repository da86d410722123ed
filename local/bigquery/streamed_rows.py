"""Streamed rows: what a call may hold, and that they are lost by nothing but BigQuery's own rules."""

import math
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from decimal import ROUND_HALF_EVEN
from typing import Any

from local_bigquery.catalog import metadata, tabledata, tables
from local_bigquery.engine import database
from local_bigquery.models import Table as TableResource

from local.bigquery import catalog
from local.bigquery.answers import Answer, error_answer, json_answer
from local.bigquery.calls import Call
from local.bigquery.commits import ATTEMPTS, CONFLICT
from local.bigquery.json_rows import moment_of
from local.bigquery.proxy import Forward
from local.bigquery.statements import Table

MAX_CHARACTERS = 128
MAX_ROWS = 50_000
DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
MOMENT = re.compile(rf"{DATE.pattern}[T ]\d\d:\d\d:\d\d(?:\.\d{{1,6}})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)

SECONDS = re.compile(r"\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*", re.ASCII)
MOMENTS = "TIMESTAMP WITH TIME ZONE"


def _with_moments(value: Any, kind: Any) -> Any:
    """Write the seconds since 1970 that a TIMESTAMP takes, a number or a text of one, as a moment."""
    if str(kind) == MOMENTS:
        return _moment(value)
    if kind.id == "list" and isinstance(value, list):
        return [_with_moments(one, kind.child) for one in value]
    if kind.id == "struct" and isinstance(value, dict):
        kinds = {name.casefold(): inner for name, inner in kind.children}
        return {
            name: _with_moments(one, kinds[name.casefold()]) if name.casefold() in kinds else one
            for name, one in value.items()
        }
    return value


def _moment(value: Any) -> Any:
    is_number = type(value) in (int, float) or (isinstance(value, str) and SECONDS.fullmatch(value))
    if not is_number:
        return value
    # No column takes what is no moment between the years 1 and 9999.
    return moment_of(str(value), ROUND_HALF_EVEN) or f"{value} seconds"


def _is_time(value: Any, form: re.Pattern[str]) -> bool:
    """Tell whether a value is a text of a form, and a day and a time that there are."""
    if isinstance(value, str) and form.fullmatch(value):
        with suppress(ValueError):
            return bool(datetime.fromisoformat(value))
    return False


SAFE: dict[str, Callable[[Any], bool]] = {
    "VARCHAR": lambda value: isinstance(value, str),
    "BOOLEAN": lambda value: isinstance(value, bool),
    "BIGINT": lambda value: type(value) is int and -(2**63) <= value < 2**63,
    "DOUBLE": lambda value: type(value) is float and math.isfinite(value),
    "DATE": lambda value: _is_time(value, DATE),
    "TIMESTAMP WITH TIME ZONE": lambda value: _is_time(value, MOMENT),
}
"""Of which values it is plain that a column takes them."""

type Columns = dict[str, tuple[str, Any]]
"""Name and DuckDB's type, by the name in small letters."""
type Row = dict[str, Any]
_unconvertible: Callable[[Columns, list[Row]], list[list[str]]] = tabledata._unconvertible


def install() -> None:
    """Have rows checked by `unconvertible`, and their tables looked for by `look_for`."""
    tabledata._unconvertible = unconvertible
    tabledata.load = look_for


def look_for(project: str, dataset: str, table: str) -> None:
    """Raise where there is no such table; what it holds, which takes longer to tell, nobody asks here."""
    resource = metadata.load(TableResource, project, dataset, table)
    if tables.expired(resource) or not catalog.is_there(*tables.physical(project, dataset, table)):
        tables.load(project, dataset, table)


def unconvertible(schema: Columns, rows: list[Row]) -> list[list[str]]:
    """Name the columns of each row that do not take its value; DuckDB is asked only where it is not plain."""
    for name, kind in schema.values():
        if MOMENTS in str(kind):
            for row in rows:
                if row.get(name) is not None:
                    row[name] = _with_moments(row[name], kind)
    doubtful = {name: column for name, column in schema.items() if not _takes_all(column, rows)}
    return _unconvertible(doubtful, rows)


def _takes_all(column: tuple[str, Any], rows: list[Row]) -> bool:
    name, kind = column
    is_safe = SAFE.get(str(kind), lambda _: False)
    values = (row.get(name) for row in rows)
    return all(value is None or is_safe(value) for value in values)


class InsertIds:
    """Refuse streamed rows that are none or too many, or whose insert IDs are too long."""

    async def handle(self, call: Call, forward: Forward) -> Answer:
        """Pass the call on where all of its insert IDs are short enough."""
        if call.method != "tabledata.insertAll":
            return await forward(call)
        rows = call.resource.get("rows") or []
        if not rows:
            return error_answer("invalid", "No rows present in the request.")
        if len(rows) > MAX_ROWS:
            limit = f"too many rows present in the request, limit: {MAX_ROWS} row count: {len(rows)}."
            return error_answer("invalid", limit)
        too_long = {
            index for index, row in enumerate(rows) if len(row.get("insertId") or "") > MAX_CHARACTERS
        }
        if not too_long:
            return await forward(call)
        errors = [_error(index, index in too_long) for index in range(len(rows))]
        return json_answer(200, {"kind": "bigquery#tableDataInsertAllResponse", "insertErrors": errors})

    def reset(self) -> None:
        """Keep nothing, so forget nothing."""


def _error(index: int, is_too_long: bool) -> dict[str, Any]:
    message = f"Maximum allowed insert ID length is {MAX_CHARACTERS} characters." if is_too_long else ""
    reason = "invalid" if is_too_long else "stopped"
    return {"index": index, "errors": [{"reason": reason, "location": "", "message": message}]}


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

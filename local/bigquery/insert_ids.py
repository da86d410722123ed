"""What a call that streams rows may hold: 1 to 50,000 of them, with insert IDs of up to 128 characters."""

from typing import Any

from local.bigquery.answers import Answer, error_answer, json_answer
from local.bigquery.calls import Call
from local.bigquery.proxy import Forward

MAX_CHARACTERS = 128
MAX_ROWS = 50_000


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

"""The length of insert IDs: BigQuery takes up to 128 characters, or else none of the rows of a call."""

from typing import Any

from local.bigquery.answers import Answer, json_answer
from local.bigquery.calls import Call
from local.bigquery.proxy import Forward

MAX_CHARACTERS = 128


class InsertIds:
    """Refuse streamed rows whose insert IDs are too long."""

    async def handle(self, call: Call, forward: Forward) -> Answer:
        """Pass the call on where all of its insert IDs are short enough."""
        rows = call.resource.get("rows") or [] if call.method == "tabledata.insertAll" else []
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

"""Updates of one dataset or table in turns: the ETag that was checked still holds when it is written."""

import asyncio
from collections import defaultdict

from local.bigquery.answers import Answer
from local.bigquery.calls import Call
from local.bigquery.proxy import Forward

CHANGING = frozenset({"datasets.patch", "datasets.update", "tables.patch", "tables.update"})


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

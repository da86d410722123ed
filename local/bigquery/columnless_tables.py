"""Tables that were made without columns: the first load gives a table its own, as BigQuery's does."""

import asyncio

from local_bigquery.catalog import metadata
from local_bigquery.catalog import tables as catalog_tables
from local_bigquery.models import Table as TableResource

from local.bigquery import jobs
from local.bigquery.answers import Answer
from local.bigquery.calls import Call
from local.bigquery.proxy import Forward
from local.bigquery.statements import Table

MAX_SECONDS = 5.0
"""How long a load is waited for; one that takes longer loses when its table expires."""
_EMPTY = ("EMPTY", 0)
"""What the engine finds of a table that is in its catalog alone."""


class ColumnlessTables:
    """Let a load make the table that is there without columns, and keep when that expires."""

    async def handle(self, call: Call, forward: Forward) -> Answer:
        """Pass a load on as if its destination were not there, where it has no columns."""
        load = call.job_configuration.get("load") or {}
        reference = load.get("destinationTable") or {}
        project, dataset, name = (str(reference.get(f"{key}Id")) for key in ("project", "dataset", "table"))
        table: Table = (project, dataset, name)
        stored = await asyncio.to_thread(_columnless, table) if load else None
        if stored is None:
            return await forward(call)
        await asyncio.to_thread(metadata.delete, TableResource, *table)
        answer = await forward(call)
        if running := jobs.running((call.project, call.job_id)):
            await asyncio.wait([asyncio.wrap_future(running)], timeout=MAX_SECONDS)
        await asyncio.to_thread(_put_back, table, stored)
        return answer

    def reset(self) -> None:
        """Keep nothing, so forget nothing."""


def _columnless(table: Table) -> TableResource | None:
    return metadata.load(TableResource, *table) if catalog_tables._lookup(*table) == _EMPTY else None


def _put_back(table: Table, stored: TableResource) -> None:
    """Say of the table that the load has made when it expires; a load that fails has made none."""
    kept = stored
    if made := metadata.load(TableResource, *table):
        kept = made.replace(expirationTime=stored.expirationTime, description=stored.description)
    metadata.save(kept, *table)

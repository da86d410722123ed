"""A table's partitioning is settled when it is made: a job that says otherwise is refused."""

import asyncio
from typing import Any

from local_bigquery.catalog import metadata
from local_bigquery.catalog.tables import INGESTION_TIME
from local_bigquery.models import Table as TableResource

from local.bigquery.answers import Answer
from local.bigquery.calls import Call
from local.bigquery.failed_jobs import fail_job
from local.bigquery.partitions import split
from local.bigquery.proxy import Forward
from local.bigquery.statements import Table
from local.bigquery.tables import exists

NONE = "none"


class ChangedLayouts:
    """Refuse a query or load job that gives a table another partitioning than it has."""

    async def handle(self, call: Call, forward: Forward) -> Answer:
        """Pass a job on when its partitioning is that of its destination."""
        for kind in ("query", "load"):
            job = call.job_configuration.get(kind) or {}
            if "destinationTable" in job and (asked := _layout(job)) != NONE:
                reference = job["destinationTable"]
                table = reference["projectId"], reference["datasetId"], split(reference["tableId"])[0]
                if refusal := await asyncio.to_thread(_refusal, table, asked):
                    return await fail_job(call, "invalid", refusal)
        return await forward(call)

    def reset(self) -> None:
        """Keep nothing, so forget nothing."""


def _refusal(table: Table, asked: str) -> str:
    if not exists(table):
        return ""
    stored = metadata.load(TableResource, *table)
    had = _layout(stored.dump() if stored else {})
    if had == asked:
        return ""
    return (
        f"Incompatible table partitioning specification. Expects partitioning specification {had}, "
        f"but input partitioning specification is {asked}"
    )


def _layout(resource: dict[str, Any]) -> str:
    """Say how a table is partitioned, as BigQuery's error does."""
    if by_time := resource.get("timePartitioning"):
        field = by_time.get("field") or INGESTION_TIME
        return f"interval(type:{(by_time.get('type') or 'DAY').lower()},field:{field})"
    if by_range := resource.get("rangePartitioning"):
        bounds = by_range.get("range") or {}
        edges = ",".join(f"{edge}:{bounds.get(edge)}" for edge in ("start", "end", "interval"))
        return f"range(field:{by_range.get('field')},{edges})"
    return NONE

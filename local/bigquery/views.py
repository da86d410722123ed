"""Views and copies, as strictly as BigQuery has them: what no view can say, and what no copy can take.

Dry runs name the tables under a view beside the view, as BigQuery's do.
"""

import asyncio
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from local_bigquery.catalog import metadata
from local_bigquery.models import Table as TableResource
from sqlglot import exp

from local.bigquery.answers import Answer
from local.bigquery.calls import Call
from local.bigquery.failed_jobs import fail_job
from local.bigquery.proxy import Forward
from local.bigquery.statements import Table, trees_of
from local.bigquery.tables import DEEPEST_VIEW, is_snapshot, under_view

LOOKS, PAUSE_SECONDS = 100, 0.05


class ViewsAndCopies:
    """Refuse views over unnamed datasets, copies of views and rows for snapshots; let copies expire."""

    async def handle(self, call: Call, forward: Forward) -> Answer:
        """Pass a job on that BigQuery would take."""
        configuration = call.job_configuration
        if written := await asyncio.to_thread(_snapshot_written, configuration):
            return await fail_job(call, "invalid", _not_allowed(written, "SNAPSHOT"))
        if copy := configuration.get("copy"):
            return await _copied(call, copy, forward)
        query: str = (configuration.get("query") or {}).get("query") or ""
        if "VIEW" in query.upper() and (unnamed := _unqualified(query)):
            refusal = f'Table "{unnamed}" must be qualified with a dataset (e.g. dataset.table).'
            return await fail_job(call, "invalidQuery", refusal)
        answer = await forward(call)
        return await asyncio.to_thread(_with_tables_below, answer) if call.is_dry_run else answer

    def reset(self) -> None:
        """Keep nothing, so forget nothing."""


async def _copied(call: Call, copy: dict[str, Any], forward: Forward) -> Answer:
    sources = [_table(source) for source in copy.get("sourceTables") or [copy.get("sourceTable") or {}]]
    for source in sources:
        if await asyncio.to_thread(_is_view, source):
            return await fail_job(call, "invalid", _not_allowed(source, "VIEW"))
    target = _table(copy.get("destinationTable") or {})
    moment = copy.get("destinationExpirationTime")
    is_new = moment and await asyncio.to_thread(metadata.load, TableResource, *target) is None
    answer = await forward(call)
    if is_new and answer.is_success:
        await _expire(target, str(moment))
    return answer


def _snapshot_written(configuration: dict[str, Any]) -> Table | None:
    """Return the snapshot that a job would write to; another snapshot of its name is a duplicate."""
    for kind in ("query", "load", "copy"):
        job = configuration.get(kind) or {}
        if "destinationTable" in job and job.get("operationType") != "SNAPSHOT":
            table = _table(job["destinationTable"])
            if is_snapshot(table):
                return table
    return None


def _not_allowed(table: Table, kind: str) -> str:
    name = f"{table[0]}:{table[1]}.{table[2]}"
    return f"{name} is not allowed for this operation because it is currently a {kind}."


async def _expire(table: Table, moment: str) -> None:
    """Let a table expire as soon as its job has made it; a job that fails makes none."""
    milliseconds = int(datetime.fromisoformat(moment).timestamp() * 1000)
    for _ in range(LOOKS):
        if stored := await asyncio.to_thread(metadata.load, TableResource, *table):
            expiring = stored.replace(expirationTime=str(milliseconds))
            await asyncio.to_thread(metadata.save, expiring, *table)
            return
        await asyncio.sleep(PAUSE_SECONDS)


def _is_view(table: Table) -> bool:
    stored = metadata.load(TableResource, *table)
    return bool(stored and stored.view)


def _unqualified(sql: str) -> str:
    """Return the first table of a new view's text that has no dataset with it, "" where all have."""
    for tree in trees_of(sql):
        if isinstance(tree, exp.Create) and tree.kind == "VIEW" and tree.expression is not None:
            names = {cte.alias.lower() for cte in tree.expression.find_all(exp.CTE)}
            for table in tree.expression.find_all(exp.Table):
                is_name = isinstance(table.this, exp.Identifier) and "." not in table.name
                if is_name and not table.db and table.name.lower() not in names:
                    return str(table.name)
    return ""


def _with_tables_below(answer: Answer) -> Answer:
    job = answer.resource
    query = (job.get("statistics") or {}).get("query") or {}
    named = {_table(one) for one in query.get("referencedTables") or ()}
    if not (below := set(_below(named)) - named):
        return answer
    query["referencedTables"] = [
        dict(zip(("projectId", "datasetId", "tableId"), table, strict=True))
        for table in sorted(named | below)
    ]
    return answer.with_resource(job)


def _below(tables: Iterable[Table], depth: int = 0) -> Iterator[Table]:
    for table in tables if depth < DEEPEST_VIEW else ():
        sources = under_view(table)
        yield from sources
        yield from _below(sources, depth + 1)


def _table(reference: dict[str, Any]) -> Table:
    return (
        reference.get("projectId") or "",
        reference.get("datasetId") or "",
        reference.get("tableId") or "",
    )

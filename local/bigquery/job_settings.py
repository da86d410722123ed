"""Settings of jobs that do not go together, and sizes that no job may have; `local_bigquery` takes them."""

from collections.abc import Iterator
from typing import Any

from local.bigquery.answers import Answer, error_answer
from local.bigquery.calls import Call
from local.bigquery.proxy import Forward
from local.bigquery.statements import MUTATIONS, Kind, statements_of

MAX_QUERY_CHARACTERS = 1024 * 1024
MAX_CLUSTERING_COLUMNS = 4
PARTITION_TYPES = ("HOUR", "DAY", "MONTH", "YEAR")
PRIORITIES = ("INTERACTIVE", "BATCH")


class JobSettings:
    """Refuse a job that BigQuery would not even begin."""

    async def handle(self, call: Call, forward: Forward) -> Answer:
        """Pass the call on when its settings go together."""
        if call.starts_job:
            for kind in ("query", "load", "copy", "extract"):
                if fault := next(_faults(call, call.job_configuration.get(kind) or {}), ""):
                    return error_answer("invalid", fault)
        return await forward(call)

    def reset(self) -> None:
        """Keep nothing, so forget nothing."""


def _faults(call: Call, settings: dict[str, Any]) -> Iterator[str]:
    sql = settings.get("query") or ""
    if len(sql) > MAX_QUERY_CHARACTERS:
        yield (
            "The query is too large. The maximum standard SQL query length is 1024.00K characters, "
            "including comments and white space characters."
        )
    if sql and settings.get("destinationTable"):
        yield from _faults_of_destination(call)
    columns = (settings.get("clustering") or {}).get("fields") or []
    if len(columns) > MAX_CLUSTERING_COLUMNS:
        yield f"Too many clustering columns: {len(columns)}, the limit is {MAX_CLUSTERING_COLUMNS}."
    if len({column.casefold() for column in columns}) < len(columns):
        yield "Clustering columns must not be repeated."
    partition = settings.get("timePartitioning") or {}
    if (kind := partition.get("type")) and kind not in PARTITION_TYPES:
        yield f"Invalid value for type: {kind} is not a valid value"
    if (priority := settings.get("priority")) and priority not in PRIORITIES:
        yield f"Invalid value for priority: {priority} is not a valid value"


def _faults_of_destination(call: Call) -> Iterator[str]:
    """Say why what a statement is goes without a destination: it says itself what it writes."""
    kinds = [statement.kind for statement in statements_of(call)]
    if len(kinds) > 1:
        yield "configuration.query.destinationTable cannot be set for scripts"
    elif kinds[0] in MUTATIONS | {Kind.INSERT, Kind.TRUNCATE}:
        yield "Cannot set destination table in jobs with DML statements"
    elif kinds[0] is Kind.DDL:
        yield "Cannot set destination table in jobs with DDL statements"

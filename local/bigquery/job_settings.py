"""What a job may say of itself: names, settings that go together, sizes, and how long it may run.

`local_bigquery` takes anything.
"""

import asyncio
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from local.bigquery import jobs
from local.bigquery.answers import Answer, error_answer
from local.bigquery.calls import Call
from local.bigquery.proxy import Forward
from local.bigquery.statements import MUTATIONS, Kind, statements_of

MAX_QUERY_CHARACTERS = 1024 * 1024
MAX_CLUSTERING_COLUMNS = 4
PARTITION_TYPES = ("HOUR", "DAY", "MONTH", "YEAR")
PRIORITIES = ("INTERACTIVE", "BATCH")
JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,1024}")
MAX_LABELS = 64
MAX_LABEL = 63
LETTERS = frozenset({"Ll", "Lo"})
"""Small letters, and letters without case."""


class JobNames:
    """Refuse a job whose ID or labels BigQuery would refuse."""

    async def handle(self, call: Call, forward: Forward) -> Answer:
        """Pass the call on when the names in it are good."""
        if call.starts_job and (fault := next(_faults_of_names(call), "")):
            return error_answer("invalid", fault)
        return await forward(call)

    def reset(self) -> None:
        """Keep nothing, so forget nothing."""


def _faults_of_names(call: Call) -> Iterator[str]:
    if call.job_id and not JOB_ID.fullmatch(call.job_id):
        yield (
            f'Invalid job ID "{call.job_id}". Job IDs must be alphanumeric (plus underscores and dashes) '
            "and must be at most 1024 characters long."
        )
    labels = call.job_configuration.get("labels") or {}
    if len(labels) > MAX_LABELS:
        yield f"Too many labels: {len(labels)}, the limit is {MAX_LABELS}."
    for key, value in labels.items():
        if not _is_label(key) or unicodedata.category(key[0]) not in LETTERS:
            yield f'Label key "{key}" has invalid characters.'
        if value and not _is_label(value):
            yield f'Label value "{value}" has invalid characters.'


def _is_label(text: str) -> bool:
    return 0 < len(text) <= MAX_LABEL and all(
        character in "-_" or character.isdecimal() or unicodedata.category(character) in LETTERS
        for character in text
    )


class JobSettings:
    """Refuse a job that BigQuery would not even begin."""

    async def handle(self, call: Call, forward: Forward) -> Answer:
        """Pass the call on when its settings go together."""
        if call.starts_job:
            for kind in ("query", "load", "copy", "extract"):
                if fault := next(_faults_of_settings(call, call.job_configuration.get(kind) or {}), ""):
                    return error_answer("invalid", fault)
        return await forward(call)

    def reset(self) -> None:
        """Keep nothing, so forget nothing."""


def _faults_of_settings(call: Call, settings: dict[str, Any]) -> Iterator[str]:
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


class JobTimeouts:
    """Stop each job when its own time is up; it counts from the moment in which the job is asked for."""

    def __init__(self) -> None:
        self._timers: set[asyncio.Task[None]] = set()

    async def handle(self, call: Call, forward: Forward) -> Answer:
        """Pass the call on, with a timer for its job."""
        seconds = int(call.job_configuration.get("jobTimeoutMs") or 0) / 1000
        if seconds and call.starts_job and call.job_id:
            timer = asyncio.create_task(_expire((call.project, call.job_id), seconds))
            self._timers.add(timer)
            timer.add_done_callback(self._timers.discard)
        return await forward(call)

    def reset(self) -> None:
        """Let go of all timers."""
        for timer in self._timers:
            timer.cancel()


async def _expire(key: jobs.JobKey, seconds: float) -> None:
    await asyncio.sleep(seconds)
    await asyncio.to_thread(jobs.time_out, key, seconds)

"""One partition as the target of a step: named by a day in the file, or by a parameter of each run."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from common.pipelines.pipeline import BoundParameter
from common.pipelines.plans import Partitioning, QueryJob, WriteDisposition

NO_PARTITION = "__NULL__"
"""BigQuery's name for the partition of rows without a day: all that a run without a value can write."""
TYPES = ("DATE", "DATETIME", "TIMESTAMP")

_DECORATED = re.compile(r"(.+)\$(\d+|\$\{\w+\})", re.DOTALL)
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_FORMATS = {"HOUR": "%Y%m%d%H", "DAY": "%Y%m%d", "MONTH": "%Y%m", "YEAR": "%Y"}
_EXAMPLES = {"HOUR": "2026-01-31T09", "DAY": "2026-01-31", "MONTH": "2026-01", "YEAR": "2026"}


def split_decorator(target_table: str) -> tuple[str, str]:
    """Return a table without the partition behind its `$`, and that; "" where there is none."""
    found = _DECORATED.fullmatch(target_table)
    return (found[1], found[2]) if found else (target_table, "")


def partition_rule(text: str, partitioning: Partitioning, types: Mapping[str, str]) -> str:
    """Say the rule that a partition breaks, "" for none; `types` are those of the declared parameters."""
    if named := _VARIABLE.fullmatch(text):
        kind = types.get(named[1])
        if kind in TYPES and (kind != "DATE" or partitioning.type != "HOUR"):
            return ""
        fitting = "TIMESTAMP or DATETIME" if partitioning.type == "HOUR" else "DATE, DATETIME or TIMESTAMP"
        return f"must be a declared parameter of the type {fitting}, such as ${{date}}"
    try:
        datetime.strptime(_digits(text), _FORMATS[partitioning.type]).replace(tzinfo=UTC)
    except ValueError:
        example = _EXAMPLES[partitioning.type]
        return f"must be a partition of the type {partitioning.type}, {example}, or a parameter, ${{date}}"
    return ""


def partition_of(text: str) -> str:
    """Write a partition that keeps the rule as a job has it: in digits, or as the variable that it is."""
    return text if _VARIABLE.fullmatch(text) else _digits(text)


def at_partition(query: QueryJob, parameters: Mapping[str, BoundParameter]) -> QueryJob:
    """Put the value of a run in the place of the parameter that names a query's partition.

    A partition has no other value than those of the table's partitioning, so nothing else can come of it.
    """
    named = _VARIABLE.fullmatch(query.partition)
    if named is None:
        return query
    kind = query.partitioning.type if query.partitioning else "DAY"
    return replace(query, partition=_decorator(parameters[named[1]].value, kind))


def may_add_columns(write_disposition: WriteDisposition, partition: str) -> bool:
    """Tell whether BigQuery lets the rows of a job add columns to a table that is there."""
    return write_disposition is WriteDisposition.APPEND or bool(partition)


def _decorator(value: object, kind: str) -> str:
    if not isinstance(value, str):
        return NO_PARTITION
    moment = datetime.fromisoformat(value.replace("z", "Z"))
    return (moment.astimezone(UTC) if moment.tzinfo else moment).strftime(_FORMATS[kind])


def _digits(text: str) -> str:
    return re.sub(r"[-T: ]", "", text)

"""One partition as the target of a step: named by a day in the file, or by a parameter of each run."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from common.pipelines.pipeline import BoundParameter
from common.pipelines.plans import (
    CopyJob,
    FilesLoadedJob,
    LoadJob,
    Partitioning,
    QueryJob,
    SchemaUpdate,
    WriteDisposition,
)

NO_PARTITION = "__NULL__"
"""BigQuery's name for the partition of rows without a day: all that a run without a value can write."""
TYPES = ("DATE", "DATETIME", "TIMESTAMP")

PARTITION_FIELDS = (
    "partition",
    "partitioning",
    "write_disposition",
    "schema_update",
    "schema_update_options",
)
"""The fields of a config that say together which partition is written, and which columns it may add."""

_DECORATED = re.compile(r"(.+)\$([0-9]{4}|[0-9]{6}|[0-9]{8}|[0-9]{10}|\$\{\w+\})", re.DOTALL)
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


type Partitioned = QueryJob | LoadJob | FilesLoadedJob | CopyJob


def at_partition(work: Partitioned, parameters: Mapping[str, BoundParameter]) -> Partitioned:
    """Put the value of a run in the place of the parameter that names the partition of a job.

    A partition has no other value than those of the table's partitioning, so nothing else can come of it.
    """
    named = _VARIABLE.fullmatch(work.partition)
    if named is None:
        return work
    kind = work.partition_type if isinstance(work, CopyJob) else _type(work.partitioning)
    return replace(work, partition=_decorator(parameters[named[1]].value, kind))


def partitioning_in(config: Mapping[str, Any]) -> Partitioning | None:
    """Read how the target table of a step's config is divided."""
    raw = config.get("partitioning")
    if raw is None:
        return None
    days = raw.get("expiration_days")
    return Partitioning(
        # JSON Schema takes 60.0 for a whole number.
        field=raw["field"],
        type=raw.get("type", "DAY"),
        expiration_days=None if days is None else int(days),
    )


def schema_update_in(config: Mapping[str, Any]) -> tuple[SchemaUpdate, ...]:
    """Read how rows may change the columns of the target table of a step's config."""
    given = [SchemaUpdate(option) for option in config.get("schema_update_options", ())]
    if config.get("schema_update") == "add_columns" and SchemaUpdate.ADD_COLUMNS not in given:
        given.append(SchemaUpdate.ADD_COLUMNS)
    return tuple(given)


def partition_in(config: Mapping[str, Any], types: Mapping[str, str]) -> tuple[str, list[tuple[str, str]]]:
    """Read the partition that a step's config writes, "" for none, and the rules that its fields break."""
    decorator = split_decorator(config["target_table"])[1]
    text = decorator or config.get("partition", "")
    rule = rule_of_partition(config, text, types) if text else ""
    place = "target_table" if decorator else "partition"
    broken = [(place, rule)] if rule else []
    if schema_update_in(config) and (rule := _rule_of_update(config, text)):
        broken.append(("schema_update" if "schema_update" in config else "schema_update_options", rule))
    return "" if rule else partition_of(text), broken


def rule_of_partition(config: Mapping[str, Any], text: str, types: Mapping[str, str]) -> str:
    """Say the rule that a partition breaks which a step's config writes, "" for none."""
    partitioning = partitioning_in(config)
    if split_decorator(config["target_table"])[1] and "partition" in config:
        return "names a partition ($), and so does /partition: write one of them"
    if config.get("credential"):
        return "cannot name a partition beside a credential"
    if partitioning is None:
        return "names a partition: write how the table is partitioned, /partitioning, too"
    return partition_rule(text, partitioning, types)


def _rule_of_update(config: Mapping[str, Any], partition: str) -> str:
    if config.get("credential"):
        return "must be left out beside a credential: its account changes no columns"
    if config.get("write_disposition") != WriteDisposition.APPEND and not partition:
        return "goes with WRITE_APPEND, or with one partition: else all columns are made anew"
    return ""


def _decorator(value: object, kind: str) -> str:
    if not isinstance(value, str):
        return NO_PARTITION
    moment = datetime.fromisoformat(value.replace("z", "Z"))
    return (moment.astimezone(UTC) if moment.tzinfo else moment).strftime(_FORMATS[kind])


def _type(partitioning: Partitioning | None) -> str:
    return partitioning.type if partitioning else "DAY"


def _digits(text: str) -> str:
    return re.sub(r"[-T: ]", "", text)

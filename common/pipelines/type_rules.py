"""Rules of step types that tie several fields together, as no schema can: a `plan.json` names them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from common.pipelines.file_columns import column_violations
from common.pipelines.partitions import PARTITION_FIELDS, partition_in, rule_of_partition, split_decorator


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What holds between `fields`. It is asked where each of them keeps the schema; without any, always."""

    fields: tuple[str, ...]
    find_broken: Callable[[Mapping[str, Any], Mapping[str, str]], list[tuple[str, str]]]
    """Returns fields, by their paths, and what they break.

    It gets a config, and the types of the declared parameters.
    """


_OF_FORMATS = {
    "header_rows": ("csv",),
    "delimiter": ("csv",),
    "quote": ("csv",),
    "null_marker": ("csv",),
    "quoted_newlines": ("csv",),
    "encoding": ("csv", "json"),
    "ignore_unknown_values": ("csv", "json"),
}


def load_violations(config: Mapping[str, Any], types: Mapping[str, str]) -> list[tuple[str, str]]:
    """Find what a load's fields say against each other."""
    mode = config.get("mode", "new_files")
    broken = [
        (name, f"is for {' and '.join(formats)} files alone")
        for name, formats in _OF_FORMATS.items()
        if name in config and config["format"] not in formats
    ]
    if "write_disposition" in config and mode != "all":
        broken.append(("write_disposition", f"goes with mode: all; {mode} says itself what it writes"))
    delimiter, quote = config.get("delimiter", ","), config.get("quote", '"')
    if config["format"] == "csv" and delimiter == quote:
        place, other = ("quote", "delimiter") if "quote" in config else ("delimiter", "quote")
        broken.append((place, f"is the {other}, too: the values of a line could not be told apart"))
    return [*broken, *_of_partition(config, mode, types), *_of_columns(config, mode)]


def _of_partition(
    config: Mapping[str, Any], mode: str, types: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    if split_decorator(config["target_table"])[1]:
        yield "target_table", "names a partition ($): write it as /partition"
    elif mode != "replace_partition":
        if "partition" in config:
            yield "partition", "goes with mode: replace_partition"
    elif "partition" not in config:
        yield "mode", "replace_partition needs /partition beside it"
    elif rule := rule_of_partition(config, config["partition"], types):
        yield "partition", rule


def _of_columns(config: Mapping[str, Any], mode: str) -> Iterator[tuple[str, str]]:
    changes_columns = config.get("schema_update", "none") != "none"
    if config.get("credential") and "schema" not in config:
        yield "credential", "needs /schema beside it: its account makes no tables"
    if config.get("credential") and changes_columns:
        yield "schema_update", "must be left out beside a credential: its account changes no columns"
    elif changes_columns and _is_written_anew(config, mode):
        yield "schema_update", "is for rows that are added: with mode: all, columns are made anew"


def _is_written_anew(config: Mapping[str, Any], mode: str) -> bool:
    return mode == "all" and config.get("write_disposition", "WRITE_TRUNCATE") == "WRITE_TRUNCATE"


_COMPRESSIONS = {
    "csv": ("NONE", "GZIP"),
    "json": ("NONE", "GZIP"),
    "parquet": ("NONE", "GZIP", "SNAPPY", "ZSTD"),
    "avro": ("NONE", "SNAPPY", "DEFLATE"),
}


def extract_violations(config: Mapping[str, Any], _types: Mapping[str, str]) -> list[tuple[str, str]]:
    """Find what an extract's fields say against each other."""
    form, broken = config["format"], list[tuple[str, str]]()
    if "source_query" not in config:
        if "source_table" not in config:
            broken.append(("source_table", "is required, or source_query"))
        if "maximum_bytes_billed" in config:
            broken.append(("maximum_bytes_billed", "goes with source_query: a table is written for nothing"))
    elif "source_table" in config:
        broken.append(("source_table", "stands beside /source_query: write one of them"))
    if config.get("compression", "NONE") not in _COMPRESSIONS[form]:
        broken.append(("compression", f"must be one of {', '.join(_COMPRESSIONS[form])} for {form} files"))
    for name in ("delimiter", "header"):
        if name in config and form != "csv":
            broken.append((name, "is for csv files alone"))
    return broken


def _incremental(config: Mapping[str, Any], _: Mapping[str, str]) -> list[tuple[str, str]]:
    """Find fields that say nothing by the strategy that is chosen."""
    strategy, broken = config["strategy"], []
    if "unique_key" in config and strategy not in {"merge", "delete_insert"}:
        broken.append(("unique_key", f"is for merge and delete_insert: {strategy} compares no rows"))
    if "lookback" in config and "partition" not in config:
        broken.append(
            ("lookback", "is a number of partitions: write how the table is divided, /partition, too")
        )
    if "lookback" in config and strategy == "append":
        broken.append(
            ("lookback", "would add the rows of earlier intervals again: append writes no row anew")
        )
    return broken


RULES: Mapping[str, Rule] = {
    "partition": Rule(
        fields=("target_table", *PARTITION_FIELDS),
        find_broken=lambda config, types: partition_in(config, types)[1],
    ),
    "extract": Rule(
        fields=(
            "source_table",
            "source_query",
            "maximum_bytes_billed",
            "format",
            "compression",
            "delimiter",
            "header",
        ),
        find_broken=extract_violations,
    ),
    "load": Rule(
        fields=("target_table", "format", "schema", "mode", *PARTITION_FIELDS, *_OF_FORMATS),
        find_broken=load_violations,
    ),
    "columns": Rule(fields=(), find_broken=column_violations),
    "incremental": Rule(fields=("strategy", "unique_key", "partition", "lookback"), find_broken=_incremental),
}

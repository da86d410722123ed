"""Columns of files: what BigQuery asks of a load's schema beyond the shape of each column."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MAX_COLUMNS = 10_000
"""Columns of a table, the fields of STRUCTs counted."""
MAX_STRUCT_LEVELS = 15
STRUCT = "STRUCT"
RESERVED_PREFIXES = ("_TABLE_", "_FILE_", "_PARTITION", "_ROW_TIMESTAMP", "__ROOT__", "_COLIDENTIFIER")
"""What no name of a column begins with, in small letters or capitals."""

_PARTITIONING = {"DATE", "DATETIME", "TIMESTAMP"}
_NOT_CLUSTERING = {"BYTES", "FLOAT64", "JSON", STRUCT, "TIME"}

type Broken = Iterator[tuple[str, str]]
"""Fields by their paths, with dots between the parts, and what they break."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placed:
    """A column as the file has it: where it stands, and in how many STRUCTs."""

    place: str
    column: Mapping[str, Any]
    depth: int

    @property
    def name(self) -> str:
        return str(self.column.get("name", ""))

    @property
    def type(self) -> str:
        return str(self.column.get("type", ""))

    @property
    def is_struct(self) -> bool:
        return self.type == STRUCT

    @property
    def is_repeated(self) -> bool:
        return self.column.get("mode") == "REPEATED"


def column_violations(config: Mapping[str, Any], _types: Mapping[str, str]) -> list[tuple[str, str]]:
    """Find what the columns of a load's schema break, whatever else of it has a wrong shape."""
    placed = [*_columns(config.get("schema"), "schema", depth=0)]
    broken = [*_of_names(placed), *_of_structs(placed)]
    if len(placed) > MAX_COLUMNS:
        counted = f"those in STRUCTs counted; it has {len(placed):,}"
        broken.append(("schema", f"must have at most {MAX_COLUMNS:,} columns, {counted}"))
    if config.get("format") == "csv":
        broken += _of_csv(placed)
    top = {one.name.casefold(): one for one in placed if not one.depth}
    if top:
        broken += [*_of_partitioning(config, top), *_of_clustering(config, top)]
    return broken


def _columns(given: object, place: str, *, depth: int) -> Iterator[_Placed]:
    """List the columns at all levels; the document's depth is bounded."""
    for number, column in enumerate(given if isinstance(given, list) else []):
        if isinstance(column, dict):
            yield _Placed(place=f"{place}.{number}", column=column, depth=depth)
            yield from _columns(column.get("fields"), f"{place}.{number}.fields", depth=depth + 1)


def _of_names(placed: list[_Placed]) -> Broken:
    first: dict[tuple[str, str], str] = {}
    for one in placed:
        siblings, _, _ = one.place.rpartition(".")
        before = first.setdefault((siblings, one.name.casefold()), one.place)
        if before != one.place and one.name:
            named_at = before.replace(".", "/")
            yield f"{one.place}.name", f"is the name of /{named_at} already: capitals make no difference"
        if one.name.upper().startswith(RESERVED_PREFIXES):
            prefixes = ", ".join(RESERVED_PREFIXES)
            yield f"{one.place}.name", f"must not begin with what BigQuery keeps for itself: {prefixes}"


def _of_structs(placed: list[_Placed]) -> Broken:
    for one in placed:
        if one.is_struct and "fields" not in one.column:
            yield f"{one.place}.fields", "is required: the fields of the STRUCT"
        if not one.is_struct and "fields" in one.column:
            yield f"{one.place}.fields", f"goes with type: {STRUCT}"
        if one.is_struct and one.depth == MAX_STRUCT_LEVELS:
            rule = f"is a {STRUCT} in {MAX_STRUCT_LEVELS} others: BigQuery takes {MAX_STRUCT_LEVELS} levels"
            yield f"{one.place}.type", rule


def _of_csv(placed: list[_Placed]) -> Broken:
    for one in placed:
        if one.is_struct and not one.depth:
            yield f"{one.place}.type", f"must not be {STRUCT}: a CSV file has no nested columns"
        if one.is_repeated and not one.depth:
            yield f"{one.place}.mode", "must not be REPEATED: a CSV file has no lists"


def _of_partitioning(config: Mapping[str, Any], top: Mapping[str, _Placed]) -> Broken:
    given = config.get("partitioning")
    named = given.get("field") if isinstance(given, dict) else None
    if not isinstance(named, str) or not isinstance(given, dict):
        return
    found = top.get(named.casefold())
    if found is None:
        if _is_all_there_is(config):
            yield "partitioning.field", "must be a column of /schema, and no field of a STRUCT"
    elif found.is_repeated or found.type not in _PARTITIONING:
        yield "partitioning.field", "must be a DATE, DATETIME or TIMESTAMP in /schema, and not REPEATED"
    elif given.get("type") == "HOUR" and found.type == "DATE":
        yield "partitioning.type", "must not be HOUR: the column is a DATE in /schema"


def _of_clustering(config: Mapping[str, Any], top: Mapping[str, _Placed]) -> Broken:
    given = config.get("clustering")
    for number, named in enumerate(given if isinstance(given, list) else []):
        found = top.get(named.casefold()) if isinstance(named, str) else None
        if found is None:
            if isinstance(named, str) and _is_all_there_is(config):
                yield f"clustering.{number}", "must be a column of /schema, and no field of a STRUCT"
        elif found.is_repeated or found.type in _NOT_CLUSTERING:
            types = ", ".join(sorted(_NOT_CLUSTERING))
            yield f"clustering.{number}", f"must not be REPEATED in /schema, nor {types}"


def _is_all_there_is(config: Mapping[str, Any]) -> bool:
    """Tell whether the table has the columns of the schema and no others, whatever it had before."""
    disposition = config.get("write_disposition", "WRITE_TRUNCATE")
    return config.get("mode") == "all" and disposition == "WRITE_TRUNCATE"

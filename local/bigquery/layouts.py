"""Layouts of tables that jobs write: BigQuery divides and sorts by columns of some types alone."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import duckdb
from local_bigquery.catalog import tables
from local_bigquery.errors import BigQueryError

_PARTITIONING = frozenset({"DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"})
"""DuckDB's types of columns that divide a table by time."""
_NOT_CLUSTERING = {"DOUBLE": "FLOAT64", "BLOB": "BYTES", "JSON": "JSON", "TIME": "TIME"}
"""DuckDB's types of columns that no table is sorted by, beside arrays and structs."""


def install() -> None:
    """Have what writes tables refuse layouts that BigQuery refuses."""
    tables.write = partial(write, tables.write)


def write(
    write_table: Callable[..., bool],
    cur: duckdb.DuckDBPyConnection,
    query: str,
    params: dict[str, Any] | None,
    reference: tuple[str, str, str],
    config: Any,
    *arguments: Any,
    **more: Any,
) -> bool:
    """Write the rows of a query to a table that may be divided, or sorted, by its columns."""
    # A copy has no layout of its own.
    partitioning, clustering = (getattr(config, name, None) for name in ("timePartitioning", "clustering"))
    if (partitioning and partitioning.field) or (clustering and clustering.fields):
        found = cur.sql(query, params=params)
        types = {name.casefold(): str(kind) for name, kind in zip(found.columns, found.types, strict=True)}
        for rule in _violations(partitioning, clustering, types):
            raise BigQueryError("invalid", rule)
    return write_table(cur, query, params, reference, config, *arguments, **more)


def is_nested(kind: str) -> bool:
    """Tell whether DuckDB's type of a column is an array or a struct."""
    return kind.startswith("STRUCT") or kind.endswith("[]")


def _violations(partitioning: Any, clustering: Any, types: dict[str, str]) -> Iterator[str]:
    field = partitioning.field if partitioning else None
    found = types.get(field.casefold(), "") if field else ""
    if found and found not in _PARTITIONING:
        yield (
            "The field specified for time partitioning can only be of type TIMESTAMP, DATE or DATETIME. "
            f"The type found is: {_told(found)}."
        )
    for field in (clustering.fields if clustering else None) or ():
        found = types.get(field.casefold(), "")
        if found in _NOT_CLUSTERING or is_nested(found):
            yield f"Clustering is not supported on fields of type {_told(found)}. Invalid field: {field}"


def _told(found: str) -> str:
    """Name a type as BigQuery does, as far as it is one of those that are asked for most."""
    if found.endswith("[]"):
        return "ARRAY"
    known = _NOT_CLUSTERING | {
        "VARCHAR": "STRING",
        "BIGINT": "INT64",
        "BOOLEAN": "BOOL",
        "INTEGER": "INT64",
        '"NULL"': "INT64",
    }
    return known.get(found, found.partition("(")[0])

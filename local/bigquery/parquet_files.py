"""Parquet files, read as BigQuery reads them: times of old writers, maps, columns that a schema does not fit.

A TIMESTAMP of the physical type INT96 has no zone in DuckDB; BigQuery takes it for UTC. A map is a STRUCT
with the list `key_value`. Values are not converted: a column has the type of its schema, or the load fails.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

import duckdb
from local_bigquery.engine.database import quote
from local_bigquery.models import TableFieldSchema

from local.bigquery.file_readers import kinds_of, unreadable, with_values
from local.bigquery.sql_files import sql

type Fields = Sequence[TableFieldSchema]

_STORED_AS = {
    "STRING": ({"BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"}, "STRING"),
    "BYTES": ({"BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"}, "BYTES"),
    "INT64": ({"INT32", "INT64"}, "INT64"),
    "INTEGER": ({"INT32", "INT64"}, "INT64"),
    "FLOAT64": ({"FLOAT", "DOUBLE"}, "DOUBLE"),
    "FLOAT": ({"FLOAT", "DOUBLE"}, "DOUBLE"),
    "BOOL": ({"BOOLEAN"}, "BOOL"),
    "BOOLEAN": ({"BOOLEAN"}, "BOOL"),
}
"""The physical types that a column of BigQuery's is read from, and what it is called there."""


def with_bigquerys_types(cur: duckdb.DuckDBPyConnection, files: str, reader: str, fields: Fields) -> str:
    """Return what reads files with BigQuery's types; BigQueryError where they do not fit their schema."""
    stored = _stored(cur, files)
    kinds = kinds_of(cur, reader)
    _check(cur, reader, fields, stored, kinds)
    return with_values(reader, [f"{cast} AS {quote(name)}" for name, cast in _casts(kinds, stored)])


def _stored(cur: duckdb.DuckDBPyConnection, files: str) -> dict[str, str]:
    """Return the physical types of columns by name; not of those that share theirs with a part of another."""
    rows = cur.sql(sql("parquet_columns", files=files)).fetchall()
    counts = Counter(name for name, _ in rows)
    return {name: kind for name, kind in rows if kind and counts[name] == 1}


def _casts(kinds: dict[str, str], stored: dict[str, str]) -> Iterator[tuple[str, str]]:
    for name, kind in kinds.items():
        if kind == "TIMESTAMP" and stored.get(name) == "INT96":
            yield name, f"{quote(name)} AT TIME ZONE 'UTC'"
        elif kind.startswith("MAP("):
            yield (
                name,
                f"CASE WHEN {quote(name)} IS NOT NULL THEN {{'key_value': map_entries({quote(name)})}} END",
            )


def _check(
    cur: duckdb.DuckDBPyConnection,
    reader: str,
    fields: Fields,
    stored: dict[str, str],
    kinds: dict[str, str],
) -> None:
    by_name = {name.casefold(): name for name in kinds}
    for field in fields:
        name = by_name.get((field.name or "").casefold(), "")
        found, (fitting, called) = stored.get(name), _STORED_AS.get((field.type or "").upper(), (set(), ""))
        if found and fitting and found not in fitting and field.mode != "REPEATED":
            told = (
                f"Parquet column '{name}' has type {found} which does not match the target cpp_type {called}."
            )
            raise unreadable(told)
    required = [by_name[one.name.casefold()] for one in fields if _is_required(one, by_name)]
    if not required:
        return
    columns = ", ".join(sql("column_is_null", column=quote(name)) for name in required)
    row = cur.sql(sql("all_of", columns=columns, reader=reader)).fetchone() or ()
    missing = next((name for name, is_null in zip(required, row, strict=True) if is_null), "")
    if missing:
        raise unreadable(f"Only optional fields can be set to NULL. Field: {missing}")


def _is_required(field: TableFieldSchema, by_name: dict[str, str]) -> bool:
    return field.mode == "REQUIRED" and (field.name or "").casefold() in by_name

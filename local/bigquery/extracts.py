"""Files that a table becomes: CSV has neither arrays nor structs, and values are written as BigQuery does."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import duckdb
from local_bigquery.engine.database import quote
from local_bigquery.errors import BigQueryError
from local_bigquery.jobs import extract

from local.bigquery.layouts import is_nested
from local.bigquery.sql_files import sql

_write: Callable[..., int] = extract.write
_TEXTS = {
    "blob": "written_bytes",
    "decimal": "written_decimal",
    "timestamp": "written_datetime",
    "timestamp with time zone": "written_timestamp",
    **dict.fromkeys(("tinyint", "smallint", "integer", "bigint", "hugeint"), "written_integer"),
}
"""By DuckDB's type: what writes a value as files of BigQuery's have it, whole numbers of JSON as texts."""


def install() -> None:
    """Refuse what BigQuery refuses, and write what it writes."""
    extract.write = _checked_write


def _checked_write(cur: duckdb.DuckDBPyConnection, query: str, params: Any, config: Any) -> int:
    form = (config.destinationFormat or "CSV").upper()
    if form not in {"CSV", "JSON", "NEWLINE_DELIMITED_JSON"}:
        return _write(cur, query, params, config)
    found = cur.sql(query, params=params or None)
    kinds = dict(zip(found.columns, found.types, strict=True))
    for name, kind in kinds.items():
        if form == "CSV" and is_nested(str(kind)):
            raise BigQueryError("invalid", f"Operation cannot be performed on a nested schema. Field: {name}")
    columns = ", ".join(f"{_written(quote(name), kind)} AS {quote(name)}" for name, kind in kinds.items())
    return _write(cur, sql("written_rows", columns=columns, query=query), params, config)


def _written(value: str, kind: Any, elements: Iterator[int] | None = None) -> str:
    """Write what a value is in a file, whatever it is made of."""
    elements = elements or count()
    if kind.id in {"list", "array"}:
        element = f"e{next(elements)}"
        return f"list_transform({value}, {element} -> {_written(element, kind.children[0][1], elements)})"
    if kind.id == "struct":
        fields = ", ".join(
            f"{quote(name)} := {_written(f'{value}.{quote(name)}', inner, elements)}"
            for name, inner in kind.children
        )
        return f"CASE WHEN {value} IS NOT NULL THEN struct_pack({fields}) END"
    return sql(_TEXTS[kind.id], value=value).strip() if kind.id in _TEXTS else value

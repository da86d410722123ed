"""WRITE_TRUNCATE_DATA: a job's rows take the place of a table's, whose columns stay as they are.

`local_bigquery` takes the disposition for WRITE_TRUNCATE, which also makes the columns anew.
"""

from typing import Any

from local_bigquery.catalog import tables
from local_bigquery.engine import types
from local_bigquery.engine.database import quote
from local_bigquery.errors import BigQueryError

from local.bigquery.sql_files import sql

DISPOSITION = "WRITE_TRUNCATE_DATA"
NULL = '"NULL"'
"""DuckDB's type of a bare NULL, which fits any column."""
_write = tables.write


def write(
    cur: Any,
    query: str,
    params: dict[str, Any] | None,
    reference: tuple[str, str, str],
    config: Any,
    default: str = "WRITE_EMPTY",
    prefix: str = "Invalid schema update. ",
    **more: Any,
) -> bool:
    """Write as `local_bigquery` does, except where rows alone are to be replaced."""
    if (config.writeDisposition or default) == DISPOSITION:
        if tables.exists(*reference):
            query = _in_columns_of(cur, query, params, reference, prefix)
        config = config.replace(writeDisposition="WRITE_TRUNCATE")
    return bool(_write(cur, query, params, reference, config, default, prefix, **more))


def _in_columns_of(
    cur: Any, query: str, params: dict[str, Any] | None, reference: tuple[str, str, str], prefix: str
) -> str:
    """Select a query's columns as a table has them; BigQueryError where they do not fit."""
    kept = cur.sql(sql("no_rows", table=tables.name(*reference)))
    kept_types = {name.casefold(): kind for name, kind in zip(kept.columns, kept.types, strict=True)}
    given = cur.sql(query, params=params)
    for name, kind in zip(given.columns, given.types, strict=True):
        if name.casefold() not in kept_types:
            raise BigQueryError("invalid", f"{prefix}Cannot add fields (field: {name})")
        if str(kind) != NULL and types.normalised(kind) != types.normalised(kept_types[name.casefold()]):
            raise BigQueryError("invalid", f"{prefix}Field {name} has changed type")
    found = {name.casefold() for name in given.columns}
    columns = ", ".join(
        f"CAST({quote(name) if name.casefold() in found else 'NULL'} AS {kind}) AS {quote(name)}"
        for name, kind in zip(kept.columns, kept.types, strict=True)
    )
    return sql("in_columns", columns=columns, query=query)

"""Files that a table cannot become: CSV has neither arrays nor structs."""

from collections.abc import Callable
from typing import Any

import duckdb
from local_bigquery.errors import BigQueryError
from local_bigquery.jobs import extract

from local.bigquery.layouts import is_nested

_write: Callable[..., int] = extract.write


def install() -> None:
    """Refuse what BigQuery refuses."""
    extract.write = _checked_write


def _checked_write(cur: duckdb.DuckDBPyConnection, query: str, params: Any, config: Any) -> int:
    if (config.destinationFormat or "CSV").upper() == "CSV":
        found = cur.sql(query, params=params or None)
        for name, kind in zip(found.columns, map(str, found.types), strict=True):
            if is_nested(kind):
                raise BigQueryError(
                    "invalid", f"Operation cannot be performed on a nested schema. Field: {name}"
                )
    return _write(cur, query, params, config)

"""What reads the files of a load: the columns that it has, and other values in some of them."""

from collections.abc import Sequence

import duckdb
from local_bigquery.errors import BigQueryError

from local.bigquery.sql_files import sql

READING = "Error while reading data, error message: "


def unreadable(told: str) -> BigQueryError:
    """Say what is wrong with files as BigQuery does."""
    return BigQueryError("invalid", f"{READING}{told}")


def kinds_of(cur: duckdb.DuckDBPyConnection, reader: str) -> dict[str, str]:
    """Return DuckDB's types of the columns by name; BigQueryError where a list holds lists."""
    found = cur.sql(sql("all_of", columns="*", reader=reader))
    kinds = {name: str(kind) for name, kind in zip(found.columns, found.types, strict=True)}
    for name, kind in kinds.items():
        if "[][]" in kind:
            raise unreadable(f"Nested arrays not allowed. Field: {name}")
    return kinds


def with_values(reader: str, values: Sequence[str]) -> str:
    """Return what reads the same with other values in some columns, each `expression AS column`."""
    columns = f"* REPLACE ({', '.join(values)})"
    return f"({sql('all_of', columns=columns, reader=reader)})" if values else reader

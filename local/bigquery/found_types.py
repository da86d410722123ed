"""Types that DuckDB finds out in files, as BigQuery finds them out.

A day with a time is a TIMESTAMP there, in UTC where it names no zone, never a DATETIME; what has no value, or
values of several types, is a STRING; and no list holds lists.
"""

import duckdb
from local_bigquery.engine.database import quote

from local.bigquery.file_readers import kinds_of, with_values
from local.bigquery.sql_files import sql


def with_found_types(cur: duckdb.DuckDBPyConnection, reader: str) -> str:
    """Return what reads files with the types of their columns; BigQueryError where BigQuery finds none."""
    kinds = kinds_of(cur, reader)
    casts = [
        f"{quote(name)} AT TIME ZONE 'UTC' AS {quote(name)}"
        for name, kind in kinds.items()
        if kind == "TIMESTAMP"
    ]
    casts += [f"{quote(name)} ->> '$' AS {quote(name)}" for name in _of_scalars(cur, reader, kinds)]
    return with_values(reader, casts)


def _of_scalars(cur: duckdb.DuckDBPyConnection, reader: str, kinds: dict[str, str]) -> list[str]:
    """Name the columns of JSON in which no value has parts."""
    names = [name for name, kind in kinds.items() if kind == "JSON"]
    if not names:
        return []
    columns = ", ".join(sql("is_scalar", column=quote(name)) for name in names)
    row = cur.sql(sql("all_of", columns=columns, reader=reader)).fetchone() or ()
    return [name for name, is_scalar in zip(names, row, strict=True) if is_scalar]

"""Catalog look-ups that stay quick with hundreds of tables.

`local_bigquery` looks a table up through DuckDB's `duckdb_tables()`, which visits the statistics of every
table of every dataset: about 1 ms for each, several times per job. These look-ups ask DuckLake's own metadata
for the one table.
"""

import duckdb
from local_bigquery.engine import database

from local.bigquery.sql_files import sql

EMULATOR = "emulator"
CONSTANT_RESULT = "select_1"

Object = tuple[str, str, int]
"""Name, kind (TABLE or VIEW) and row count."""


def install() -> None:
    """Put the quick look-ups in the place of those of `local_bigquery`, for the connection that is open."""
    database.objects = objects
    database.execute(sql("hide_temporary_tables"))


def objects(project: str, dataset: str, table: str | None = None) -> list[Object]:
    """Return the tables and views of a dataset, or the one of a name."""
    if project == EMULATOR:
        return _own_table(dataset, table or "")
    catalog = database.quote(f"__ducklake_metadata_{project}")
    try:
        found: list[Object] = database.fetch(
            sql("objects", catalog=catalog), {"dataset_id": dataset, "table_id": table}
        )
    except duckdb.CatalogException:  # no such project yet
        return []
    return found


def ensure_constant(project: str) -> str:
    """Return the name of the result table that holds the row of `SELECT 1`."""
    database.execute(sql("constant_result", table=result_table(f"{project}:{CONSTANT_RESULT}")))
    return CONSTANT_RESULT


def result_table(name: str) -> str:
    """Return the quoted path of a result table."""
    path: str = database.quote(EMULATOR, "_results", name)
    return path


def _own_table(schema: str, name: str) -> list[Object]:
    # Jobs, results and the like: native tables, for which a count is quick.
    try:
        [(rows,)] = database.fetch(sql("count_rows", table=database.quote(EMULATOR, schema, name)))
    except duckdb.CatalogException:
        return []
    return [(name, "TABLE", rows)]

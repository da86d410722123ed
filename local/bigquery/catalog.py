"""Catalog look-ups that stay quick with hundreds of tables.

`local_bigquery` looks a table up through DuckDB's `duckdb_tables()` and `duckdb_columns()`, which visit every
table of every dataset: up to 1 ms for each, several times per job. These look-ups ask DuckLake's own metadata
for the one table, and remember the answer until a table changes.
"""

from typing import Any

import duckdb
from local_bigquery import errors
from local_bigquery.catalog import datasets, metadata, names, row_access, tabledata, tables
from local_bigquery.engine import database, types
from local_bigquery.models import TableFieldSchema
from local_bigquery.sql.rules import partitions
from sqlglot import exp

from local.bigquery.changes import Change
from local.bigquery.memories import Memory, Resources
from local.bigquery.sql_files import sql

EMULATOR = "emulator"
CONSTANT_RESULT = "select_1"

RESOURCES = Resources()
TABLES = Memory()
"""Which datasets, tables and columns there are. A topic is a table, what a dataset holds, or `VIEWS`."""
LISTED = ""
"""Which of a dataset's topics is all that it holds."""
VIEWS = ("columns of views",)
"""A view reads tables of any dataset."""
ROWS = Memory(is_recorded=False)
"""How many rows they have. A topic is a table."""

Object = tuple[str, str, int]
"""Name, kind (TABLE or VIEW) and row count."""


def install() -> None:
    """Put the quick look-ups in the place of those of `local_bigquery`, for the connection that is open."""
    database.objects = objects
    datasets.exists = dataset_exists
    tables.columns = tabledata.columns = columns
    metadata.fetch, metadata.execute = RESOURCES.fetch, RESOURCES.execute
    row_access.fetch = RESOURCES.fetch
    partitions._hidden = has_ingestion_time
    database.execute(sql("hide_temporary_tables"))


def note(change: Change) -> None:
    """Forget what a statement may have changed."""
    if change.is_of_all or change.is_of_all_rows:
        ROWS.clear()
    for name in change.written | change.defined:
        ROWS.forget(name)
    if change.is_of_all:
        TABLES.clear()
    for dataset, *table in change.defined:
        TABLES.forget((dataset, *table))
        TABLES.forget((dataset, LISTED))
    if change.defined:
        TABLES.forget(VIEWS)


def lake(project: str) -> str:
    """Return the quoted name of the catalog in which DuckLake keeps what it knows of a project."""
    name: str = database.quote(f"__ducklake_metadata_{project}")
    return name


def ask_lake(project: str, question: str, **parameters: Any) -> list[Any]:
    """Put a question of `sql/` to that catalog; no rows where there is no such project."""
    try:
        rows: list[Any] = database.fetch(sql(question, catalog=lake(project)), parameters)
    except duckdb.CatalogException:
        return []
    return rows


def dataset_exists(project: str, dataset: str) -> bool:
    """Tell whether a project has a dataset of this name."""
    return bool(_ask_of_tables(project, "dataset", dataset_id=dataset))


def is_there(project: str, dataset: str, table: str) -> bool:
    """Tell whether a project's dataset has a table or view of this name."""
    return bool(_named(project, dataset, table))


def objects(project: str, dataset: str, table: str | None = None) -> list[Object]:
    """Return the tables and views of a dataset, or the one of a name."""
    if project == EMULATOR:
        return _own_table(dataset, table or "")
    found = _named(project, dataset, table)
    return [(name, kind, _row_count(project, _topic(dataset, name), number)) for name, kind, number in found]


def columns(project: str, dataset: str, table: str) -> list[TableFieldSchema]:
    """Return the schema of a table or view, as DuckDB has it."""
    if dataset == tables.RESULTS:
        return _columns(project, dataset, table)  # Remembered for nobody: one job's, and seldom asked for.
    kinds = [kind for _, kind, _ in _named(project, dataset, table)]
    topic = _topic(dataset, table) if kinds == ["TABLE"] else VIEWS
    question = ("columns", project, dataset, table)
    return list(TABLES.answer(topic, question, lambda: _columns(project, dataset, table)))


def size_bytes(project: str, dataset: str, table: str) -> int:
    """Return the size of a table in bytes, 8 for each value, as `local_bigquery` counts it; 0 without one."""
    found = _ask_of_tables(project, "table_width", dataset_id=dataset, table_id=table)
    topic = _topic(dataset, table)
    return sum(width * _row_count(project, topic, number) * 8 for number, width in found)


def has_ingestion_time(table: exp.Table) -> bool:
    """Tell whether a table that a statement names is partitioned by the time at which its rows came."""
    if not (table.catalog and table.db) or not isinstance(table.this, exp.Identifier):
        return False
    column = tables.INGESTION_TIME
    return bool(
        _ask_of_tables(table.catalog, "has_column", dataset_id=table.db, table_id=table.name, column=column)
    )


def _named(project: str, dataset: str, table: str | None) -> list[tuple[str, str, int | None]]:
    """Return the name, kind and number in DuckLake of all tables and views of a dataset, or of one."""
    return _ask_of_tables(project, "objects", dataset_id=dataset, table_id=table)


def _topic(dataset: str | None, table: str | None) -> tuple[str, str]:
    """Return what is asked about; a temporary table has no dataset."""
    return (dataset or "").casefold(), (table or LISTED).casefold()


def _ask_of_tables(project: str, question: str, *, dataset_id: str, **parameters: str | None) -> list[Any]:
    return TABLES.answer(
        _topic(dataset_id, parameters.get("table_id")),
        (question, project, dataset_id, *parameters.values()),
        lambda: ask_lake(project, question, dataset_id=dataset_id, **parameters),
    )


def _row_count(project: str, topic: tuple[str, str], number: int | None) -> int:
    """Return the rows of the table of this number in DuckLake; 0 for a view, which has none."""
    if number is None:
        return 0
    rows = ROWS.answer(topic, (project, number), lambda: ask_lake(project, "table_rows", number=number))
    return sum(int(count) for (count,) in rows)


def _columns(project: str, dataset: str, table: str) -> list[TableFieldSchema]:
    name = tables.name(project, dataset, table)
    with database.cursor() as cursor:
        try:
            relation = cursor.sql(f"FROM {name} LIMIT 0")
        except duckdb.CatalogException:
            raise errors.not_found("Table", names.label(project, dataset, table)) from None
        required = _required_columns(project, dataset, table)
        return [
            types.field(column, kind, column in required)
            for column, kind in zip(relation.columns, relation.types, strict=True)
            if column != tables.INGESTION_TIME or dataset == tables.RESULTS
        ]


def _required_columns(project: str, dataset: str, table: str) -> set[str]:
    if dataset == tables.RESULTS:
        return set()  # What a query returns may always be NULL.
    found = ask_lake(project, "required_columns", dataset_id=dataset, table_id=table)
    return {column for (column,) in found}


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

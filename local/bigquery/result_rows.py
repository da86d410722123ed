"""Rows of queries without a destination, written and read by as few statements as that takes.

`local_bigquery` treats the table of such rows as any other: it asks whether it is there, how it is laid out,
how many rows it has and when it expires. The job alone knows its name, and it is what the job has made it.
"""

from typing import Any

import duckdb
from local_bigquery import errors
from local_bigquery.catalog import names, tabledata, tables
from local_bigquery.engine import database, results, types
from local_bigquery.models import TableFieldSchema

from local.bigquery import truncate_data
from local.bigquery.sql_files import sql

UNUSUAL = frozenset({*tables.LAYOUT, "createDisposition", "schemaUpdateOptions", "writeDisposition"})
"""Settings about a destination, which `local_bigquery` judges."""

FOUND = "found_rows"
"""What a cursor calls the rows that it writes."""
Listed = tuple[results.Page, list[TableFieldSchema]]
_list_rows = tabledata.list_rows


def install() -> None:
    """Have all jobs write by `write`, which knows WRITE_TRUNCATE_DATA too, and read by `list_rows`."""
    tables.write = write
    tabledata.list_rows = list_rows


def write(
    cur: Any,
    query: str,
    params: dict[str, Any] | None,
    reference: tuple[str, str, str],
    config: Any,
    *arguments: Any,
    **more: Any,
) -> bool:
    """Write the rows of a query."""
    is_plain = reference[1] == tables.RESULTS and not UNUSUAL & config.model_fields_set
    if not is_plain or more.get("isolated"):
        return truncate_data.write(cur, query, params, reference, config, *arguments, **more)
    if params:
        _write_found(cur, cur.sql(query, params=params), tables.name(*reference))
    else:
        results.materialise(cur, query, tables.name(*reference))
    return True


def _write_found(cur: Any, found: Any, table: str) -> None:
    """Write the rows that a query with parameters has found: DuckDB runs one at once, others when asked."""
    cur.register(FOUND, found)
    try:
        results.materialise(cur, f"FROM {FOUND}", table)
    finally:
        cur.unregister(FOUND)


def list_rows(
    project: str,
    dataset: str,
    table: str,
    max_results: int | None,
    start: int,
    selected_fields: str | None,
    int64_timestamps: bool,
) -> Listed:
    """Return a page of rows, and the columns."""
    if dataset != tables.RESULTS or selected_fields:
        listed: Listed = _list_rows(
            project, dataset, table, max_results, start, selected_fields, int64_timestamps
        )
        return listed
    with database.cursor() as cursor:
        try:
            return _page(cursor, tables.name(project, dataset, table), max_results, start, int64_timestamps)
        except duckdb.CatalogException:
            raise errors.not_found("Table", names.label(project, dataset, table)) from None


def _page(cursor: Any, table: str, max_results: int | None, start: int, int64_timestamps: bool) -> Listed:
    """Read a page as `local_bigquery` does, and ask only for what the page itself does not tell."""
    limit = results.DEFAULT_PAGE_SIZE if max_results is None else max_results
    relation = cursor.sql(f"FROM {table}")
    columns = list(zip(relation.columns, relation.types, strict=True))
    row = types.row(columns, int64_timestamps)
    rows = cursor.execute(
        sql("result_page", table=table, row=row), {"limit": limit, "start": start}
    ).fetchall()
    end = start + len(rows)
    is_all = start == 0 and len(rows) < limit
    total = end if is_all else cursor.execute(sql("count_rows", table=table)).fetchone()[0]
    page = results.Page([text for (text,) in rows], total, str(end) if end < total else None)
    return page, [types.field(name, kind) for name, kind in columns]

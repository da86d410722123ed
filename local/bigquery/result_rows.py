"""Rows of queries without a destination, written and read by as few statements as that takes.

`local_bigquery` treats the table of such rows as any other: it asks whether it is there, how it is laid out,
how many rows it has and when it expires. The job alone knows its name, and it is what the job has made it.
"""

from typing import Any

from local_bigquery.catalog import tabledata, tables
from local_bigquery.engine import database, results
from local_bigquery.models import TableFieldSchema

from local.bigquery import catalog, truncate_data

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
    visible = catalog.columns(project, dataset, table)
    name, wanted = tables.name(project, dataset, table), [field.name.casefold() for field in visible]
    with database.cursor() as cursor:
        return results.page(cursor, name, max_results, start, wanted, int64_timestamps), visible

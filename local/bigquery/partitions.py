"""Partition decorators: a job whose destination is `table$20260131` writes that one partition of the table.

`local_bigquery` takes the decorator for a part of the table's name.
"""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from local_bigquery.catalog import metadata, tabledata, tables
from local_bigquery.engine.database import quote
from local_bigquery.errors import BigQueryError
from local_bigquery.models import Table

from local.bigquery.sql_files import sql

FORMATS = {"HOUR": "%Y%m%d%H", "DAY": "%Y%m%d", "MONTH": "%Y%m", "YEAR": "%Y"}
_DECORATED = re.compile(r"(.+)\$(\d{4}|\d{6}|\d{8}|\d{10})")
_LENGTHS = {10: "HOUR", 8: "DAY", 6: "MONTH", 4: "YEAR"}

_LAYOUT = ("timePartitioning", "rangePartitioning", "clustering")

type Reference = tuple[str, str, str]

_physical: Callable[[str, str, str], Reference] = tables.physical
_name: Callable[[str, str, str], str] = tables.name


def install() -> None:
    """Have all kinds of jobs know decorators, around whatever else changes how tables are written."""
    tables.write = partial(write, tables.write)
    tables.physical = _physical_of
    tabledata.name = _name_of


def split(table_id: str) -> tuple[str, str]:
    """Return the name of a table without its decorator, and the partition, "" where it names none."""
    found = _DECORATED.fullmatch(table_id)
    return (found[1], found[2]) if found else (table_id, "")


def write(
    write_table: Callable[..., bool],
    cur: Any,
    query: str,
    params: dict[str, Any] | None,
    reference: Reference,
    config: Any,
    default: str = "WRITE_EMPTY",
    prefix: str = "Invalid schema update. ",
    **more: Any,
) -> bool:
    """Write as `local_bigquery` does; to one partition where the destination names one."""
    table_id, partition = split(reference[2])
    source = _layout_of_source(config)
    if partition:
        reference = (*reference[:2], table_id)
        field = _field(reference, source or config, partition)
        _check_rows(cur, query, params, reference, field, partition)
        if (config.writeDisposition or default) == "WRITE_TRUNCATE" and tables.exists(*reference):
            _check_columns(cur, query, params, reference, config)
            query = sql(
                "with_other_partitions",
                table=_name(*reference),
                query=query,
                field=quote(field),
                format=f"'{FORMATS[_LENGTHS[len(partition)]]}'",
                partition=f"'{partition}'",
            )
            config = config.replace(schemaUpdateOptions=None)
    is_new = write_table(cur, query, params, reference, config, default, prefix, **more)
    if is_new and source:
        tables.annotate(reference, source)
    return is_new


def _layout_of_source(config: Any) -> Table | None:
    """Return how the table that a job copies is divided and sorted: a copy takes that over."""
    named = getattr(config, "sourceTables", None) or [getattr(config, "sourceTable", None)]
    if named[0] is None:
        return None
    project_id, dataset_id, table_id = tables.reference(named[0])
    stored = metadata.load(Table, project_id, dataset_id, split(table_id)[0])
    kept = {name: value for name in _LAYOUT if (value := getattr(stored, name, None)) is not None}
    return Table(**kept) if kept else None


def _field(reference: Reference, config: Any, partition: str) -> str:
    """Return the column by which a table is partitioned, or will be."""
    stored = metadata.load(Table, *reference)
    by_time = (stored.timePartitioning if stored else None) or getattr(config, "timePartitioning", None)
    if by_time is None or not by_time.field or (by_time.type or "DAY") != _LENGTHS[len(partition)]:
        raise BigQueryError(
            "invalid", f"Incompatible table partitioning specification of the partition {partition}"
        )
    return str(by_time.field)


def _check_rows(
    cur: Any, query: str, params: dict[str, Any] | None, reference: Reference, field: str, partition: str
) -> None:
    elsewhere = sql(
        "rows_of_other_partitions",
        query=query,
        field=quote(field),
        format=f"'{FORMATS[_LENGTHS[len(partition)]]}'",
        partition=f"'{partition}'",
    )
    if cur.sql(elsewhere, params=params).fetchone():
        name = f"{reference[0]}:{reference[1]}.{reference[2]}${partition}"
        raise BigQueryError(
            "invalid", f"Some rows belong to different partitions rather than destination partition {name}"
        )


def _check_columns(
    cur: Any, query: str, params: dict[str, Any] | None, reference: Reference, config: Any
) -> None:
    had = {column.name.casefold() for column in tables.columns(*reference)}
    new = [name for name in cur.sql(query, params=params).columns if name.casefold() not in had]
    if new and "ALLOW_FIELD_ADDITION" not in (getattr(config, "schemaUpdateOptions", None) or []):
        name = f"{reference[0]}:{reference[1]}.{reference[2]}"
        raise BigQueryError(
            "invalid", f"Provided Schema does not match Table {name}. Cannot add fields (field: {new[0]})"
        )


def _physical_of(project_id: str, dataset_id: str, table_id: str) -> Reference:
    return _physical(project_id, dataset_id, split(table_id)[0])


def _name_of(project_id: str, dataset_id: str, table_id: str) -> str:
    """Name a table whose rows are to be listed; a partition is the query of its rows."""
    table_id, partition = split(table_id)
    name = _name(project_id, dataset_id, table_id)
    stored = metadata.load(Table, project_id, dataset_id, table_id) if partition else None
    if stored is None or stored.timePartitioning is None or not stored.timePartitioning.field:
        return name
    return sql(
        "partition",
        table=name,
        field=quote(stored.timePartitioning.field),
        format=f"'{FORMATS[_LENGTHS[len(partition)]]}'",
        partition=f"'{partition}'",
    )

"""The schema of a load and that of its table: BigQuery holds them against each other at all levels.

A copy has the columns of its source, with their modes and descriptions. `local_bigquery` keeps none of these,
compares the names of columns alone, and drops fields that a STRUCT of the table does not have.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import duckdb
from local_bigquery.catalog import tables
from local_bigquery.engine import types
from local_bigquery.engine.database import quote
from local_bigquery.errors import BigQueryError
from local_bigquery.models import JobConfigurationLoad, JobConfigurationTableCopy, Table, TableFieldSchema

from local.bigquery.partitions import split
from local.bigquery.sql_files import sql

ADDITION, RELAXATION = "ALLOW_FIELD_ADDITION", "ALLOW_FIELD_RELAXATION"
_STANDARD = {"INT64": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN", "STRUCT": "RECORD"}

type Fields = Sequence[TableFieldSchema]
type Reference = tuple[str, str, str]


def install() -> None:
    """Compare schemas around all that writes tables."""
    tables.write = partial(write, tables.write)


def write(
    write_table: Callable[..., bool],
    cur: duckdb.DuckDBPyConnection,
    query: str,
    params: dict[str, Any] | None,
    reference: Reference,
    config: Any,
    *arguments: Any,
    **more: Any,
) -> bool:
    """Write the rows of a load or a copy to a table whose columns take them, and keep what is REQUIRED."""
    name, partition = split(reference[2])
    table = (*reference[:2], name)
    replaces = config.writeDisposition == "WRITE_TRUNCATE"
    had = _fields_of(table) if not replaces or partition else []
    match config:
        case JobConfigurationLoad(schema_=schema) if schema and schema.fields:
            columns = _taken(cur, table, had, schema.fields, config)
        case JobConfigurationLoad():
            columns = _found_out(cur, query, params, table, had, config)
        case JobConfigurationTableCopy() if not had:
            source = tables.reference((config.sourceTables or [config.sourceTable])[0])
            columns = _fields_of((*source[:2], split(source[2])[0]))
        case _:
            return write_table(cur, query, params, reference, config, *arguments, **more)
    is_new = write_table(cur, query, params, reference, config, *arguments, **more)
    if is_new or replaces:
        for field in columns:
            if field.mode == "REQUIRED":
                cur.execute(sql("require", table=tables.name(*table), column=quote(field.name)))
    if columns:
        tables.annotate(table, Table(schema={"fields": columns}))
    return is_new


def _taken(
    cur: duckdb.DuckDBPyConnection, table: Reference, had: Fields, given: Fields, config: JobConfigurationLoad
) -> list[TableFieldSchema]:
    """Return the columns that a table has once it has the rows of a schema; refuse what it does not take."""
    if not had:
        return [*given]
    for rule in violations(had, given, set(config.schemaUpdateOptions or ())):
        raise _refused(table, rule)
    _change(cur, table, had, given)
    return [*_merged(had, given)]


def _found_out(
    cur: duckdb.DuckDBPyConnection,
    query: str,
    params: dict[str, Any] | None,
    table: Reference,
    had: Fields,
    config: JobConfigurationLoad,
) -> list[TableFieldSchema]:
    """Let rows whose columns nobody has said bring new fields of STRUCTs where they may; modes stay."""
    rows = cur.sql(query, params=params)
    given = [types.field(name, kind) for name, kind in zip(rows.columns, rows.types, strict=True)]
    may_add = ADDITION in (config.schemaUpdateOptions or ())
    for field, old in _pairs(had, given):
        for path, new in () if may_add else _added(old, field, old.name or ""):
            raise _refused(table, f"Cannot add fields (field: {_told(path)}.{new.name})")
        _add(cur, table, old, field)
    return []


def _told(path: str) -> str:
    return path.replace('"', "").replace(".element", "")


def _refused(table: Reference, rule: str) -> BigQueryError:
    label = f"{table[0]}:{table[1]}.{table[2]}"
    return BigQueryError("invalid", f"Provided Schema does not match Table {label}. {rule}")


def violations(had: Fields, given: Fields, options: set[str], path: str = "") -> Iterator[str]:
    """Say what keeps rows of a schema out of a table that has another."""
    known = _by_name(had)
    for field in given:
        if old := known.get(_key(field)):
            yield from _changes(old, field, options, f"{path}{field.name}")
        elif ADDITION not in options:
            yield f"Cannot add fields (field: {path}{field.name})"
        elif field.mode == "REQUIRED":
            yield f"Cannot add required fields to an existing schema. (field: {path}{field.name})"
    named = _by_name(given)
    for old in had:
        if old.mode == "REQUIRED" and _key(old) not in named:
            yield f"Field {path}{old.name} is missing in new schema"


def _changes(old: TableFieldSchema, field: TableFieldSchema, options: set[str], place: str) -> Iterator[str]:
    """Say what of a field's type, its mode and its own fields BigQuery changes in no table."""
    if (had := _type(old)) != (given := _type(field)):
        yield f"Field {place} has changed type from {had} to {given}"
        return
    modes = old.mode or "NULLABLE", field.mode or "NULLABLE"
    is_relaxed = modes == ("REQUIRED", "NULLABLE") and RELAXATION in options
    if modes[0] != modes[1] and not is_relaxed:
        yield f"Field {place} has changed mode from {modes[0]} to {modes[1]}"
    yield from violations(old.fields or [], field.fields or [], options, f"{place}.")


def _fields_of(table: Reference) -> list[TableFieldSchema]:
    """Return the columns of a table that has any."""
    if not tables.exists(*table):
        return []
    return list(tables.fields(tables.load(*table)))


def _change(cur: duckdb.DuckDBPyConnection, table: Reference, had: Fields, given: Fields) -> None:
    """Give a table the new fields of its STRUCTs, and let columns be empty that may be from now on."""
    for field, old in _pairs(had, given):
        if (old.mode, field.mode or "NULLABLE") == ("REQUIRED", "NULLABLE"):
            cur.execute(sql("relax", table=tables.name(*table), column=quote(old.name)))
        _add(cur, table, old, field)


def _add(
    cur: duckdb.DuckDBPyConnection, table: Reference, old: TableFieldSchema, given: TableFieldSchema
) -> None:
    """Give a STRUCT of a table its new fields."""
    for path, added in _added(old, given, quote(old.name)):
        column = f"{path}.{types.column(added, nested=True)}"
        cur.execute(sql("add_field", table=tables.name(*table), column=column))


def _added(
    old: TableFieldSchema, given: TableFieldSchema, path: str
) -> Iterator[tuple[str, TableFieldSchema]]:
    """List the fields that a STRUCT of a table does not have, each with the path of its STRUCT."""
    inner = f"{path}.element" if old.mode == "REPEATED" else path
    known = _by_name(old.fields or [])
    yield from ((inner, field) for field in given.fields or [] if _key(field) not in known)
    for field, one in _pairs(old.fields or [], given.fields or []):
        yield from _added(one, field, f"{inner}.{quote(one.name)}")


def _merged(had: Fields, given: Fields) -> Iterator[TableFieldSchema]:
    """Yield the columns of a table after a load: those that it has, as they may be now, and new ones."""
    by_name = _by_name(given)
    for old in had:
        field = by_name.pop(_key(old), None)
        yield _updated(old, field) if field else old
    yield from by_name.values()


def _updated(old: TableFieldSchema, field: TableFieldSchema) -> TableFieldSchema:
    changes: dict[str, Any] = {"mode": field.mode or "NULLABLE"}
    if field.description:
        changes["description"] = field.description
    if old.fields:
        changes["fields"] = [*_merged(old.fields, field.fields or [])]
    return old.replace(**changes)


def _pairs(had: Fields, given: Fields) -> Iterator[tuple[TableFieldSchema, TableFieldSchema]]:
    """Yield each given field that a table has, with the table's own."""
    known = _by_name(had)
    yield from ((field, old) for field in given if (old := known.get(_key(field))))


def _by_name(fields: Fields) -> dict[str, TableFieldSchema]:
    return {_key(field): field for field in fields}


def _key(field: TableFieldSchema) -> str:
    return (field.name or "").casefold()


def _type(field: TableFieldSchema) -> str:
    kind = field.type or "STRING"
    return _STANDARD.get(kind, kind)

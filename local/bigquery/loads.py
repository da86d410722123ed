"""Rows of files that BigQuery refuses, and what it says of the first of them.

`local_bigquery` counts rows that no cast takes. BigQuery also refuses a row without a value for a REQUIRED
column, a decimal for an INT64, and a line break within quotes that nobody has allowed; of JSON, much more
(`json_rows.py`). It tells of rows in the list of the job's errors, which is all that says what is wrong with
a file.
"""

from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
from local_bigquery.engine import types
from local_bigquery.engine.database import quote
from local_bigquery.errors import BigQueryError
from local_bigquery.jobs import load, runner
from local_bigquery.jobs.storage import literal
from local_bigquery.models import JobConfigurationLoad, TableFieldSchema
from local_bigquery.settings import settings

from local.bigquery import avro_files, csv_files
from local.bigquery.file_readers import READING, with_values
from local.bigquery.found_types import with_found_types
from local.bigquery.json_rows import FORMS, STRUCTS, read_rows, registered
from local.bigquery.parquet_files import with_bigquerys_types
from local.bigquery.sql_files import sql

type Handler = Callable[..., Any]
type Fields = Sequence[TableFieldSchema]

_WHOLE_NUMBER = "[-+]?(0[xX][0-9a-fA-F]+|[0-9]+)"
_JSON = "NEWLINE_DELIMITED_JSON"
_FORMS = FORMS | dict.fromkeys(("INT64", "INTEGER"), _WHOLE_NUMBER)
_reader: Callable[..., str] = load._reader
_projection: Callable[..., tuple[str, str]] = load._projection
_folder: ContextVar[Path] = ContextVar("_folder")
_read_from: ContextVar[str] = ContextVar("_read_from", default="")


class RowsRefused(BigQueryError):  # type: ignore[misc]
    """A load has met too many rows that it cannot read; `first` says what is wrong with one."""

    def __init__(self, message: str, first: str) -> None:
        super().__init__("invalid", message)
        self.first = first

    def protos(self) -> list[dict[str, Any]]:
        """Return the list of the job's errors."""
        return [self.proto(), {"reason": self.reason, "message": self.first}]


def install() -> None:
    """Refuse what BigQuery refuses, and say why; behind what else is to stand around a load."""
    avro_files.install()
    csv_files.install()
    load._reader = _remembered_reader
    load._projection = _strict_projection
    runner.HANDLERS["load"] = _telling(runner.HANDLERS["load"])


def _telling(handler: Handler) -> Handler:
    """Carry out a load; RowsRefused, with the first row, where it has met too many that it cannot read."""

    def run(cur: duckdb.DuckDBPyConnection, config: JobConfigurationLoad, *more: Any) -> Any:
        try:
            with TemporaryDirectory() as folder:
                _folder.set(Path(folder))
                return handler(cur, _in_words_of_the_api(config), *more)
        except RowsRefused:
            raise
        except BigQueryError as error:
            message = error.message.replace(f"{settings.gcs_local_root}/", "gs://")
            first = _first_row(cur, config) if "errors[]" in message else ""
            if not first:
                raise BigQueryError(error.reason, message) from None
            raise RowsRefused(message, f"{READING}{first}") from None

    return run


def _remembered_reader(
    cur: duckdb.DuckDBPyConnection, files: str, config: JobConfigurationLoad, fields: Fields
) -> str:
    is_of_objects = config.sourceFormat == _JSON and fields and not config.hivePartitioningOptions
    if is_of_objects:
        reader = _of_objects(cur, files, config, fields)
    elif (config.sourceFormat or "CSV") == "CSV":
        reader = csv_files.reader(cur, files, config, fields, _folder.get())
    else:
        reader = _reader(cur, files, config, fields)
    if config.sourceFormat == "PARQUET":
        reader = with_bigquerys_types(cur, files, reader, fields)
    if config.sourceFormat == _JSON and not fields:
        reader = with_found_types(cur, _with_numbers(cur, reader))
    _read_from.set(reader)
    return reader


def _with_numbers(cur: duckdb.DuckDBPyConnection, reader: str) -> str:
    """Find out whole numbers in quotes, too: extracts have them so."""
    found = cur.sql(sql("all_of", columns="*", reader=reader))
    texts = [name for name, kind in zip(found.columns, found.types, strict=True) if str(kind) == "VARCHAR"]
    if not texts:
        return reader
    columns = ", ".join(sql("is_whole", column=quote(name), form=literal(_WHOLE_NUMBER)) for name in texts)
    row = cur.sql(sql("all_of", columns=columns, reader=reader)).fetchone() or ()
    whole = [quote(name) for name, is_whole in zip(texts, row, strict=True) if is_whole]
    return with_values(reader, [f"CAST({name} AS BIGINT) AS {name}" for name in whole])


def _of_objects(
    cur: duckdb.DuckDBPyConnection, files: str, config: JobConfigurationLoad, fields: Fields
) -> str:
    """Read rows of JSON; RowsRefused where there are too many that cannot be read."""
    rows = read_rows(
        csv_files.contents(cur, files),
        fields,
        encoding=config.encoding or "UTF-8",
        ignores_unknown=bool(config.ignoreUnknownValues),
        find_refused=lambda kind, texts: _no_values(cur, kind, texts),
    )
    if len(rows.told) > (config.maxBadRecords or 0):
        count = f"Rows: {len(rows.told) + len(rows.good)}; errors: {len(rows.told)}"
        told = f"JSON table encountered too many errors, giving up. {count}. "
        pointer = "Please look into the errors[] collection for more details."
        raise RowsRefused(f"{READING}{told}{pointer}", f"{READING}{rows.told[0]}")
    return registered(cur, rows, fields)


def _no_values(cur: duckdb.DuckDBPyConnection, kind: str, texts: Sequence[str]) -> set[str]:
    """Find the texts that are no values of a type."""
    target = types.duckdb_type(TableFieldSchema(name="value", type=kind))
    rows = cur.sql(sql("values_refused", type=target), params={"texts": [*texts]}).fetchall()
    return {text for (text,) in rows}


def _in_words_of_the_api(config: JobConfigurationLoad) -> JobConfigurationLoad:
    """Call a STRUCT a RECORD: BigQuery takes both."""
    if config.schema_ is None or not config.schema_.fields:
        return config
    fields = [_as_record(field) for field in config.schema_.fields]
    return config.replace(schema=config.schema_.replace(fields=fields))


def _as_record(field: TableFieldSchema) -> TableFieldSchema:
    if field.type not in STRUCTS:
        return field
    return field.replace(type="RECORD", fields=[_as_record(inner) for inner in field.fields or []])


def _strict_projection(config: JobConfigurationLoad, fields: Fields, columns: list[str]) -> tuple[str, str]:
    projection, bad = _projection(config, fields, columns)
    if (config.sourceFormat or "CSV") != "CSV" or not fields:
        return projection, bad
    return projection, " OR ".join([f"({bad})", *(when for when, _ in _rules(config, fields))])


def _rules(config: JobConfigurationLoad, fields: Fields) -> Iterator[tuple[str, str]]:
    """Yield what must not be true of a row, with a text in SQL of what BigQuery says then."""
    for position, field in enumerate(fields):
        column = quote(field.name)
        yield (
            f"(coalesce(contains({column}, chr(0)), false))",
            literal("Bad character (ASCII 0) encountered."),
        )
        if field.mode == "REQUIRED":
            missing = f"Required column value for column index: {position} is missing in a row"
            yield f"({column} IS NULL)", literal(missing)
        if not config.allowQuotedNewlines:
            rule = 'Missing close quote character (").'
            yield f"(coalesce(contains({column}, chr(10)), false))", literal(rule)
        if (form := _FORMS.get((field.type or "").upper())) and field.mode != "REPEATED":
            has_form = f"regexp_full_match(trim({column}), {literal(form)})"
            yield f"({column} IS NOT NULL AND NOT {has_form})", _not_parsed(field, position)


def _first_row(cur: duckdb.DuckDBPyConnection, config: JobConfigurationLoad) -> str:
    """Say what is wrong with the first row that cannot be read, "" where that cannot be told."""
    fields = (config.schema_ and config.schema_.fields) or []
    whens = list(_rules(config, fields))
    for position, field in enumerate(fields):
        if field.mode != "REPEATED" and field.type != "RECORD":
            column, target = quote(field.name), types.duckdb_type(field)
            when = f"({column} IS NOT NULL AND TRY_CAST({column} AS {target}) IS NULL)"
            whens.append((when, _not_parsed(field, position)))
    if not whens:
        return ""
    cases = " ".join(f"WHEN {when} THEN {text}" for when, text in whens)
    try:
        row = cur.sql(sql("first_row_refused", cases=cases, reader=_read_from.get())).fetchone()
    except duckdb.Error:
        return ""
    return str(row[0]) if row else ""


def _not_parsed(field: TableFieldSchema, position: int) -> str:
    behind = literal(f"' as {field.type} for field {field.name} (position {position})")
    return f"'Could not parse ''' || CAST({quote(field.name)} AS VARCHAR) || {behind}"

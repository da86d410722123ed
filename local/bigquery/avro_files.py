"""Avro and ORC files that `local_bigquery` does not read: named types, UUIDs, and what is no such file.

A type that has a name is written out once in a file, and called by its name after that.
"""

import io
from collections.abc import Callable
from typing import Any
from uuid import UUID

import fastavro
import pyarrow  # type: ignore[import-untyped]
from fastavro.schema import expand_schema
from local_bigquery.jobs import load
from local_bigquery.models import JobConfigurationLoad

from local.bigquery.file_readers import unreadable

type Reader = Callable[[bytes, JobConfigurationLoad], Any]


def install() -> None:
    """Read files, and say of those that cannot be read what BigQuery says."""
    load.ARROW_READERS["AVRO"] = _telling("Avro", _read)
    load.ARROW_READERS["ORC"] = _telling("ORC", load._orc)


def _read(data: bytes, config: JobConfigurationLoad) -> Any:
    reader = fastavro.reader(io.BytesIO(data))
    schema = expand_schema(reader.writer_schema)
    rows = [_with_texts(row) for row in reader]
    table = pyarrow.Table.from_pylist(rows, pyarrow.schema(load._arrow_type(schema, True)))
    return table.cast(pyarrow.schema(load._arrow_type(schema, bool(config.useAvroLogicalTypes))))


def _with_texts(value: Any) -> Any:
    """Write UUIDs as the texts that they are in BigQuery, at all levels."""
    match value:
        case UUID():
            return str(value)
        case dict():
            return {name: _with_texts(inner) for name, inner in value.items()}
        case list():
            return [_with_texts(inner) for inner in value]
    return value


def _telling(form: str, read: Reader) -> Reader:
    def told(data: bytes, config: JobConfigurationLoad) -> Any:
        try:
            return read(data, config)
        except (KeyError, OSError, EOFError, fastavro.schema.SchemaParseException) as error:
            raise unreadable(f"The {form} file could not be read: {type(error).__name__}") from None

    return told

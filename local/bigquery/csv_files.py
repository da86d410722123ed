"""CSV files, read as BigQuery reads them: their encodings, headers, broken lines, and seconds since 1970.

DuckDB takes the first line of a file of texts for its header, and calls columns without one `column0`;
BigQuery finds no header there, and calls them `string_field_0`. What `skip_leading_rows` means without a
schema: nothing given, the first line is looked at; 0, there is no header; N, line N is looked at, and is left
out whatever it is.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import duckdb
from local_bigquery.engine.database import quote
from local_bigquery.jobs import load
from local_bigquery.jobs.storage import literal
from local_bigquery.models import JobConfigurationLoad, TableFieldSchema

from local.bigquery.file_readers import unreadable, with_values
from local.bigquery.found_types import with_found_types
from local.bigquery.json_rows import GZIP, OFFSET, SECONDS, decoded
from local.bigquery.sql_files import sql

type Fields = Sequence[TableFieldSchema]

_csv: Callable[..., dict[str, Any]] = load._csv
_options: Callable[[dict[str, Any]], str] = load._options
_hive: Callable[[JobConfigurationLoad], dict[str, Any]] = load._hive
_read: Callable[..., str] = load._reader
_reading: Callable[..., AbstractContextManager[None]] = load._reading
_READ_AS_THEY_ARE = {"UTF-8", "ISO-8859-1"}
_UNNAMED = re.compile(r"column\d+")
_FIELDS = {
    "BIGINT": "int64",
    "DOUBLE": "double",
    "BOOLEAN": "bool",
    "DATE": "date",
    "TIME": "time",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamp",
}
_TEXT = "VARCHAR"
_WIDTH = re.compile(r"CSV Error on Line: (\d+).*Expected Number of Columns: (\d+) Found: (\d+)", re.DOTALL)


def install() -> None:
    """Read options, and say what is wrong with a line, as BigQuery does."""
    load._csv = _with_quoted_texts
    load._reading = _reading_lines


def reader(
    cur: duckdb.DuckDBPyConnection, files: str, config: JobConfigurationLoad, fields: Fields, folder: Path
) -> str:
    """Return what reads files; those that DuckDB does not read are written to a folder anew."""
    files, config = _in_utf8(cur, files, config, folder)
    if not fields:
        return _found_out(cur, files, config)
    made = _read(cur, files, config, fields)
    moments = [quote(field.name) for field in fields if (field.type or "").upper() == "TIMESTAMP"]
    forms = {"form": literal(SECONDS.pattern), "offset": literal(OFFSET.pattern)}
    return with_values(made, [sql("moment_of_seconds", column=name, **forms) for name in moments])


def contents(cur: duckdb.DuckDBPyConnection, files: str) -> list[bytes]:
    """Return what is in files, as it is."""
    return [bytes(content) for (content,) in cur.sql(sql("contents", files=files)).fetchall()]


def _with_quoted_texts(config: JobConfigurationLoad, fields: Fields) -> dict[str, Any]:
    """Let values behind the last column be, where they are to be left out, and `""` be an empty text."""
    options = _csv(config, fields)
    if not config.nullMarker:
        options["allow_quoted_nulls"] = "false"
    return options | {"strict_mode": "false"} if config.ignoreUnknownValues and fields else options


def _found_out(cur: duckdb.DuckDBPyConnection, files: str, config: JobConfigurationLoad) -> str:
    """Find out the columns of files, and whether a line names them."""
    skipped = config.skipLeadingRows
    named = _with_quoted_texts(config, []) | _hive(config) | {"dateformat": literal("%Y-%m-%d")}
    unnamed = named | {"header": "false", "skip": skipped or 0}
    made = f"read_csv({files}{_options(unnamed if skipped == 0 else named)})"
    found = cur.sql(sql("all_of", columns="*", reader=made))
    if skipped != 0 and all(str(kind) == _TEXT for kind in found.types):
        made = f"read_csv({files}{_options(unnamed)})"
        found = cur.sql(sql("all_of", columns="*", reader=made))
    if not all(map(_UNNAMED.fullmatch, found.columns)):
        return with_found_types(cur, made)
    kinds = (_FIELDS.get(str(kind), "string") for kind in found.types)
    columns = ", ".join(
        f"{quote(name)} AS {quote(f'{kind}_field_{number}')}"
        for number, (name, kind) in enumerate(zip(found.columns, kinds, strict=True))
    )
    return with_found_types(cur, f"({sql('all_of', columns=columns, reader=made)})")


def _in_utf8(
    cur: duckdb.DuckDBPyConnection, files: str, config: JobConfigurationLoad, folder: Path
) -> tuple[str, JobConfigurationLoad]:
    """Write files anew that DuckDB does not read: packed ones by any name, and those of other encodings."""
    given = contents(cur, files)
    encoding = config.encoding or "UTF-8"
    if encoding in _READ_AS_THEY_ARE and all(_is_plain(content, encoding) for content in given):
        return files, config
    paths = []
    for number, content in enumerate(given):
        path = folder / f"{number}.csv"
        path.write_text(decoded(content, encoding), encoding="utf-8", newline="")
        paths.append(literal(str(path)))
    return f"[{', '.join(paths)}]", config.replace(encoding="UTF-8")


def _is_plain(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return not content.startswith(GZIP)


@contextmanager
def _reading_lines(locations: dict[str, str | None]) -> Iterator[None]:
    """Say of a line that is too short or too long how many values it has: DuckDB's first line does not."""
    with _reading(locations):
        try:
            yield
        except duckdb.Error as error:
            if not (found := _WIDTH.search(str(error))):
                raise
            line, expected, has = map(int, found.groups())
            many = "Too many" if has > expected else "Too few"
            told = f"{many} values in line. Found {has} column(s) while expecting {expected}."
            raise unreadable(f"{told}; line_number: {line}") from None

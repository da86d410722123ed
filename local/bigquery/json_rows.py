"""Rows of JSON files, read by a schema as BigQuery reads them, nested and repeated fields by their paths.

DuckDB knows no REQUIRED field of a STRUCT, drops fields that a STRUCT does not have, makes NULL of what it
cannot cast within one, and tells fields apart by capitals. So rows are read here: what BigQuery refuses is
refused, and the rest comes to DuckDB with the names of the schema, and with all values as texts.
"""

import base64
import binascii
import gzip
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from math import isfinite
from typing import Any

import duckdb
import pyarrow  # type: ignore[import-untyped]
from local_bigquery.engine import types
from local_bigquery.models import TableFieldSchema

from local.bigquery.sql_files import sql

REGISTERED = "_json_rows"
"""The name under which DuckDB has the rows."""
GZIP = b"\x1f\x8b"
_INTEGER = re.compile(r"[-+]?[0-9]+(\.0*)?")
_DAY = "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
_CLOCK = r"([01]?[0-9]|2[0-3]):[0-9]{1,2}(:[0-9]{1,2}(\.[0-9]+)?)?"
_ZONE = r" ?(?:[Zz]|UTC|GMT|[-+][0-9]{1,2}(?::?[0-9]{2})?|[A-Za-z_]+/[A-Za-z0-9_/+-]+)"
SECONDS = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?")
"""A TIMESTAMP in seconds since 1970, of which six digits count behind the point."""
OFFSET = re.compile(r" ([-+][0-9]{1,2}(?::?[0-9]{2})?)$")
"""What is behind a time, and a blank, which DuckDB does not take."""
FORMS = {
    "DATE": _DAY,
    "TIME": _CLOCK,
    "TIMESTAMP": rf"{_DAY.replace('}-[', '}[-/][')}([ Tt]{_CLOCK})?({_ZONE})?",
    "DATETIME": rf"{_DAY}([ Tt][0-9]{{1,2}}:[0-9]{{1,2}}(:[0-9]{{1,2}}(\.[0-9]{{1,6}})?)?)?",
}
"""What texts of types look like that DuckDB takes others for, too: a DATE has no time, a DATETIME no zone."""
_WORDS = {"INT64": "integer", "INTEGER": "integer", "FLOAT64": "float", "FLOAT": "float", "BOOL": "boolean"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")
STRUCTS = {"RECORD", "STRUCT"}
_TEXTS = {"STRING", "BYTES", "JSON"}

type Fields = Sequence[TableFieldSchema]
type Values = set[tuple[str, str]]
"""Types, and texts that are to be values of them."""


class RowRefused(ValueError):
    """BigQuery refuses a row, in its words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonRows:
    """The rows of files: those that can be read, and what is wrong with each of the others."""

    good: Sequence[str]
    told: Sequence[str]


def registered(cur: duckdb.DuckDBPyConnection, rows: JsonRows, fields: Fields) -> str:
    """Let DuckDB have the rows that can be read; return what reads them, with texts for all values."""
    cur.register(REGISTERED, pyarrow.table({"row": pyarrow.array(rows.good, pyarrow.string())}))
    whole = TableFieldSchema(name="row", type="RECORD", fields=[_as_text(one) for one in fields])
    return sql("json_rows", rows=REGISTERED, type=types.duckdb_type(whole))


def read_rows(
    files: Sequence[bytes],
    fields: Fields,
    *,
    encoding: str,
    ignores_unknown: bool,
    find_refused: Callable[[str, Sequence[str]], set[str]],
) -> JsonRows:
    """Read files of one object a line; `find_refused` finds the texts that are no values of a type."""
    reading = _Reading(ignores_unknown=ignores_unknown)
    lines = [line for content in files for line in _lines(content, encoding)]
    for _, text in lines:
        reading.tried(text, fields)
    by_kind = {
        kind: [text for of_kind, text in reading.values if of_kind == kind]
        for kind in {kind for kind, _ in reading.values} - _TEXTS
    }
    refused = {(kind, text) for kind, texts in by_kind.items() for text in find_refused(kind, texts)}
    reading = _Reading(ignores_unknown=ignores_unknown, refused=refused)
    good, told = [], []
    for position, text in lines:
        try:
            good.append(json.dumps(reading.row(text, fields), ensure_ascii=False))
        except RowRefused as refused:
            told.append(f"JSON parsing error in row starting at position {position}: {refused}")
    return JsonRows(good=good, told=told)


def decoded(content: bytes, encoding: str) -> str:
    """Return the text of a file, packed or not, without a mark before it."""
    text = gzip.decompress(content) if content.startswith(GZIP) else content
    # What is no character of the encoding BigQuery takes for U+FFFD.
    return text.decode(encoding, errors="replace").removeprefix("\ufeff")


def _lines(content: bytes, encoding: str) -> Iterator[tuple[int, str]]:
    """List the lines of a file that hold anything, each with the place where it begins."""
    position = 0
    for line in decoded(content, encoding).split("\n"):
        if line.strip():
            yield position, line
        position += len(line.encode()) + 1


@dataclass(slots=True, kw_only=True)
class _Reading:
    """Reads rows, and collects the values whose types DuckDB judges."""

    ignores_unknown: bool
    refused: Values = field(default_factory=set)
    values: Values = field(default_factory=set)

    def tried(self, text: str, fields: Fields) -> None:
        """Read a row for its values alone."""
        try:
            self.row(text, fields)
        except RowRefused:
            return

    def row(self, text: str, fields: Fields) -> dict[str, Any]:
        try:
            row = json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise RowRefused("Parser terminated before end of string") from error
        if _HALF_CHARACTER.search(json.dumps(row, ensure_ascii=False, default=str)):
            raise RowRefused("Parser terminated before end of string")
        if not isinstance(row, dict):
            raise RowRefused("Expected an object, which has the columns of the row")
        return self._object(row, fields, "")

    def _object(self, given: Mapping[str, Any], fields: Fields, path: str) -> dict[str, Any]:
        by_name = {name.casefold(): value for name, value in given.items()}
        known = {(one.name or "").casefold() for one in fields}
        unknown = next((name for name in given if name.casefold() not in known), None)
        if unknown is not None and not self.ignores_unknown:
            raise RowRefused(f"No such field: {path}{unknown}.")
        return {
            one.name or "": self._value(by_name, one, f"{path}{one.name}", (one.name or "").casefold())
            for one in fields
        }

    def _value(self, given: Mapping[str, Any], one: TableFieldSchema, path: str, name: str) -> Any:
        if one.mode == "REQUIRED" and name not in given:
            raise RowRefused(f"Missing required field: {path}.")
        value = given.get(name)
        if one.mode == "REPEATED":
            if value is not None and not isinstance(value, list):
                raise RowRefused(f"Repeated field must be imported as a JSON array. Field: {path}.")
            return [self._single(element, one, path) for element in value or []]
        return None if value is None and one.mode != "REQUIRED" else self._single(value, one, path)

    def _single(self, value: Any, one: TableFieldSchema, path: str) -> Any:
        """Read what is no list of the field's: a value, or an element of a list."""
        if value is None:
            raise RowRefused(f"Only optional fields can be set to NULL. Field: {path}; Value: NULL")
        if isinstance(value, list) and one.type != "JSON":
            raise RowRefused(f"Array specified for non-repeated field: {path}.")
        if one.type in STRUCTS:
            if not isinstance(value, dict):
                raise _not_converted("record", path, _written(value))
            return self._object(value, one.fields or [], f"{path}.")
        if one.type == "JSON":
            return _plain(value)
        if isinstance(value, dict):
            raise RowRefused(f"JSON object specified for non-record field: {path}.")
        return self._scalar(value, str(one.type), path)

    def _scalar(self, value: Any, kind: str, path: str) -> str:
        text = _moment(_written(value)) if kind == "TIMESTAMP" else _written(value)
        self.values.add((kind, text))
        word = _WORDS.get(kind, kind.lower())
        is_truth = isinstance(value, bool) and kind not in {"BOOL", "BOOLEAN", "STRING"}
        is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
        if is_truth or (is_number and kind in {"BOOL", "BOOLEAN", "DATE", "DATETIME", "TIME"}):
            raise _not_converted(word, path, text)
        if word == "integer" and not _INTEGER.fullmatch(text.strip()):
            raise _not_converted(word, path, text)
        if kind in FORMS and not re.fullmatch(FORMS[kind], text.strip()):
            raise _not_converted(word, path, text)
        if word == "float" and isinstance(value, Decimal) and not isfinite(float(value)):
            raise _not_converted(word, path, text)
        if (kind == "BYTES" and not _is_base64(text)) or (kind, text) in self.refused:
            raise _not_converted(word, path, text)
        return text


def _moment(text: str) -> str:
    """Write seconds since 1970 as a time; what is none, or is beyond the calendar, stays."""
    if not SECONDS.fullmatch(text.strip()):
        return OFFSET.sub(r"\1", text)
    return moment_of(text.strip(), ROUND_DOWN) or text


def moment_of(seconds: str, rounding: str) -> str:
    """Write seconds since 1970 as a time of whole microseconds, "" for one beyond the calendar."""
    try:
        micros = (Decimal(seconds) * 1_000_000).to_integral_value(rounding)
        return (_EPOCH + timedelta(microseconds=int(micros))).isoformat()
    except (ArithmeticError, ValueError):
        return ""


def _not_converted(word: str, path: str, text: str) -> RowRefused:
    return RowRefused(f"Could not convert value to {word}. Field: {path}; Value: {text}")


def _as_text(one: TableFieldSchema) -> TableFieldSchema:
    """Describe a field whose values are texts yet."""
    if one.type in STRUCTS:
        return one.replace(type="RECORD", fields=[_as_text(inner) for inner in one.fields or []])
    return one if one.type == "JSON" else one.replace(type="STRING")


def _written(value: Any) -> str:
    """Write a value as the file has it, as far as a text can."""
    if isinstance(value, str):
        return value
    return json.dumps(_plain(value), ensure_ascii=False) if not isinstance(value, Decimal) else str(value)


def _plain(value: Any) -> Any:
    """Make floats of decimals, at all levels."""
    match value:
        case Decimal():
            return float(value)
        case dict():
            return {name: _plain(inner) for name, inner in value.items()}
        case list():
            return [_plain(inner) for inner in value]
    return value


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _refuse_constant(word: str) -> Callable[[], None]:
    raise ValueError(f"JSON has no {word}")

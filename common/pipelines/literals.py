"""Rows of small CSV texts as a query of literals: it reads no table, and BigQuery bills nothing for it."""

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from functools import cache
from io import StringIO
from math import isinf
from pathlib import Path

from common.errors import Violation
from common.pipelines.origins import in_file, places_of
from common.times import from_rfc3339, to_rfc3339

MAX_BYTES = 64 * 1024
"""Of all texts of rows in one file."""
MAX_ROWS = 10_000
MAX_TOLD = 10
"""Rules that one text breaks, of which no more are listed."""
STATEMENT = Path(__file__).with_name("literal_rows.sql")
_PLACE = re.compile(r"\$\{(\w+)\}")
_PLAIN = re.compile(r"[A-Za-z0-9 _.,:;+/()=<>@&*-]")
_NUMERIC_DIGITS, _NUMERIC_SCALE = 29, 9


@dataclass(frozen=True, slots=True, kw_only=True)
class LiteralRows:
    """Rows with the types of their columns: one literal per column, NULL for an empty field."""

    columns: Mapping[str, str]
    rows: tuple[tuple[str, ...], ...]

    @property
    def sql(self) -> str:
        """The query that has these rows, its columns in order."""
        types = ", ".join(f"`{name}` {kind}" for name, kind in self.columns.items())
        names = ", ".join(f"`{name}`" for name in self.columns)
        rows = ",\n".join(f"STRUCT({', '.join(row)})" for row in self.rows)
        parts = {"names": names, "types": types, "rows": rows}
        return _PLACE.sub(lambda place: parts[place[1]], _statement())


def read_rows(text: str, columns: Mapping[str, str], place: str) -> tuple[LiteralRows, list[Violation]]:
    """Read a CSV text whose first line names the columns; `place` is the text's pointer in its file."""
    told: list[Violation] = []
    places = places_of(text, [(text, text)])

    def broken(line: int, rule: str) -> None:
        if len(told) < MAX_TOLD:
            where = in_file(places, line, 1) or (None, None)
            told.append(Violation(place, f"line {line} {rule}", line=where[0], column=where[1]))

    rows: list[tuple[str, ...]] = []
    # Python's own lines would also end at form feeds and U+2028, within a value.
    reader = csv.reader(StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        header = next(reader, [])
        if sorted(header) != sorted(columns):
            broken(1, f"must name the columns, each once: {','.join(columns)}")
            return LiteralRows(columns=columns, rows=()), told
        for fields in reader:
            if fields:
                rows.append(_row(fields, header, columns, lambda rule: broken(reader.line_num, rule)))
    except csv.Error as error:
        broken(reader.line_num, f"is no CSV: {error}")
    if len(rows) > MAX_ROWS:
        told.append(Violation(place, f"must have at most {MAX_ROWS:,} rows, it has {len(rows):,}"))
    return LiteralRows(columns=columns, rows=tuple(rows)), told


def _row(
    fields: Sequence[str], header: Sequence[str], columns: Mapping[str, str], broken: Callable[[str], None]
) -> tuple[str, ...]:
    if len(fields) != len(header):
        broken(f"must have {len(header)} fields, it has {len(fields)}")
        return ()
    given = dict(zip(header, fields, strict=True))
    literals = []
    for name, kind in columns.items():
        try:
            literals.append(_LITERALS[kind](given[name]) if given[name] else "NULL")
        except (ValueError, InvalidOperation, OverflowError):
            broken(f"has in {name} what is no {kind}, such as {EXAMPLES[kind]}")
    return tuple(literals)


@cache
def _statement() -> str:
    """Read the statement, without the lines that open its file."""
    lines = STATEMENT.read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("--"))


def text_literal(text: str) -> str:
    """Write a string; whatever could mean something to SQL, or to `${…}`, is an escape."""
    return f"'{''.join(_escaped(character) for character in text)}'"


def _escaped(character: str) -> str:
    if _PLAIN.fullmatch(character) or (ord(character) > 0x7F and character.isprintable()):
        return character
    return f"\\x{ord(character):02x}" if ord(character) < 0x80 else f"\\U{ord(character):08x}"


def _number(text: str) -> str:
    """Return a number without the blanks around it; Python also takes 1_000, and digits of other scripts."""
    if "_" in text or not text.isascii():
        raise ValueError(text)
    return text.strip()


def _whole(text: str) -> str:
    value = int(_number(text))
    if not -(2**63) <= value < 2**63:
        raise ValueError(text)
    return str(value)


def _real(text: str) -> str:
    value = float(_number(text))
    if isinf(value) and "inf" not in text.lower():
        raise ValueError(text)
    return repr(value) if value - value == 0 else f"CAST('{value}' AS FLOAT64)"


def _exact(text: str) -> str:
    value = Decimal(_number(text))
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or -exponent > _NUMERIC_SCALE or abs(value) >= 10**_NUMERIC_DIGITS:
        raise ValueError(text)
    return f"NUMERIC '{value:f}'"


def _truth(text: str) -> str:
    if text.lower() not in {"true", "false"}:
        raise ValueError(text)
    return text.upper()


def _day(text: str) -> str:
    if date.fromisoformat(text).isoformat() != text:
        raise ValueError(text)
    return f"DATE '{text}'"


def _clock(text: str) -> str:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo:
        raise ValueError(text)
    return f"DATETIME '{moment.isoformat(' ')}'"


def _time(text: str) -> str:
    clock = time.fromisoformat(text)
    if clock.tzinfo:
        raise ValueError(text)
    return f"TIME '{clock.isoformat()}'"


def moment_literal(moment: datetime) -> str:
    """Write a moment as SQL does."""
    return f"TIMESTAMP '{to_rfc3339(moment).replace('T', ' ').replace('Z', '+00')}'"


_LITERALS: Mapping[str, Callable[[str], str]] = {
    "STRING": text_literal,
    "INT64": _whole,
    "FLOAT64": _real,
    "NUMERIC": _exact,
    "BOOL": _truth,
    "DATE": _day,
    "DATETIME": _clock,
    "TIME": _time,
    "TIMESTAMP": lambda text: moment_literal(from_rfc3339(text)),
}
EXAMPLES = {
    "STRING": "eu",
    "INT64": "42",
    "FLOAT64": "0.5",
    "NUMERIC": "10.25",
    "BOOL": "true",
    "DATE": "2026-01-31",
    "DATETIME": "2026-01-31T09:30:00",
    "TIME": "09:30:00",
    "TIMESTAMP": "2026-01-31T09:30:00Z",
}

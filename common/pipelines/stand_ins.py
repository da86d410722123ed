"""Stand-ins for tables that are not there yet: no rows of the same columns, in a WITH around a query.

So BigQuery's dry run judges a query whose tables an earlier step of its pipeline is still to make, and
nothing is made for it: no table, no dataset, no right to make one.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from common.pipelines.tokens import Kind, tokens

SQL = "".join((Path(__file__).parent / "stand_ins.sql").read_text(encoding="utf-8").splitlines(True)[2:])
LINES_BEFORE = SQL.partition("${query}")[0].count("\n")
"""How many lines a query has moved down."""
_TYPES = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}
"""Names that BigQuery's answers have for types, and its SQL does not."""


class Field(Protocol):
    """A column, as BigQuery's client describes it."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def field_type(self) -> str:
        """Its type; RECORD or STRUCT where it has fields."""

    @property
    def mode(self) -> str | None:
        """REPEATED for an array."""

    @property
    def fields(self) -> Sequence["Field"]:
        """The fields of a record."""


def named_in(sql: str, project: str, dataset: str, tables: Iterable[str]) -> frozenset[str]:
    """Return which of a dataset's tables a query may name; one too many does no harm."""
    hidden = _hidden(sql)
    return frozenset(
        table
        for table in tables
        if any(not _within(found, hidden) for found in _any_name(project, dataset, table).finditer(sql))
    )


def with_stand_ins(
    sql: str, project: str, dataset: str, columns: Mapping[str, Sequence[Field]]
) -> str | None:
    """Write a query that reads stand-ins for tables; None where a WITH of its own has the name of one.

    Every line of the query is `LINES_BEFORE` further down, every column where it was.
    """
    hidden = _hidden(sql)
    for table in columns:
        own = re.compile(rf"(?<![\w`.])`?{re.escape(table)}`?\s+AS\s*\(", re.IGNORECASE)
        if any(not _within(found, hidden) for found in own.finditer(sql)):
            return None
    text = _without_end(sql)
    for table in columns:
        name = _whole_name(project, dataset, table)
        text = name.sub(lambda found, table=table: _bare(found, table, hidden), text)  # type: ignore[misc]
    rows = ", ".join(f"`{table}` AS ({_no_rows(fields)})" for table, fields in columns.items())
    return SQL.replace("${stand_ins}", rows, 1).replace("${query}", text, 1)


def _no_rows(fields: Sequence[Field]) -> str:
    nulls = ", ".join(f"CAST(NULL AS {type_of(field)}) AS `{field.name}`" for field in fields)
    return f"SELECT {nulls} LIMIT 0"


def type_of(field: Field) -> str:
    """Write the type of a column as SQL does."""
    name = field.field_type.upper()
    if name in {"RECORD", "STRUCT"}:
        name = f"STRUCT<{', '.join(f'`{one.name}` {type_of(one)}' for one in field.fields)}>"
    elif name == "RANGE":
        name = f"RANGE<{getattr(getattr(field, 'range_element_type', None), 'element_type', 'DATE')}>"
    else:
        name = _TYPES.get(name, name)
    return f"ARRAY<{name}>" if field.mode == "REPEATED" else name


def _any_name(project: str, dataset: str, table: str) -> re.Pattern[str]:
    whole = _whole_name(project, dataset, table).pattern
    return re.compile(rf"{whole}|(?<![\w`.])`?{re.escape(table)}`?(?![\w`-])")


def _whole_name(project: str, dataset: str, table: str) -> re.Pattern[str]:
    """Match the name of a table with its dataset, in backticks as a whole, by parts, or without."""
    one, two, three = (re.escape(part) for part in (project, dataset, table))
    in_one = rf"`(?:{one}\.)?{two}\.{three}`"
    by_parts = rf"(?<![\w`.-])(?:`?{one}`?\.)?`?{two}`?\.`?{three}`?(?![\w`-])"
    return re.compile(rf"{in_one}|{by_parts}")


def _bare(found: re.Match[str], table: str, hidden: Sequence[tuple[int, int]]) -> str:
    return found[0] if _within(found, hidden) else f"`{table}`".rjust(len(found[0]))


def _hidden(sql: str) -> list[tuple[int, int]]:
    """Return where comments and strings are: what is in them names nothing."""
    spans, at = [], 0
    for piece in tokens(sql):
        if piece.kind in (Kind.COMMENT, Kind.STRING):
            spans.append((at, at + len(piece.text)))
        at += len(piece.text)
    return spans


def _within(found: re.Match[str], spans: Sequence[tuple[int, int]]) -> bool:
    return any(start <= found.start() < end for start, end in spans)


def _without_end(sql: str) -> str:
    pieces = tokens(sql)
    return "".join(" " if piece.text == ";" else piece.text for piece in pieces)

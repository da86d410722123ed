"""Parts, format elements and literals of dates and times that are BigQuery's and not DuckDB's."""

import re
from collections.abc import Callable
from typing import Any

from local_bigquery.errors import BigQueryError
from local_bigquery.sql.rules import datetime as rules
from sqlglot import exp

from local.bigquery.error_places import place

_PARTS = """
    MICROSECOND MILLISECOND SECOND MINUTE HOUR DAY DAYOFWEEK DAYOFYEAR WEEK ISOWEEK MONTH QUARTER YEAR ISOYEAR
    DATE TIME DATETIME
"""
PARTS = frozenset(_PARTS.split())
ONE_DIGIT = re.compile(r"(?<=[\d.])\s*([+-])(\d)(:\d\d)?$")
"""A time zone of one digit, such as `-8` or `+5:30`, at the end of a TIMESTAMP."""
_element = rules._element


def install() -> None:
    """Write the elements that DuckDB has not."""
    rules.FORMAT_ELEMENTS = re.compile(r"(%E(?:\d|\*)S|%E4Y|%Ez|%-d|%[QszZRYCPgklnrt])")
    rules._element = write_element


def write_element(piece: str, local: Any, instant: Any, zone: Any) -> Any:
    """Write an element of FORMAT_DATE and the like."""
    if (written := _ELEMENTS.get(piece)) is not None:
        return written(local.copy())
    return _element(piece, local, instant, zone)


def _padded(number: exp.Expr, sign: str) -> exp.Expr:
    text = exp.cast(number, exp.DType.VARCHAR, dialect="duckdb")
    padded: exp.Expr = rules.call("lpad", text, 2, sign)
    return padded


def _hour_of_half_a_day(local: exp.Expr) -> exp.Expr:
    before = exp.Paren(this=exp.Add(this=rules.call("hour", local), expression=exp.convert(11)))
    half = exp.Mod(this=before, expression=exp.convert(12))
    return _padded(exp.Paren(this=exp.Add(this=half, expression=exp.convert(1))), " ")


def _spelled(template: str) -> Callable[[exp.Expr], exp.Expr]:
    return lambda local: exp.TimeToStr(this=local, format=exp.convert(template))


_HUNDRED = 100
_ELEMENTS: dict[str, Callable[[exp.Expr], exp.Expr]] = {
    "%C": lambda local: _padded(
        exp.IntDiv(this=rules.call("year", local), expression=exp.convert(_HUNDRED)), "0"
    ),
    "%-d": lambda local: _padded(rules.call("day", local), " "),
    "%g": lambda local: _padded(
        exp.Mod(this=rules.call("isoyear", local), expression=exp.convert(_HUNDRED)), "0"
    ),
    "%k": lambda local: _padded(rules.call("hour", local), " "),
    "%l": _hour_of_half_a_day,
    "%n": lambda _: exp.convert("\n"),
    "%P": lambda local: rules.call("lower", _spelled("%p")(local)),
    "%r": _spelled("%I:%M:%S %p"),
    "%t": lambda _: exp.convert("\t"),
}
"""What DuckDB does not write, or writes in another way; `%-d` is what sqlglot makes of `%e`."""


def read_dates(tree: exp.Expr, _: object) -> exp.Expr:
    """Refuse parts of other dialects, and read literals and elements that DuckDB does not."""
    for node in list(tree.walk()):
        _judge_part(node)
        if (read := _read(node)) is not None:
            node.replace(read)
    return tree


def _read(node: exp.Expr) -> exp.Expr | None:
    """Return what a node is to be instead, None where it stays; literals in it are changed."""
    match node:
        case exp.TimeToStr() if node.this is None or node.this.this is None:
            raise BigQueryError("invalidQuery", "No matching signature for a function that formats a time")
        case exp.Cast() if node.to.is_type(exp.DType.TIMESTAMPTZ) and _is_text(node.this):
            node.this.set("this", ONE_DIGIT.sub(r"\g<1>0\2\3", node.this.name))
        case exp.TimestampDiff():
            _cast_texts(node)
        case exp.ParseDatetime():
            return None
        case exp.StrToTime() if node.text("format") == "%s":
            seconds = exp.cast(node.this.copy(), exp.DType.BIGINT)
            return exp.Anonymous(this="to_timestamp", expressions=[seconds])
        case exp.LastDay() if node.text("unit").upper() == "ISOYEAR":
            return _last_day_of_iso_year(node.this)
    return None


def _cast_texts(difference: exp.TimestampDiff) -> None:
    for key in ("this", "expression"):
        if _is_text(difference.args[key]):
            difference.set(key, exp.cast(difference.args[key], exp.DType.TIMESTAMPTZ))


def _judge_part(node: exp.Expr) -> None:
    part = node.args.get("unit") if not isinstance(node, exp.Extract) else node.this
    is_part = isinstance(part, exp.Var) or isinstance(
        node, exp.DateTrunc | exp.TimestampTrunc | exp.DatetimeTrunc
    )
    if is_part and isinstance(part, exp.Var | exp.Literal) and part.name.upper() not in PARTS:
        name = part.name.upper()
        raise BigQueryError(
            "invalidQuery", f"A valid date part name is required but found {name}{place(part)}"
        )


def _last_day_of_iso_year(day: exp.Expr) -> exp.Expr:
    """Return the day before the Monday of the week of the fourth of January."""
    next_year = exp.Add(this=rules.call("isoyear", day.copy()), expression=exp.convert(1))
    fourth = rules.call("make_date", exp.Paren(this=next_year), 1, 4)
    monday = exp.cast(rules.call("date_trunc", "week", fourth), exp.DType.DATE)
    return exp.Paren(this=exp.cast(exp.Sub(this=monday, expression=rules.call("to_days", 1)), exp.DType.DATE))


def _is_text(node: exp.Expr | None) -> bool:
    return isinstance(node, exp.Literal) and bool(node.is_string)

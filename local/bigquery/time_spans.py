"""Intervals: differences of times, intervals as text and text as intervals.

DuckDB makes days of the hours between two moments; BigQuery counts hours, and days between dates alone.
"""

import re

from local_bigquery.sql.rules.typing import TEXT, kind
from sqlglot import exp

Type = exp.DataType.Type
MOMENTS = frozenset({Type.TIMESTAMPTZ, Type.TIMESTAMP, Type.DATETIME})
FRACTION = re.compile(r"(?P<sign>-?)(?P<clock>(?:\d+:){0,2}\d+)\.(?P<digits>\d{1,6})$")
FIELDS = ("year", "month", "day", "hour", "minute", "second")


def keep_fractions(tree: exp.Expr, _: object) -> exp.Expr:
    """Write the fraction of a second in `INTERVAL '6.789999' SECOND` as microseconds; it would be rounded."""
    for interval in list(tree.find_all(exp.Interval)):
        unit, text = interval.args.get("unit"), interval.this
        if isinstance(unit, exp.IntervalSpan) and isinstance(text, exp.Literal):
            first = FIELDS.index(unit.this.name.lower())
            if found := FRACTION.search(text.name):
                interval.replace(exp.Interval(this=exp.Literal.string(_spelled(text.name, first, found))))
    return tree


def _spelled(text: str, first: int, fraction: re.Match[str]) -> str:
    """Name each part of an interval: a sign before the first of a group stands for the whole group."""
    parts: list[str] = []
    for group in text[: fraction.start("digits") - 1].split():
        sign = "-" if group.startswith("-") else ""
        parts += [f"{sign}{part}" for part in re.split("[-:]", group.lstrip("+-"))]
    sign = "-" if fraction["sign"] else ""
    named = [f"{part} {field}" for part, field in zip(parts, FIELDS[first:], strict=False)]
    return " ".join([*named, f"{sign}{int(fraction['digits'].ljust(6, '0'))} microsecond"])


def count_between(node: exp.Expr, _: object) -> exp.Expr:
    """Count hours between two moments, and days between two dates."""
    if not isinstance(node, exp.Sub):
        return node
    kinds = {kind(node.this), kind(node.expression)}
    if kinds <= MOMENTS:
        micros = [exp.func("epoch_us", side.copy()) for side in (node.this, node.expression)]
        between = exp.Sub(this=micros[0], expression=micros[1])
        return _interval(exp.func("to_microseconds", between))
    if kinds == {Type.DATE} and not _is_counted(node):
        return _interval(exp.func("to_days", exp.cast(node.copy(), exp.DType.INT, dialect="duckdb")))
    return node


def spell_intervals(node: exp.Expr, _: object) -> exp.Expr:
    """Cast an interval to text as BigQuery writes it, and read such text."""
    if not isinstance(node, exp.Cast):
        return node
    if node.to.this in TEXT and _is_interval(node.this):
        return exp.Anonymous(this="bq.main._interval_string", expressions=[node.this])
    if node.to.this is Type.INTERVAL and kind(node.this) in TEXT:
        return _interval(exp.Anonymous(this="bq.main._cvg_interval", expressions=[node.this]))
    return node


def _is_interval(node: exp.Expr) -> bool:
    if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Select) and node.this.expressions:
        return _is_interval(node.this.expressions[0].unalias())
    return kind(node.unnest()) is Type.INTERVAL


def _interval(node: exp.Expr) -> exp.Expr:
    node.type = exp.DataType.build("INTERVAL")
    return node


def _is_counted(node: exp.Expr) -> bool:
    """Tell whether `local_bigquery` has made days of a difference, which it does where both are casts."""
    cast = node.parent
    called = cast.parent if isinstance(cast, exp.Cast) else None
    return isinstance(called, exp.Anonymous) and called.name == "to_days"

"""SQL that BigQuery takes and `local_bigquery` does not, or takes for something else: rewritten on the tree.

Each rule takes the tree of a statement and gives it back changed; they come before the rules of
`local_bigquery`, which turn GoogleSQL into DuckDB's SQL.
"""

import re
from collections.abc import Callable, Mapping

from local_bigquery.errors import BigQueryError
from local_bigquery.sql import dialect, rules
from sqlglot import exp

from local.bigquery.aggregates import aggregate_extremes, gather_arrays, take_quantiles
from local.bigquery.analysis import judge
from local.bigquery.array_paths import unnest_paths
from local.bigquery.assignments import judge_values
from local.bigquery.date_parts import read_dates
from local.bigquery.formats import cast_bytes, show_values
from local.bigquery.json_paths import open_json, read_valid
from local.bigquery.pivots import name_pivot_columns
from local.bigquery.signatures import count_groups, keep_types, quote_wildcards, take_extremes
from local.bigquery.structs import (
    compare_tuples,
    expand_struct_queries,
    expand_struct_stars,
    name_struct_fields,
    open_value_tables,
    type_structs,
)
from local.bigquery.time_spans import count_between, keep_fractions, spell_intervals
from local.bigquery.unnests import expand_unnests
from local.bigquery.values_as_text import (
    begin_substrings,
    read_text,
    round_evenly,
    spell_json,
    spell_numbers,
    spell_times,
)

Rule = Callable[[exp.Expr, object], exp.Expr]
BYTE = 256
FRACTION = re.compile(r"%M:%E[*\d]S")
WHOLE_SECONDS = r"(:\d\d:\d\d)([^.\d]|$)"
WITHIN_A_SECOND = {"MILLISECOND": 1_000, "MICROSECOND": 1_000_000}
WINDOW_PARTS = ("partition_by", "order", "spec")
PRECISIONS = frozenset(map(str, range(10, 25)))
WRAPPED_LATER = (
    exp.StrToTime,
    *(exp.DateAdd, exp.DateSub, exp.DatetimeAdd, exp.DatetimeSub, exp.TimestampAdd, exp.TimestampSub),
)
"""What `local_bigquery` makes a cast of, or gives a time zone."""
GROUPED = re.compile(r"%'(\d*[a-zA-Z])")


def install() -> None:
    """Put the rules in front of those of `local_bigquery`."""
    if rules.STATEMENT_RULES[: len(EARLY)] != list(EARLY):
        rules.STATEMENT_RULES[:0] = EARLY
        place = rules.STATEMENT_RULES.index(rules.tables.qualify) + 1
        rules.STATEMENT_RULES[place:place] = (judge, judge_values, expand_unnests)
        typed = rules.STATEMENT_RULES.index(rules.typing.annotate) + 1
        rules.STATEMENT_RULES.insert(typed, spell_json)
        rules.NODE_RULES[:0] = (
            read_valid,
            keep_types,
            count_groups,
            show_values,
            cast_bytes,
            count_between,
            spell_intervals,
            spell_times,
            spell_numbers,
            read_text,
            begin_substrings,
            round_evenly,
            stay_within_a_second,
        )
        rules.NODE_RULES.append(group_thousands)
    for name in ("ARRAY_FILTER", "ARRAY_TRANSFORM"):
        dialect.UNAVAILABLE.pop(name, None)


def repeat_windows(tree: exp.Expr, _: object) -> exp.Expr:
    """Write the frame of a window that another only gives its name to: `WINDOW a AS (…), b AS (a)`."""
    for select in tree.find_all(exp.Select):
        known: dict[str, exp.Expr] = {}
        for window in select.args.get("windows") or ():
            base = known.get(window.text("alias").casefold())
            if base is not None and not any(window.args.get(key) for key in WINDOW_PARTS):
                for key in ("alias", *WINDOW_PARTS):
                    value = base.args.get(key)
                    copied = (
                        [one.copy() for one in value] if isinstance(value, list) else value and value.copy()
                    )
                    window.set(key, copied)
            known[window.name.casefold()] = window
    return tree


def limit_values(tree: exp.Expr, _: object) -> exp.Expr:
    """Count what `ARRAY_AGG(x IGNORE NULLS ORDER BY y LIMIT 2)` gathers without its NULLs."""
    for ignoring in list(tree.find_all(exp.IgnoreNulls)):
        aggregate = ignoring.this
        if not (isinstance(aggregate, exp.ArrayAgg) and isinstance(aggregate.this, exp.Limit)):
            continue
        gathered, most = aggregate.this.this, aggregate.this.expression
        value = gathered.this if isinstance(gathered, exp.Order) else gathered
        value = value.expressions[0] if isinstance(value, exp.Distinct) else value
        filtered = exp.Filter(
            this=exp.ArrayAgg(this=gathered.copy()),
            expression=exp.Where(this=exp.Not(this=exp.Is(this=value.copy(), expression=exp.null()))),
        )
        ignoring.replace(exp.func("list_slice", filtered, exp.Literal.number(1), most.copy()))
    return tree


def spell_bytes(tree: exp.Expr, _: object) -> exp.Expr:
    r"""Write `b'\xff'` as one byte; the parser gives the character of that number."""
    for literal in list(tree.find_all(exp.ByteString)):
        if all(ord(character) < BYTE for character in literal.name):
            value = literal.name.encode("latin-1").hex()
            literal.replace(exp.func("from_hex", exp.Literal.string(value)))
    return tree


def count_precisely(tree: exp.Expr, _: object) -> exp.Expr:
    """Take HLL_COUNT.INIT with a precision, which changes nothing here: every value is counted."""
    for dot in tree.find_all(exp.Dot):
        called = dot.expression
        if not (dot.this.name.upper() == "HLL_COUNT" and isinstance(called, exp.Anonymous)):
            continue
        match called.name.upper(), called.expressions:
            case "INIT", [value, exp.Literal() as precision] if precision.name in PRECISIONS:
                called.set("expressions", [value])
            case "INIT", [_, _]:
                raise BigQueryError(
                    "invalidQuery", "The precision of HLL_COUNT.INIT must be between 10 and 24"
                )
    return tree


def define_before(tree: exp.Expr, _: object) -> exp.Expr:
    """Put definitions of WITH RECURSIVE behind those that they read: GoogleSQL lets them come later."""
    for clause in tree.find_all(exp.With):
        if clause.recursive:
            left = {one.alias.casefold(): one for one in clause.expressions}
            ordered: list[exp.Expr] = []
            while left:
                ready = [name for name, one in left.items() if not _read_by(one, left)]
                for name in ready or list(left):
                    ordered.append(left.pop(name))
            clause.set("expressions", ordered)
    return tree


def _read_by(definition: exp.Expr, others: Mapping[str, exp.Expr]) -> bool:
    read = {table.name.casefold() for table in definition.find_all(exp.Table) if not table.db}
    return any(name in read for name, one in others.items() if one is not definition)


def unite_by_name(tree: exp.Expr, _: object) -> exp.Expr:
    """Unite the columns of both sides for `FULL UNION ALL BY NAME`, as DuckDB does without FULL."""
    for union in tree.find_all(exp.Union):
        if union.side == "FULL" and union.args.get("by_name"):
            union.set("side", None)
            union.set("kind", None)
    return tree


def read_fractions(tree: exp.Expr, _: object) -> exp.Expr:
    """Read seconds with or without a fraction by `%E*S`; DuckDB reads them by two formats."""
    for reading in tree.find_all(exp.StrToTime, exp.ParseDatetime, exp.ParseTime):
        template, text = reading.args.get("format"), reading.this
        if isinstance(template, exp.Literal) and FRACTION.search(template.name):
            template.replace(exp.Literal.string(FRACTION.sub("%M:%S.%f", template.name)))
            with_fraction = (exp.Literal.string(part) for part in (WHOLE_SECONDS, r"\1.0\2"))
            text.replace(exp.Anonymous(this="REGEXP_REPLACE", expressions=[text.copy(), *with_fraction]))
    return tree


def parse_safely(tree: exp.Expr, _: object) -> exp.Expr:
    """Give NULL for what SAFE.PARSE_TIMESTAMP cannot read, and for days that there are not."""
    for safe in list(tree.find_all(exp.SafeFunc)):
        if isinstance(safe.this, WRAPPED_LATER) and not isinstance(safe.this, exp.ParseDatetime):
            safe.replace(exp.Anonymous(this="TRY", expressions=[safe.this.copy()]))
    return tree


def stay_within_a_second(node: exp.Expr, _: object) -> exp.Expr:
    """Extract microseconds without the seconds, which DuckDB counts in."""
    most = WITHIN_A_SECOND.get(node.name.upper()) if isinstance(node, exp.Extract) else None
    if most and "is_whole" not in node.meta:
        node.meta["is_whole"] = True
        return exp.Mod(this=node.copy(), expression=exp.Literal.number(most))
    return node


def group_thousands(node: exp.Expr, _: object) -> exp.Expr:
    """Group digits by commas for `%'d`; DuckDB takes the flag for the character to group them by."""
    if (
        isinstance(node, exp.Anonymous)
        and node.name == "printf"
        and isinstance(node.expressions[0], exp.Literal)
    ):
        template = node.expressions[0]
        template.replace(exp.Literal.string(GROUPED.sub(r"%,\1", template.name)))
    return node


EARLY: tuple[Rule, ...] = (
    quote_wildcards,
    unnest_paths,
    define_before,
    count_precisely,
    expand_unnests,
    name_pivot_columns,
    expand_struct_queries,
    expand_struct_stars,
    repeat_windows,
    compare_tuples,
    name_struct_fields,
    limit_values,
    spell_bytes,
    open_value_tables,
    aggregate_extremes,
    gather_arrays,
    take_quantiles,
    take_extremes,
    read_dates,
    keep_fractions,
    open_json,
    type_structs,
    unite_by_name,
    read_fractions,
    parse_safely,
)

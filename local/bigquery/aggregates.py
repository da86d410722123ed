"""Aggregates of extreme rows, `SUM(a HAVING MAX b)`, of first arrays, and quantiles of distinct values."""

from sqlglot import exp
from sqlglot.parser import Parser
from sqlglot.tokenizer_core import TokenType

from local.bigquery.array_paths import READERS
from local.bigquery.error_places import not_implemented

AGGREGATES: dict[type[exp.Expr], str] = {
    exp.Avg: "avg",
    exp.Count: "count",
    exp.LogicalAnd: "bool_and",
    exp.LogicalOr: "bool_or",
    exp.Max: "max",
    exp.Min: "min",
    exp.Sum: "sum",
}
"""What DuckDB calls an aggregate of a list; ANY_VALUE is sqlglot's."""


def install() -> None:
    """Let both readers read any expression behind HAVING MAX; sqlglot reads columns alone."""
    for parser in READERS:
        parser._parse_having_max = parse_having_max


def parse_having_max(self: Parser, this: exp.Expr | None) -> exp.Expr | None:
    """Read `HAVING MAX a + b` behind the argument of an aggregate."""
    if not self._match(TokenType.HAVING):
        return this
    if not self._match_texts(("MAX", "MIN")):
        self.raise_error("Expected keyword MAX or keyword MIN")
    is_max = self._prev.text.upper() == "MAX"
    return self.expression(exp.HavingMax(this=this, expression=self._parse_disjunction(), max=is_max))


def aggregate_extremes(tree: exp.Expr, _: object) -> exp.Expr:
    """Gather the values with what they are compared by, and aggregate those that are left."""
    for having in list(tree.find_all(exp.HavingMax)):
        aggregate = having.parent
        if isinstance(aggregate, exp.AnyValue) or aggregate is None:
            continue
        values = _left(having)
        if isinstance(aggregate, exp.ArrayAgg):
            aggregate.replace(values)
        elif (name := AGGREGATES.get(type(aggregate))) is not None:
            aggregate.replace(exp.func("list_aggregate", values, exp.Literal.string(name)))
        else:
            such = "MAX" if having.args.get("max") else "MIN"
            called = aggregate.name if isinstance(aggregate, exp.Anonymous) else aggregate.key
            raise not_implemented(f"{called.upper()} with HAVING {such}")
    return tree


def _left(having: exp.HavingMax) -> exp.Expr:
    """Return the list of the values whose rows are the extreme ones."""
    value, by = having.this, having.expression
    is_distinct = isinstance(value, exp.Distinct)
    pair = exp.Struct(
        expressions=[
            exp.PropertyEQ(this=exp.to_identifier("by"), expression=by.copy()),
            exp.PropertyEQ(
                this=exp.to_identifier("value"),
                expression=(value.expressions[0] if is_distinct else value).copy(),
            ),
        ]
    )
    macro = "bq.main._cvg_of_greatest" if having.args.get("max") else "bq.main._cvg_of_least"
    left: exp.Expr = exp.Anonymous(this=macro, expressions=[exp.Anonymous(this="list", expressions=[pair])])
    return exp.func("list_distinct", left) if is_distinct else left


def gather_arrays(tree: exp.Expr, _: object) -> exp.Expr:
    """Join the first arrays of `ARRAY_CONCAT_AGG(a ORDER BY b LIMIT 2)`, NULLs not counted."""
    for aggregate in list(tree.find_all(exp.ArrayConcatAgg)):
        limit = aggregate.this
        if isinstance(limit, exp.Limit):
            arrays = limit.this
            value = arrays.this if isinstance(arrays, exp.Order) else arrays
            present = exp.Not(this=exp.Is(this=value.copy(), expression=exp.null()))
            gathered = exp.Filter(
                this=exp.Anonymous(this="list", expressions=[arrays.copy()]),
                expression=exp.Where(this=present),
            )
            first = exp.func("list_slice", gathered, exp.Literal.number(1), limit.expression.copy())
            aggregate.replace(exp.Anonymous(this="flatten", expressions=[first]))
    return tree


def take_quantiles(tree: exp.Expr, _: object) -> exp.Expr:
    """Take quantiles of distinct values; NULLs are none of them, with IGNORE NULLS or without."""
    for call in list(tree.find_all(exp.Anonymous)):
        if call.name.lower() != "bq.main.approx_quantiles":
            continue
        if call.expressions[1:] and isinstance(call.expressions[1], exp.IgnoreNulls):
            call.expressions[1].replace(call.expressions[1].this.copy())
        distinct = call.expressions[0]
        if isinstance(distinct, exp.Distinct) and distinct.expressions[1:]:
            value, number = distinct.expressions
            number = number.this if isinstance(number, exp.IgnoreNulls) else number
            places = exp.Anonymous(this="bq.main._cvg_quantiles", expressions=[number.copy()])
            values = exp.Distinct(expressions=[value.copy()])
            call.replace(exp.Anonymous(this="quantile_disc", expressions=[values, places]))
    return tree

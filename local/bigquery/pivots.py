"""Columns of PIVOT by the names that BigQuery gives them."""

from collections.abc import Iterator
from itertools import product

from sqlglot import exp


def name_pivot_columns(tree: exp.Expr, _: object) -> exp.Expr:
    """Name a column of PIVOT by its aggregate and then its value, `total_north`; DuckDB turns them round."""
    for pivot in list(tree.find_all(exp.Pivot)):
        source, alias = pivot.parent, pivot.args.get("alias")
        if pivot.args.get("unpivot") or source is None:
            continue
        pivot.set("alias", None)
        renamed = [
            exp.alias_(exp.column(old, quoted=True), new, quoted=True)
            for old, new in zip(_pivoted_by_duckdb(pivot), _pivoted(pivot), strict=True)
            if old != new
        ]
        if renamed:
            star = exp.Star(rename=renamed)
            source.replace(exp.Subquery(this=exp.select(star).from_(source.copy()), alias=alias))
        else:
            pivot.set("alias", alias)
    return tree


def _pivoted_by_duckdb(pivot: exp.Pivot) -> Iterator[str]:
    aggregates = [aggregate.alias for aggregate in pivot.expressions]
    for value, aggregate in product(_values(pivot), aggregates):
        text = value.alias if isinstance(value, exp.PivotAlias) else _text(value)
        yield f"{text}_{aggregate}" if aggregate else text


def _pivoted(pivot: exp.Pivot) -> Iterator[str]:
    aggregates = [aggregate.alias for aggregate in pivot.expressions]
    for value, aggregate in product(_values(pivot), aggregates):
        if isinstance(value, exp.PivotAlias):
            text = value.alias
        else:
            text = "".join(letter if letter.isalnum() else "_" for letter in _text(value))
        yield f"{aggregate}_{text}" if aggregate else f"_{text}" if text[:1].isdigit() else text


def _values(pivot: exp.Pivot) -> list[exp.Expr]:
    return [value for field in pivot.args["fields"] for value in field.expressions]


def _text(value: exp.Expr) -> str:
    while not isinstance(value, exp.Literal) and isinstance(value.this, exp.Expr):
        value = value.this
    return str(value.name)

"""What INSERT and UPDATE put into columns of other types: refused where BigQuery puts in no such value."""

from collections.abc import Iterator

from local_bigquery.errors import BigQueryError
from sqlglot import exp

from local.bigquery.analysis import NUMBERS, Known, columns_of
from local.bigquery.error_places import place

TAKES = {
    "FLOAT64": NUMBERS,
    "NUMERIC": NUMBERS,
    "BIGNUMERIC": NUMBERS,
    "DATETIME": frozenset({"DATE", "DATETIME"}),
    "TIMESTAMP": frozenset({"TIMESTAMP"}),
    **{kind: frozenset({kind}) for kind in ("BOOL", "BYTES", "DATE", "INT64", "STRING", "TIME")},
}
"""Values of which types a column takes."""
ASSIGNED = "Value of type {given} cannot be assigned to {column}"
INSERTED = "{what} has type {{given}} which cannot be inserted into column {{column}}"
FROM_TEXT = frozenset({"DATE", "DATETIME", "TIME", "TIMESTAMP"})
"""Types that a text is read as, where it is written in the statement."""


def judge_values(tree: exp.Expr, _: object) -> exp.Expr:
    """Raise BigQueryError for a value that its column does not take; a rule of statements."""
    if isinstance(tree, exp.Insert | exp.Update):
        known = Known.of(tree)
        for what, column, value, kind in _inserted(tree) if isinstance(tree, exp.Insert) else _set(tree):
            given = known.type_of(value)
            if kind in TAKES and given and not _is_taken(value, given, kind):
                said = what.format(given=given, column=column)
                raise BigQueryError("invalidQuery", f"{said}, which has type {kind}{place(value)}")
    return tree


def _is_taken(value: exp.Expr, given: str, kind: str) -> bool:
    is_text = isinstance(value, exp.Literal) and value.is_string
    return given not in TAKES or given in TAKES[kind] or (is_text and kind in FROM_TEXT)


def _set(update: exp.Update) -> Iterator[tuple[str, str, exp.Expr, str]]:
    """Yield each value with what is wrong where it has another type, its column's name and type."""
    types = columns_of(update.this) if isinstance(update.this, exp.Table) else {}
    for one in update.expressions:
        if isinstance(one, exp.EQ) and isinstance(one.this, exp.Column):
            name = one.this.name
            yield ASSIGNED, name, one.expression.unnest(), types.get(name.casefold(), "")


def _inserted(insert: exp.Insert) -> Iterator[tuple[str, str, exp.Expr, str]]:
    """Yield the same of an INSERT."""
    target = insert.find(exp.Table)
    types = columns_of(target) if target is not None else {}
    named = insert.this.expressions if isinstance(insert.this, exp.Schema) else []
    names = [one.name for one in named] or list(types)
    for what, values in _rows(insert.expression):
        for number, (name, value) in enumerate(zip(names, values, strict=False), start=1):
            yield (
                INSERTED.format(what=what.format(number)),
                name,
                value.unalias().unnest(),
                types.get(name.casefold(), ""),
            )


def _rows(source: exp.Expr | None) -> Iterator[tuple[str, list[exp.Expr]]]:
    if isinstance(source, exp.Values):
        for row in source.expressions:
            yield "Value", row.expressions if isinstance(row, exp.Tuple) else [row]
    elif isinstance(source, exp.Select) and not any(one.is_star for one in source.expressions):
        yield "Query column {}", source.expressions

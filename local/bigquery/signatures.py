"""Functions whose types, values or arguments are others on BigQuery than on DuckDB, which has them, too."""

import re

from local_bigquery.errors import BigQueryError
from local_bigquery.sql.rules.typing import kind
from sqlglot import exp

from local.bigquery.error_places import place
from local.bigquery.formats import INTEGERS, is_bytes

Type = exp.DataType.Type
ROUNDED = (exp.Round, exp.Trunc, exp.Ceil, exp.Floor)


def keep_types(node: exp.Expr, _: object) -> exp.Expr:
    """Round an INT64 to a FLOAT64, count all 64 bits of it, and refuse to join a list of what is no text."""
    if isinstance(node, ROUNDED) and kind(node.this) in INTEGERS:
        node.set("this", exp.cast(node.this, exp.DType.DOUBLE, dialect="duckdb"))
    elif isinstance(node, exp.BitwiseCount):
        bits = exp.DType.BIT if is_bytes(node.this) else exp.DType.BIGINT
        node.set("this", exp.cast(node.this, bits, dialect="duckdb"))
    elif isinstance(node, exp.ArrayToString) and _is_of_numbers(node.this):
        given = f"argument types: ARRAY<INT64>{place(node)}"
        raise BigQueryError("invalidQuery", f"No matching signature for function ARRAY_TO_STRING for {given}")
    return node


def _is_of_numbers(array: exp.Expr) -> bool:
    elements = array.type.expressions if array.type and array.type.is_type(Type.ARRAY) else []
    return bool(elements) and isinstance(elements[0], exp.DataType) and elements[0].this in INTEGERS


def quote_wildcards(tree: exp.Expr, _: object) -> exp.Expr:
    """Refuse a wildcard that stands in no backticks."""
    for table in tree.find_all(exp.Table):
        name = table.this
        if isinstance(name, exp.Identifier) and not name.quoted and name.name.endswith("*"):
            raise BigQueryError(
                "invalidQuery", f'Syntax error: Expected end of input but got "*"{place(table)}'
            )
    return tree


def take_extremes(tree: exp.Expr, _: object) -> exp.Expr:
    """Let MAX_BY and MIN_BY give NULL where the value of the extreme row is NULL."""
    for node in list(tree.find_all(exp.ArgMax, exp.ArgMin)):
        name = "arg_max_null" if isinstance(node, exp.ArgMax) else "arg_min_null"
        if node.args.get("count") is None:
            node.replace(exp.Anonymous(this=name, expressions=[node.this.copy(), node.expression.copy()]))
    return tree


def count_groups(node: exp.Expr, _: object) -> exp.Expr:
    """Refuse patterns of several groups where one value is asked for."""
    if isinstance(node, exp.RegexpExtract | exp.RegexpExtractAll):
        pattern = node.expression
        if isinstance(pattern, exp.Literal | exp.RawString) and _groups_in(pattern.name) > 1:
            raise BigQueryError("invalidQuery", "Regular expression has more than 1 capturing group")
    return node


def _groups_in(pattern: str) -> int:
    """Count the groups of a pattern that capture; none where only RE2 can read it."""
    try:
        return re.compile(pattern).groups
    except re.error:
        return 0

"""STRUCTs as GoogleSQL means them: their stars, types, names, comparisons, and queries that give them."""

from local_bigquery.errors import BigQueryError
from sqlglot import exp


def expand_struct_stars(tree: exp.Expr, _: object) -> exp.Expr:
    """Make a column of each field of `STRUCT(1 AS a).*`."""
    for dot in list(tree.find_all(exp.Dot)):
        if isinstance(dot.expression, exp.Star):
            if isinstance(dot.this, exp.Struct) and not all(map(_is_named, dot.this.expressions)):
                raise BigQueryError(
                    "invalidQuery", "Dot-star is not supported for a STRUCT with unnamed fields"
                )
            dot.replace(exp.Column(this=exp.Anonymous(this="UNNEST", expressions=[dot.this.copy()])))
    return tree


def expand_struct_queries(tree: exp.Expr, _: object) -> exp.Expr:
    """Make columns of what `(SELECT AS STRUCT MIN(a) AS low, …).*` names, one query each."""
    for select in tree.find_all(exp.Select):
        expanded = [part for one in select.expressions for part in _fields_of_query(one)]
        if len(expanded) > len(select.expressions):
            select.set("expressions", expanded)
    return tree


def _fields_of_query(output: exp.Expr) -> list[exp.Expr]:
    query = output.this if isinstance(output, exp.Dot) and isinstance(output.expression, exp.Star) else None
    inner = query.this if isinstance(query, exp.Subquery) else None
    if not (
        isinstance(inner, exp.Select) and inner.args.get("kind") == "STRUCT" and all(inner.named_selects)
    ):
        return [output]
    return [
        exp.alias_(exp.Dot(this=output.this.copy(), expression=exp.to_identifier(name)), name, quoted=True)
        for name in inner.named_selects
    ]


def type_structs(tree: exp.Expr, _: object) -> exp.Expr:
    """Write `STRUCT<INT64, STRING>(1, 'a')`, whose fields have no names, as one of casts."""
    for cast in list(tree.find_all(exp.Cast)):
        kinds = cast.to.expressions if cast.to.is_type(exp.DType.STRUCT) else []
        values = cast.this.expressions if isinstance(cast.this, exp.Struct) else []
        if kinds and len(kinds) == len(values) and all(isinstance(one, exp.DataType) for one in kinds):
            typed = [exp.cast(value.copy(), one) for value, one in zip(values, kinds, strict=True)]
            cast.replace(exp.Struct(expressions=typed))
    return tree


def compare_tuples(tree: exp.Expr, _: object) -> exp.Expr:
    """Compare `(a, b) IN (SELECT AS STRUCT c, d …)` by position, whatever the fields are called."""
    for comparison in tree.find_all(exp.In):
        query = comparison.args.get("query")
        select = query.this if isinstance(query, exp.Subquery) else query
        if isinstance(select, exp.Select) and select.args.get("kind") == "STRUCT":
            values = [value.unalias().copy() for value in select.expressions]
            select.set("kind", None)
            select.set("expressions", [exp.Struct(expressions=values)])
    return tree


def name_struct_fields(tree: exp.Expr, _: object) -> exp.Expr:
    """Call the fields of `STRUCT(a, t.b)` a and b."""
    for struct in tree.find_all(exp.Struct):
        if isinstance(struct.parent, exp.Array | exp.Cast) or _is_compared(struct):
            continue
        for field in struct.expressions:
            if isinstance(field, exp.Column | exp.Dot) and not isinstance(field.this, exp.Star):
                name = exp.to_identifier(field.name, quoted=True)
                field.replace(exp.PropertyEQ(this=name, expression=field.copy()))
    return tree


def _is_named(field: exp.Expr) -> bool:
    return isinstance(field, exp.PropertyEQ | exp.Column | exp.Alias)


def _is_compared(struct: exp.Expr) -> bool:
    outer = struct.parent
    if isinstance(outer, exp.Select) and isinstance(outer.parent, exp.Subquery):
        outer = outer.parent.parent
    return isinstance(outer, exp.In | exp.EQ | exp.NEQ | exp.Binary)


def open_value_tables(tree: exp.Expr, _: object) -> exp.Expr:
    """Make columns of the fields of a whole query's `SELECT AS STRUCT`, or AS VALUE of a struct."""
    if not isinstance(tree, exp.Select):
        return tree
    if tree.args.get("kind") == "STRUCT":
        tree.set("kind", None)
    elif tree.args.get("kind") == "VALUE" and isinstance(struct := tree.expressions[0], exp.Struct):
        tree.set("kind", None)
        tree.set("expressions", [_as_column(field) for field in struct.expressions])
    return tree


def _as_column(field: exp.Expr) -> exp.Expr:
    named = isinstance(field, exp.PropertyEQ)
    return exp.alias_(field.expression.copy(), field.name, quoted=True) if named else field.copy()

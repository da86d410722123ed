"""UNNEST as GoogleSQL means it: the fields of structs are columns, and an alias hides a column of its name.

DuckDB gives an array's elements as one column, and takes an alias that is a column's name too for ambiguous.
"""

from collections.abc import Iterator

from local_bigquery.catalog import names, tables
from local_bigquery.engine import database
from local_bigquery.errors import BigQueryError
from local_bigquery.sql.translate import Context
from sqlglot import exp

HIDDEN = "_cvg_"
FIELDS = "UNNEST"
SUFFIX = "_table_suffix"


def expand_unnests(tree: exp.Expr, context: Context) -> exp.Expr:
    """Rewrite each UNNEST in a FROM whose elements' fields, or whose alias, DuckDB would not find."""
    for unnest in list(tree.find_all(exp.Unnest)):
        select = unnest.find_ancestor(exp.Select)
        if (
            select is None
            or len(unnest.expressions) != 1
            or not isinstance(unnest.parent, exp.From | exp.Join)
        ):
            continue
        _complete_join(unnest.parent)
        _name_outputs(select)
        alias, beside = _alias(unnest), _columns_beside(select, context)
        alias = alias or _inferred(unnest, select)
        if alias and not alias.startswith(HIDDEN) and _hides_a_column(alias, unnest, beside):
            alias = _rename(alias, unnest, select)
        if _needs_fields(alias, unnest, select, beside):
            unnest.replace(_with_fields(alias, unnest))
        elif alias and _is_row(unnest, select, context):
            _leave_offset_out(alias, _offset(unnest), select)
            unnest.replace(_with_fields("", unnest, called=alias))
    return tree


def _is_row(unnest: exp.Unnest, select: exp.Select, context: Context) -> bool:
    """Tell whether an alias stands for rows: with a star, or an offset beside a literal of structs."""
    array = unnest.expressions[0]
    if isinstance(array, exp.Array) and array.expressions and isinstance(array.expressions[0], exp.Struct):
        return bool(_offset(unnest))
    return _has_star(select) and _is_of_structs(array, select, context)


def _leave_offset_out(alias: str, offset: str, select: exp.Select) -> None:
    """Let `i.*` be the fields of `UNNEST(items) AS i WITH OFFSET o` alone."""
    for output in select.expressions if offset else ():
        star = output.this if isinstance(output, exp.Column) else None
        if isinstance(star, exp.Star) and output.table.casefold() == alias.casefold():
            star.set("except_", [*(star.args.get("except_") or ()), exp.to_identifier(offset)])


def _complete_join(parent: exp.Expr) -> None:
    if (
        isinstance(parent, exp.Join)
        and parent.side
        and not (parent.args.get("on") or parent.args.get("using"))
    ):
        parent.set("on", exp.true())


def _name_outputs(select: exp.Select) -> None:
    """Call `item.id` id, as GROUP BY and ORDER BY may."""
    for output in list(select.expressions):
        is_path = isinstance(output, exp.Dot) or (isinstance(output, exp.Column) and output.table)
        if is_path and not output.is_star and output.name:
            output.replace(exp.alias_(output.copy(), output.name, quoted=True))


def _alias(unnest: exp.Unnest) -> str:
    given = unnest.args.get("alias")
    if given is None:
        return ""
    return str(given.columns[0].name if given.columns else given.name)


def _inferred(unnest: exp.Unnest, select: exp.Select) -> str:
    """Return the last name of a path: UNNEST(t.labels) without an alias is called labels."""
    array = unnest.expressions[0]
    is_path = isinstance(array, exp.Column | exp.Dot) and array.name
    return str(array.name) if is_path and not _has_star(select) else ""


def _has_star(select: exp.Select) -> bool:
    return any(isinstance(output, exp.Star) or output.name == "*" for output in select.expressions)


def _offset(unnest: exp.Unnest) -> str:
    offset = unnest.args.get("offset")
    if not offset:
        return ""
    return str(offset.name) if isinstance(offset, exp.Identifier) else "offset"


def _hides_a_column(alias: str, unnest: exp.Unnest, beside: set[str]) -> bool:
    array = unnest.expressions[0]
    if isinstance(array, exp.Column | exp.Dot) and array.name.casefold() == alias.casefold():
        return True
    return alias.casefold() in beside


def _columns_beside(query: exp.Expr, context: Context) -> set[str]:
    """Return the names of the columns of all that a query reads, as far as they are known."""
    found = (_columns_of(source, context) for source in sources(query))
    return set().union(*found)


def _columns_of(source: exp.Expr, context: Context) -> set[str]:
    if isinstance(source, exp.Table):
        query = defined(source)
        return _given(query, context) if query else _stored(source, context)
    return _given(source.this, context) if isinstance(source, exp.Subquery) else set()


def _given(query: exp.Expr, context: Context) -> set[str]:
    """Return the names of the columns that a query gives."""
    if not isinstance(query, exp.Query):
        return set()
    given = {name.casefold() for name in query.named_selects}
    return given | (_columns_beside(query, context) if "*" in given else set())


def defined(table: exp.Table) -> exp.Expr | None:
    """Return the query that a WITH around a table gives its name to."""
    outer: exp.Expr | None = None if table.db else table.parent
    inner: exp.Expr = table
    while outer is not None:
        clause = outer.args.get("with_")
        for definition in clause.expressions if clause and inner is not clause else ():
            if definition.alias.casefold() == table.name.casefold():
                found: exp.Expr = definition.this
                return found
        inner, outer = outer, outer.parent
    return None


def _stored(table: exp.Table, context: Context, of: str = "") -> set[str]:
    project, dataset, name = names.reference(table, context.project_id, context.dataset_id)
    try:
        fields = tables.columns(project, dataset or "", _one_of(project, dataset or "", name))
        return {field.name.casefold() for field in fields if of in ("", field.type)}
    except BigQueryError:  # Not there, or not a table: others will say so.
        return set()


def _one_of(project: str, dataset: str, name: str) -> str:
    """Return a table that a wildcard means, or the name as it is."""
    if not name.endswith("*"):
        return name
    found = (table for table, *_ in database.objects(project, dataset) if table.startswith(name[:-1]))
    return max(found, default=name)


def sources(select: exp.Expr) -> Iterator[exp.Expr]:
    """Return what a query's FROM and JOINs name."""
    if first := select.args.get("from_"):
        yield first.this
    for join in select.args.get("joins") or ():
        yield join.this


def _rename(alias: str, unnest: exp.Unnest, select: exp.Select) -> str:
    """Give an UNNEST an alias that no column has, wherever the statement speaks of it."""
    hidden = HIDDEN + alias
    for column in list(_columns(select, besides=unnest, unless=alias)):
        if column.table.casefold() == alias.casefold():
            column.set("table", exp.to_identifier(hidden))
        elif not column.table and column.name.casefold() == alias.casefold():
            renamed = exp.column(hidden)
            is_output = column.parent is select and column.arg_key == "expressions"
            column.replace(exp.alias_(renamed, alias) if is_output else renamed)
    unnest.set("alias", exp.TableAlias(columns=[exp.to_identifier(hidden)]))
    return hidden


def _columns(node: exp.Expr, *, besides: exp.Unnest, unless: str) -> Iterator[exp.Column]:
    """Walk over the columns of a query; not over an UNNEST, nor over queries that give `unless` a meaning.

    What a FROM or a WITH defines sees none of the names beside it.
    """
    for child in node.iter_expressions():
        if child is besides or isinstance(child, exp.With) or _is_derived(child):
            continue
        if isinstance(child, exp.Select) and _defines(child, unless):
            continue
        if isinstance(child, exp.Column):
            yield child
        yield from _columns(child, besides=besides, unless=unless)


def _is_derived(node: exp.Expr) -> bool:
    return isinstance(node, exp.Subquery) and isinstance(node.parent, exp.From | exp.Join)


def _defines(select: exp.Select, name: str) -> bool:
    return any(
        (_alias(source) if isinstance(source, exp.Unnest) else source.alias_or_name).casefold()
        == name.casefold()
        for source in sources(select)
    )


def _needs_fields(alias: str, unnest: exp.Unnest, select: exp.Select, beside: set[str]) -> bool:
    """Tell whether a name may be that of a field: without an alias any, with one those that stand alone."""
    if isinstance(unnest.expressions[0], exp.Array) and not alias:
        return bool(_offset(unnest))  # `local_bigquery` expands the others itself.
    if not alias:
        return True
    if _has_star(select):
        return False
    known = beside | {alias.casefold(), _offset(unnest).casefold(), SUFFIX}
    outputs = {name.alias.casefold() for name in select.expressions if isinstance(name, exp.Alias)}
    for column in _columns(select, besides=unnest, unless=alias):
        is_in_output = _top(column, select).arg_key == "expressions"
        is_known = column.name.casefold() in (known if is_in_output else known | outputs)
        if not column.table and not is_known:
            return True
    return False


def _top(node: exp.Expr, select: exp.Select) -> exp.Expr:
    """Return the part of a query that a node is in."""
    while (outer := node.parent) is not None and outer is not select:
        node = outer
    return node


def _is_of_structs(array: exp.Expr, select: exp.Expr, context: Context) -> bool:
    """Tell whether an array is known to hold structs: of a stored column, however many queries hand it on."""
    if not isinstance(array, exp.Column):
        return isinstance(array, exp.ArrayAgg) and isinstance(array.this, exp.Struct)
    return any(
        _gives_structs(source, array.name, context)
        for source in sources(select)
        if not array.table or source.alias_or_name.casefold() == array.table.casefold()
    )


def _gives_structs(source: exp.Expr, name: str, context: Context) -> bool:
    query = defined(source) if isinstance(source, exp.Table) else source.this
    if isinstance(source, exp.Table) and query is None:
        return name.casefold() in _stored(source, context, of="RECORD")
    if not isinstance(query, exp.Select):
        return False
    handed_on = exp.column(name) if _has_star(query) else None
    given = next((output for output in query.expressions if output.alias_or_name == name), handed_on)
    return given is not None and _is_of_structs(given.unalias(), query, context)


def _with_fields(alias: str, unnest: exp.Unnest, called: str = "") -> exp.Subquery:
    array = unnest.expressions[0]
    fields = exp.Anonymous(
        this=FIELDS,
        expressions=[array.copy(), exp.Kwarg(this=exp.var("max_depth"), expression=exp.Literal.number(2))],
    )
    columns: list[exp.Expr] = [fields]
    if alias:
        columns.insert(0, exp.alias_(exp.Anonymous(this=FIELDS, expressions=[array.copy()]), alias))
    if offset := _offset(unnest):
        subscripts = exp.Anonymous(
            this="generate_subscripts", expressions=[array.copy(), exp.Literal.number(1)]
        )
        columns.append(exp.alias_(subscripts - 1, offset))
    named = exp.TableAlias(this=exp.to_identifier(called)) if called else None
    return exp.Subquery(this=exp.Select(expressions=columns), alias=named)

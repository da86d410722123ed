"""What BigQuery's analyzer refuses and DuckDB would take, by names, types and shape of a query.

Only what is certain is refused: a column counts as one of a type where it can be nothing but a stored
table's. What is passed here may still be wrong: Google's own analyzer is there for the rest (`strict_sql`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import duckdb
from local_bigquery.catalog import tables
from local_bigquery.engine.types import bigquery_type
from local_bigquery.errors import BigQueryError
from sqlglot import exp

from local.bigquery.counted_rows import faults_of_counts
from local.bigquery.error_places import place
from local.bigquery.unnests import sources

Columns = Mapping[str, str]
"""The type of each column, by its name in small letters."""
NUMBERS = frozenset({"INT64", "FLOAT64", "NUMERIC", "BIGNUMERIC"})
TIMES = frozenset({"DATE", "DATETIME", "TIMESTAMP", "TIME"})
UNORDERED = ("ARRAY", "STRUCT", "JSON", "GEOGRAPHY")
CASTS = {
    **dict.fromkeys(NUMBERS - {"INT64"}, NUMBERS | {"STRING"}),
    "INT64": NUMBERS | {"BOOL", "STRING"},
    "BOOL": frozenset({"BOOL", "INT64", "STRING"}),
    "DATE": frozenset({"DATE", "DATETIME", "TIMESTAMP", "STRING"}),
    "DATETIME": TIMES | {"STRING"},
    "TIMESTAMP": TIMES | {"STRING"},
    "TIME": frozenset({"TIME", "STRING"}),
}
"""To what values of a type can be cast."""
OPERATORS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "!=",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
RANKS = {
    exp.Rank: "rank",
    exp.DenseRank: "dense_rank",
    exp.PercentRank: "percent_rank",
    exp.CumeDist: "cume_dist",
    exp.Ntile: "ntile",
    exp.Lag: "lag",
    exp.Lead: "lead",
    exp.FirstValue: "first_value",
    exp.LastValue: "last_value",
    exp.NthValue: "nth_value",
}
SIGNATURES: tuple[tuple[str, tuple[type[exp.Expr], ...], frozenset[str]], ...] = (
    ("aggregate function", (exp.Sum, exp.Avg), TIMES | {"BOOL", "STRING", "BYTES", "JSON"}),
    ("aggregate function", (exp.GroupConcat,), NUMBERS | TIMES | {"BOOL", "JSON"}),
    (
        "function",
        (exp.Length, exp.Lower, exp.Upper, exp.Trim, exp.StartsWith, exp.Initcap),
        NUMBERS | TIMES | {"BOOL"},
    ),
)
"""What functions are called, and columns of which types they do not take."""
NAMES: dict[type[exp.Expr], str] = {exp.GroupConcat: "STRING_AGG"}
NO_EQUALITY = "cannot be used without a condition that is an equality of fields from both sides of the join."
TIME_OF_DAY = frozenset({"HOUR", "MINUTE", "SECOND", "MILLISECOND", "MICROSECOND"})


def judge(tree: exp.Expr, _: object) -> exp.Expr:
    """Raise BigQueryError for what is certainly wrong; a rule of statements, once tables have whole names."""
    known = Known.of(tree)
    for message, node in _faults(tree, known):
        raise BigQueryError("invalidQuery", f"{message}{place(node)}")
    return tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of the tables that a statement reads."""

    by_source: Mapping[str, Columns]
    """Columns by the name under which a query speaks of their table."""
    made: frozenset[str]
    """Names that the statement itself gives to something."""
    is_whole: bool
    """Whether everything that is read is a stored table that is known."""

    @classmethod
    def of(cls, tree: exp.Expr) -> "Known":
        """Look the tables of a statement up."""
        by_source: dict[str, Columns] = {}
        is_whole = tree.find(exp.Unnest, exp.Lateral, exp.Pivot) is None
        for table in tree.find_all(exp.Table):
            columns = columns_of(table)
            name = table.alias_or_name.casefold()
            if not columns or by_source.get(name, columns) != columns:
                is_whole = False
                by_source.pop(name, None)
            else:
                by_source[name] = columns
        made = {alias.alias.casefold() for alias in tree.find_all(exp.Alias)}
        made |= {
            column.name.casefold() for alias in tree.find_all(exp.TableAlias) for column in alias.columns
        }
        return cls(by_source=by_source, made=frozenset(made), is_whole=is_whole)

    def type_of(self, node: exp.Expr) -> str:
        """Return the type of a part of a query, "" where it is not certain."""
        match node:
            case exp.Paren():
                return self.type_of(node.this)
            case exp.Column():
                return self._type_of_column(node)
            case exp.Cast() if not node.find(exp.Parameter, exp.Placeholder):
                return str(node.to.sql(dialect="bigquery"))
            case exp.Literal():
                return "STRING" if node.is_string else "INT64" if node.is_int else "FLOAT64"
            case exp.Boolean() | exp.Connector() | exp.Not():
                return "BOOL"
            case exp.CurrentDate():
                return "DATE"
            case exp.CurrentTimestamp():
                return "TIMESTAMP"
        return "BOOL" if type(node) in OPERATORS else ""

    def _type_of_column(self, column: exp.Column) -> str:
        name, source = column.name.casefold(), column.table.casefold()
        if isinstance(column.this, exp.Star) or column.args.get("db"):
            return ""
        if source:
            return self.by_source.get(source, {}).get(name, "")
        found = {columns[name] for columns in self.by_source.values() if name in columns}
        return found.pop() if len(found) == 1 and self.is_whole and name not in self.made else ""


def columns_of(table: exp.Table) -> Columns:
    """Return the columns of a stored table that has its whole name; none where it is not known."""
    if not (table.catalog and table.db and isinstance(table.this, exp.Identifier)):
        return {}
    try:
        fields = tables.columns(table.catalog, table.db, table.name)
    except (BigQueryError, duckdb.Error):
        return {}
    return {field.name.casefold(): bigquery_type(field) for field in fields}


def _faults(tree: exp.Expr, known: Known) -> Iterator[tuple[str, exp.Expr]]:
    for node in tree.walk():
        yield from _faults_of_shape(node)
        yield from _faults_of_operands(node, known)
        yield from _faults_of_logic(node, known)
        yield from _faults_of_arguments(node, known)
        if isinstance(node, exp.Select):
            yield from _faults_of_clauses(node, known)
            yield from _faults_of_order(node, known)
            yield from _faults_of_aliases(node)
        elif isinstance(node, exp.SetOperation):
            yield from _faults_of_union(node, known)


def _faults_of_shape(node: exp.Expr) -> Iterator[tuple[str, exp.Expr]]:
    yield from faults_of_counts(node)
    if isinstance(node, exp.Window) and not (node.args.get("order") or node.args.get("alias")):
        ranked = node.this.this if isinstance(node.this, exp.IgnoreNulls | exp.RespectNulls) else node.this
        if called := RANKS.get(type(ranked)):
            yield f"Window ORDER BY is required for analytic function {called}", node
    if isinstance(node, exp.Join) and node.side in {"LEFT", "RIGHT", "FULL"} and (on := node.args.get("on")):
        parts = list(on.flatten()) if isinstance(on, exp.And) else [on]
        read = {column.table.casefold() for column in on.find_all(exp.Column) if column.table}
        if len(read) > 1 and not any(isinstance(part.unnest(), exp.EQ) for part in parts):
            yield f"{node.side} OUTER JOIN {NO_EQUALITY}", exp.Null()


def _faults_of_operands(node: exp.Expr, known: Known) -> Iterator[tuple[str, exp.Expr]]:
    if (operator := OPERATORS.get(type(node))) and not isinstance(node.parent, exp.Update):
        sides = [node.this, node.expression]
        types = [known.type_of(side) for side in sides]
        for one in types:
            if one.startswith("ARRAY") or one in {"JSON", "GEOGRAPHY"}:
                what = "Equality" if isinstance(node, exp.EQ | exp.NEQ) else "Comparison"
                yield f"{what} is not defined for arguments of type {one}", node
        if all(types) and not _is_comparable(*zip(sides, types, strict=True)):
            told = ", ".join(types)
            yield f"No matching signature for operator {operator} for argument types: {told}", node


def _faults_of_logic(node: exp.Expr, known: Known) -> Iterator[tuple[str, exp.Expr]]:
    if isinstance(node, exp.And | exp.Or | exp.Not):
        sides = [node.this] if isinstance(node, exp.Not) else [node.this, node.expression]
        types = [known.type_of(side) for side in sides]
        if all(types) and any(one != "BOOL" for one in types):
            operator = type(node).__name__.upper()
            told = ", ".join(types)
            yield f"No matching signature for operator {operator} for argument types: {told}", node
    if isinstance(node, exp.Cast) and (source := known.type_of(node.this)) in CASTS:
        target = str(node.to.sql(dialect="bigquery"))
        if not isinstance(node.this, exp.Literal) and target in CASTS and target not in CASTS[source]:
            yield f"Invalid cast from {source} to {target}", node.this


def _is_comparable(left: tuple[exp.Expr, str], right: tuple[exp.Expr, str]) -> bool:
    types = {left[1], right[1]}
    if len(types) == 1 or types <= NUMBERS or types == {"DATE", "DATETIME"}:
        return True
    texts = [one for one, kind in (left, right) if kind == "STRING"]
    is_literal = any(isinstance(one, exp.Literal) for one in texts)
    other = types - {"STRING"}
    # Values of types that are not looked at here may be comparable.
    return (is_literal and not other <= NUMBERS | {"BOOL"}) or not types <= NUMBERS | TIMES | {
        "BOOL",
        "STRING",
    }


def _faults_of_arguments(node: exp.Expr, known: Known) -> Iterator[tuple[str, exp.Expr]]:
    if isinstance(node, exp.Extract) and known.type_of(node.expression) == "DATE":
        if (part := node.this.name.upper()) in TIME_OF_DAY:
            yield f"EXTRACT from DATE does not support the {part} date part", node
    elif isinstance(node, exp.Max | exp.Min) and (kind := known.type_of(node.this)).startswith(UNORDERED):
        yield f"{type(node).__name__.upper()} is not defined for arguments of type {kind}", node
    for called, names, refused in SIGNATURES:
        if isinstance(node, names) and isinstance(node.this, exp.Column):
            name = str(node.meta.get("bigquery_name") or NAMES.get(type(node), type(node).__name__)).upper()
            if (kind := known.type_of(node.this)) in refused:
                yield f"No matching signature for {called} {name} for argument types: {kind}", node


def _faults_of_clauses(select: exp.Select, known: Known) -> Iterator[tuple[str, exp.Expr]]:
    for clause in ("where", "having", "qualify"):
        condition = select.args[clause].this if select.args.get(clause) else None
        kind = known.type_of(condition) if condition is not None else ""
        if condition is not None and kind not in {"", "BOOL"}:
            yield f"{clause.upper()} clause should return type BOOL, but returns {kind}", condition


def _faults_of_order(select: exp.Select, known: Known) -> Iterator[tuple[str, exp.Expr]]:
    for one in _parts_of(select, "order"):
        if (kind := known.type_of(one.this)).startswith(UNORDERED):
            yield f"ORDER BY does not support expressions of type {kind}", one
    for one in _parts_of(select, "group"):
        if (kind := known.type_of(one)) in {"JSON", "GEOGRAPHY"}:
            yield f"Grouping by expressions of type {kind} is not allowed", one
    for window in select.find_all(exp.Window):
        for one in window.args.get("partition_by") or ():
            if (kind := known.type_of(one)) == "FLOAT64" or kind.startswith(UNORDERED):
                yield f"Partitioning by expressions of type {kind} is not allowed", one


def _parts_of(select: exp.Select, clause: str) -> list[exp.Expr]:
    return select.args[clause].expressions if select.args.get(clause) else []


def _faults_of_aliases(select: exp.Select) -> Iterator[tuple[str, exp.Expr]]:
    """Find names that only the same SELECT gives: they are known in GROUP BY, HAVING and ORDER BY alone."""
    aliases = {one.alias.casefold() for one in select.expressions if isinstance(one, exp.Alias)}
    if not aliases or _is_correlated(select):
        return
    stored: set[str] = set()
    for source in sources(select):
        columns = columns_of(source) if isinstance(source, exp.Table) else {}
        if not columns:
            return
        stored |= columns.keys()
    where = select.args.get("where")
    for part in [*select.expressions, *([where] if where else [])]:
        for column in part.find_all(exp.Column):
            name = column.name.casefold()
            is_own = column.find_ancestor(exp.Select) is select and not column.table
            if is_own and name in aliases and name not in stored:
                yield f"Unrecognized name: {column.name}", column


def _is_correlated(select: exp.Select) -> bool:
    """Tell whether a query may read columns of one around it."""
    outer = select.parent
    if isinstance(outer, exp.Subquery):
        outer = outer.parent
    return not (outer is None or isinstance(outer, exp.From | exp.Join | exp.CTE | exp.Create | exp.Insert))


def _faults_of_union(union: exp.SetOperation, known: Known) -> Iterator[tuple[str, exp.Expr]]:
    left, right = union.this, union.expression
    if not (isinstance(left, exp.Select) and isinstance(right, exp.Select)) or union.args.get("by_name"):
        return
    pairs = zip(left.expressions, right.expressions, strict=False)
    for number, (one, other) in enumerate(pairs, start=1):
        if one.is_star or other.is_star:
            return
        types = [known.type_of(side.unalias()) for side in (one, other)]
        told = [(side.unalias(), kind) for side, kind in zip((one, other), types, strict=True)]
        if all(types) and not _is_comparable(*told):
            name = f"{type(union).__name__.upper()} {'DISTINCT' if union.args.get('distinct') else 'ALL'}"
            yield f"Column {number} in {name} has incompatible types: {', '.join(types)}", other

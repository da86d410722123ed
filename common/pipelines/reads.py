"""What a query reads: the paths after FROM that are tables, and the routines that it calls.

A path after FROM is no table where its first name stands for something nearer: a common table expression, or,
in a path of several names, a row to the left in this FROM or in a query around it (`FROM t, t.items`). Joins
in brackets, and joins whose ON comes after a later one's, are a FROM of their own: what is in them sees no
row outside. Behind RIGHT and FULL JOIN no row to the left is seen, within PIVOT and MATCH_RECOGNIZE none at
all. Names are the same in capitals and small letters of ASCII alone. These rules are BigQuery's, and held
against its analyzer. Where in doubt the path is a table: what is refused for it can be written with UNNEST.
"""

from dataclasses import dataclass, field, replace
from string import ascii_lowercase, ascii_uppercase
from typing import TypeGuard

from sqlglot import exp

from common.pipelines.grammar import HAS_QUOTED_DOTS, NAMED_AS, PATH_HEAD, UnreadableQuery, read_query
from common.pipelines.query_clauses import ROW_PATTERN

type Path = tuple[str, ...]

# BigQuery itself reads at most 1,000 tables in one query.
MAX_NAMES = 1_000

_SEES_NO_ROWS = (exp.MatchRecognize, exp.Pivot, exp.TableSample, exp.Version)
"""What stands behind a source in FROM: what it holds sees neither the rows to its left nor those around."""
_SIDES_WITHOUT_ROWS = ("RIGHT", "FULL")
"""Of joins: what stands behind them sees no row to its left."""
_SMALL_LETTERS = str.maketrans(ascii_uppercase, ascii_lowercase)
_FOREIGN = (exp.Command, exp.DDL, exp.DML, exp.Hint, exp.Into, exp.Lateral, exp.Lock, exp.Placeholder)


@dataclass(slots=True)
class Reads:
    """Paths, in pieces; `table_functions` are called after FROM, `foreign` is what belongs in no query."""

    tables: set[Path] = field(default_factory=set)
    routines: set[Path] = field(default_factory=set)
    table_functions: set[Path] = field(default_factory=set)
    foreign: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Scope:
    """What names (in lower case) stand for at some place: common table expressions, and rows."""

    ctes: frozenset[str] = frozenset()
    rows: frozenset[str] = frozenset()

    def with_cte(self, name: str) -> "_Scope":
        return replace(self, ctes=self.ctes | {_folded(name)})

    def with_rows(self, names: frozenset[str]) -> "_Scope":
        return replace(self, rows=self.rows | names)

    def without_rows(self) -> "_Scope":
        return replace(self, rows=frozenset())


def reads_of(code: str) -> Reads:
    """Read one query without comments, its strings masked; UnreadableQuery where that cannot be done."""
    tree, met = read_query(code)
    names = sum(isinstance(node, exp.Join | exp.CTE) for node in tree.walk())
    if max(names, len({_path(table) for table in met})) > MAX_NAMES:
        raise UnreadableQuery(f"has more than {MAX_NAMES:,} tables, joins and WITHs")
    walk = _Walk()
    if not isinstance(tree, exp.Query):
        walk.reads.foreign.add(tree.key.upper())
    walk.run(tree)
    walk.add_lost(met)
    return walk.reads


class _Walk:
    """Visits every node of a tree once, with a stack of its own: long queries are deep trees."""

    def __init__(self) -> None:
        self.reads = Reads()
        self._stack: list[tuple[exp.Expr, _Scope]] = []
        self._seen: set[Path] = set()
        self._walked: set[int] = set()
        """The nodes (by `id`) whose joins have been pushed."""

    def run(self, tree: exp.Expr) -> None:
        self._stack.append((tree, _Scope()))
        while self._stack:
            node, scope = self._stack.pop()
            if isinstance(node, _FOREIGN):
                self.reads.foreign.add(node.key.upper())
            if isinstance(node, exp.Query) and node.args.get("with_"):
                scope = self._push_ctes(node.args["with_"], scope)
            self._visit(node, scope)

    def add_lost(self, met: list[exp.Table]) -> None:
        """Take the tables that reading met and the tree does not hold for tables.

        Reading comes to `a-b.c` by way of `a`: the beginning of a path that was read to its end is not lost.
        """
        seen = [".".join(path) for path in self._seen]
        for path in {_path(table) for table in met if _is_path(table)} - self._seen:
            if not any(whole.startswith(".".join(path)) for whole in seen):
                self.reads.tables.add(path)

    def _visit(self, node: exp.Expr, scope: _Scope) -> None:
        match node:
            case exp.With():
                pass  # Pushed with the query that it belongs to.
            case exp.Select():
                self._select(node, scope)
            case exp.Table():
                self._table(node, scope)
            case _ if isinstance(node, _SEES_NO_ROWS):
                self._push_children(node, scope.without_rows())
            case exp.Dot(expression=exp.Func() as function):
                self.reads.routines.add((*_names(node.this), function.name))
                self._push_children(function, scope)
                self._push_children(node.this, scope)
            case exp.Anonymous():
                self.reads.routines.add(_split(node.name))
                self._push_children(node, scope)
            case _:
                self._push_children(node, scope)

    def _push_children(self, node: exp.Expr, scope: _Scope) -> None:
        keys = node.args.keys() - ({"joins"} if id(node) in self._walked else set())
        self._stack.extend((child, scope) for key in keys for child in _expressions(node.args[key]))

    def _push_ctes(self, ctes: exp.Expr, scope: _Scope) -> _Scope:
        """Push the bodies of a WITH; return what its query sees. A body sees no row of the queries around."""
        if ctes.args.get("recursive"):
            for cte in ctes.expressions:
                scope = scope.with_cte(cte.alias)
        for cte in ctes.expressions:
            if not isinstance(cte.this, exp.Query):
                self.reads.foreign.add(cte.this.key.upper())
            self._stack.append((cte.this, scope.without_rows()))
            scope = scope.with_cte(cte.alias)
        return scope

    def _select(self, select: exp.Select, scope: _Scope) -> None:
        inside = scope
        joins = select.args.get("joins") or []
        if (start := select.args.get("from_")) is not None:
            joins = [*(start.this.args.get("joins") or ()), *joins]
            inside = scope.with_rows(self._push_joined(start.this, joins, scope))
        for key, value in select.args.items():
            if key not in ("from_", "joins", "with_"):
                self._stack.extend((child, inside) for child in _expressions(value))

    def _push_joined(self, first: exp.Expr, joins: list[exp.Expr], around: _Scope) -> frozenset[str]:
        """Push sources that are joined, from left to right; return the names of their rows.

        Each sees the rows to its left among them, but not behind RIGHT and FULL JOIN, and what their query
        sees of those around it.
        """
        self._walked.add(id(first))
        rows = self._push_source(first, around, frozenset())
        for join in joins:
            left = frozenset[str]() if join.args.get("side") in _SIDES_WITHOUT_ROWS else rows
            rows |= self._push_operand(join.this, around, left)
            conditions = (child for child in join.iter_expressions() if child is not join.this)
            self._stack.extend((child, around.with_rows(rows)) for child in conditions)
        return rows

    def _push_operand(self, operand: exp.Expr, around: _Scope, left: frozenset[str]) -> frozenset[str]:
        if joins := operand.args.get("joins"):
            return self._push_joined(operand, joins, around)
        return self._push_source(operand, around, left)

    def _push_source(self, source: exp.Expr, around: _Scope, left: frozenset[str]) -> frozenset[str]:
        if _is_bracket(source):
            return self._push_operand(source.this, around, frozenset())
        self._stack.append((source, around.with_rows(left) if _sees_left(source) else around))
        return _row_names(source)

    def _table(self, table: exp.Table, scope: _Scope) -> None:
        if (joins := table.args.get("joins")) and id(table) not in self._walked:
            self._push_joined(table, joins, scope)  # Joins in brackets that have an alias or a PIVOT.
            return
        self._seen.add(path := _path(table))
        if not isinstance(table.this, exp.Identifier | exp.Dot | exp.Func):
            self.reads.foreign.add(f"a table named by {table.this.sql('bigquery')}")
        elif isinstance(table.this, exp.Func):
            self.reads.table_functions.add(path)
            self._push_children(table.this, scope.without_rows())
        elif not _is_near(table, path, scope):
            self.reads.tables.add(path)
        for key, value in table.args.items():
            if key not in ("this", "db", "catalog", "joins"):
                self._stack.extend((child, scope) for child in _expressions(value))


def _is_bracket(source: exp.Expr) -> bool:
    """Tell whether a source is joins in brackets, and not a query in them."""
    is_query = isinstance(source.this, exp.Query) and not isinstance(source.this, exp.Subquery)
    has_own = any(source.args.get(key) for key in ("alias", "with_", "pivots", ROW_PATTERN))
    return isinstance(source, exp.Subquery) and not is_query and not has_own


def _sees_left(source: exp.Expr) -> bool:
    """Tell whether a source sees the rows to its left: paths and UNNEST do, queries in brackets do not."""
    return isinstance(source, exp.Unnest) or _is_path(source)


def _is_path(source: exp.Expr) -> TypeGuard[exp.Table]:
    return isinstance(source, exp.Table) and not isinstance(source.this, exp.Func)


def _row_names(source: exp.Expr) -> frozenset[str]:
    """Name the rows of a source as the rest of the query may call them."""
    pivots = source.args.get("pivots")
    if (pattern := source.args.get(ROW_PATTERN)) is not None:
        pivots = [pattern]
    alias = (pivots[-1] if pivots else source).args.get("alias")
    if alias is not None:
        names = (alias.this, *(alias.args.get("columns") or ()))
        return frozenset(_folded(name.name) for name in names if name)
    # What a row of `a.b`, in one pair of backticks, is called: BigQuery's documentation does not say.
    if pivots or not _is_path(source) or source.meta.get(HAS_QUOTED_DOTS):
        return frozenset()
    return frozenset({_folded(_path(source)[-1])})


def _is_near(table: exp.Table, path: Path, scope: _Scope) -> bool:
    what = table.meta.get(NAMED_AS)  # `TABLE x.y` and `MODEL x.y` mean no row, and a model is no WITH either.
    if len(path) == 1:
        return what != "MODEL" and _folded(path[0]) in scope.ctes
    if what:
        return False
    # `a.b`.c and a-b.c.d begin with other names than the pieces of their paths say.
    head = table.meta.get(PATH_HEAD)
    return path[0] == head and _folded(head) in scope.rows


def _folded(name: str) -> str:
    """Return a name in small letters: those of ASCII, for Python also takes the Kelvin sign for a k."""
    return name.translate(_SMALL_LETTERS)


def _path(table: exp.Table) -> Path:
    return _split(".".join(part.name for part in table.parts))


def _split(name: str) -> Path:
    return tuple(name.split("."))


def _names(node: exp.Expr) -> Path:
    """Return the names of a dotted path; none where it begins with something else, as in `(x).fn()`."""
    match node:
        case exp.Identifier():
            return _split(node.name)
        case exp.Dot():
            return _names(node.this) + _names(node.expression)
        case exp.Column():
            return tuple(name for part in node.parts for name in _names(part))
    return ()


def _expressions(value: object) -> list[exp.Expr]:
    values = value if isinstance(value, list) else [value]
    return [item for item in values if isinstance(item, exp.Expr)]

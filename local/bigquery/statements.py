"""What SQL does and to which tables, as far as the limits, the prices and the access rules ask."""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

import sqlglot
from sqlglot import exp

from local.bigquery.array_paths import PathDialect, unnest_paths
from local.bigquery.calls import Call

Table = tuple[str, str, str]
"""Project, dataset and table."""


class Kind(StrEnum):
    """What a statement does."""

    SELECT = "SELECT"
    INSERT = "INSERT"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    MERGE = "MERGE"
    TRUNCATE = "TRUNCATE TABLE"
    DDL = "DDL"
    CONTROL = "CONTROL"
    UNREADABLE = "UNREADABLE"


MUTATIONS = frozenset({Kind.UPDATE, Kind.DELETE, Kind.MERGE})
WRITES = MUTATIONS | {Kind.INSERT, Kind.TRUNCATE, Kind.DDL}
KINDS: dict[type[exp.Expr], Kind] = {
    exp.Insert: Kind.INSERT,
    exp.Update: Kind.UPDATE,
    exp.Delete: Kind.DELETE,
    exp.Merge: Kind.MERGE,
    exp.TruncateTable: Kind.TRUNCATE,
    exp.Create: Kind.DDL,
    exp.Alter: Kind.DDL,
    exp.Drop: Kind.DDL,
    exp.LoadData: Kind.INSERT,
    exp.Transaction: Kind.CONTROL,
    exp.Commit: Kind.CONTROL,
    exp.Rollback: Kind.CONTROL,
    exp.Declare: Kind.CONTROL,
    exp.Set: Kind.CONTROL,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement: the table it writes, if any, and those it reads, itself included where it reads that."""

    kind: Kind
    target: Table | None = None
    sources: frozenset[Table] = frozenset()


@lru_cache(maxsize=1024)
def read_statements(sql: str, project: str, dataset: str = "") -> tuple[Statement, ...]:
    """Read a statement or a script; what cannot be read, such as IF or EXECUTE IMMEDIATE, is UNREADABLE."""
    trees = trees_of(sql)
    if not trees:
        return (Statement(kind=Kind.UNREADABLE),)
    return tuple(_statement(tree, project, dataset) for tree in trees)


@lru_cache(maxsize=1024)
def trees_of(sql: str) -> tuple[exp.Expr, ...]:
    """Parse a statement or a script; nothing for what cannot be parsed.

    What comes behind the last semicolon is a statement to sqlglot, even where it is a comment alone.
    """
    try:
        trees = sqlglot.parse(sql, dialect=PathDialect)
    except (
        sqlglot.errors.SqlglotError,
        AttributeError,
        IndexError,
        ValueError,
    ):  # Functions without their arguments, too.
        return ()
    return tuple(unnest_paths(tree) for tree in trees if tree and not isinstance(tree, exp.Semicolon))


def statements_of(call: Call) -> tuple[Statement, ...]:
    """Read the SQL of the job that a call starts or dry-runs; nothing for other calls and jobs."""
    query = call.job_configuration.get("query")
    return statements_in(query, call.project) if query is not None else ()


def statements_in(query: dict[str, Any], project: str) -> tuple[Statement, ...]:
    """Read the SQL of a query job's configuration."""
    default = query.get("defaultDataset") or {}
    return read_statements(
        query.get("query") or "", default.get("projectId") or project, default.get("datasetId") or ""
    )


def _statement(tree: exp.Expr, project: str, dataset: str) -> Statement:
    kind = _kind(tree)
    target = tree.find(exp.Table) if kind in WRITES else None
    sources = frozenset(
        _name(table, project, dataset)
        for table in tree.find_all(exp.Table)
        if (table is not target or kind in MUTATIONS) and _is_stored(table, dataset)
    )
    return Statement(kind=kind, target=_name(target, project, dataset) if target else None, sources=sources)


def _kind(tree: exp.Expr) -> Kind:
    if isinstance(tree, exp.Query | exp.Export):
        return Kind.SELECT
    return KINDS.get(type(tree), Kind.UNREADABLE)


def _name(table: exp.Table, project: str, dataset: str) -> Table:
    return table.catalog or project, table.db or dataset, table.name


def _is_stored(table: exp.Table, dataset: str) -> bool:
    if not isinstance(table.this, exp.Identifier):
        return False  # A table function or a model.
    return bool(table.db) or (bool(dataset) and not _is_common_table(table))


def _is_common_table(table: exp.Table) -> bool:
    """Tell whether a WITH around `table` defines its name before it is used."""
    inner: exp.Expr = table
    while outer := inner.parent:
        clause = outer.args.get("with_")
        if isinstance(inner, exp.With):
            clause = None  # Seen from inside: the definitions that come first were tried below.
        for definition in clause.expressions if clause else []:
            if definition.alias == table.name:
                return True
        if isinstance(outer, exp.With) and _is_defined_before(table.name, inner, outer):
            return True
        inner = outer
    return False


def _is_defined_before(name: str, definition: exp.Expr, clause: exp.With) -> bool:
    for other in clause.expressions:
        if other is definition:
            return bool(clause.recursive and other.alias == name)
        if other.alias == name:
            return True
    return False

"""Arrays that FROM names by their path, such as `FROM t, t.items AS i`, are what UNNEST gives of them.

sqlglot knows that of the arrays of tables to the left, in a join without a condition and without an offset.
"""

from collections.abc import Iterator
from typing import Any

from local_bigquery.sql import dialect
from sqlglot import exp
from sqlglot.dialects.bigquery import BigQuery
from sqlglot.parser import Parser
from sqlglot.parsers.bigquery import BigQueryParser
from sqlglot.tokenizer_core import TokenType


def install() -> None:
    """Let `local_bigquery` read it."""
    dialect.BigQueryDialect.Parser._parse_table = parse_table


def parse_table(self: Parser, *args: Any, **options: Any) -> exp.Expr | None:
    """Read what FROM or JOIN names; a path with an offset as the UNNEST that it stands for."""
    table = Parser._parse_table(self, *args, **options)
    if not isinstance(table, exp.Table) or not self._match_pair(TokenType.WITH, TokenType.OFFSET):
        return table
    self._match(TokenType.ALIAS)
    offset = self._parse_id_var(any_token=False, tokens=self.UNNEST_OFFSET_ALIAS_TOKENS)
    return self.expression(_unnested(table, offset or exp.to_identifier("offset")))


def unnest_paths(tree: exp.Expr, _: object = None) -> exp.Expr:
    """Write the UNNEST for each path that begins with a name of rows, to its left or of a query around it."""
    for table in list(tree.find_all(exp.Table)):
        first = table.parts[0].name.casefold() if table.args.get("db") else ""
        if first and isinstance(table.parent, exp.From | exp.Join) and first in _rows_in_sight(table):
            table.replace(_unnested(table.copy()))
    return tree


def _unnested(table: exp.Table, offset: exp.Expr | None = None) -> exp.Unnest:
    alias = table.args.get("alias")
    table.set("alias", None)
    return exp.Unnest(
        expressions=[table.to_column()],
        alias=exp.TableAlias(columns=[alias.this]) if alias else None,
        offset=offset,
    )


def _rows_in_sight(table: exp.Table) -> Iterator[str]:
    """Name the rows that a path may begin with, in lower case; a definition of WITH sees none around it."""
    inner: exp.Expr = table
    outer = table.parent
    while outer is not None and not isinstance(outer, exp.With):
        if isinstance(outer, exp.Join) and not isinstance(inner, exp.Subquery):
            yield from _names(outer.parent, before=outer)
            if inner.arg_key == "on":
                yield _name(outer.this)
        if isinstance(outer, exp.From | exp.Join):  # A query in it sees nothing beside itself.
            inner, outer = outer, outer.parent
        elif isinstance(outer, exp.Select):
            yield from _names(outer)
        if outer is not None:
            inner, outer = outer, outer.parent


def _names(query: exp.Expr | None, before: exp.Join | None = None) -> Iterator[str]:
    """Name what the FROM and the joins of a query, or of a join in brackets, give; up to one of the joins."""
    if query is None:
        return
    first = query.args.get("from_")
    yield _name(first.this if first else query)
    for join in query.args.get("joins") or ():
        if join is before:
            return
        yield _name(join.this)


def _name(source: exp.Expr) -> str:
    alias = source.args.get("alias")
    if isinstance(source, exp.Unnest) and alias and alias.columns:
        return str(alias.columns[0].name).casefold()
    return source.alias_or_name.casefold()


class PathDialect(BigQuery):
    """sqlglot's BigQuery, which reads it too."""

    class Parser(BigQueryParser):
        """Reads tokens into a tree."""

        _parse_table = parse_table


READERS: tuple[Any, ...] = (dialect.BigQueryDialect.Parser, PathDialect.Parser)
"""What reads statements: to carry them out, and to judge them before."""

"""Pipe operators that sqlglot does not read: SET, DROP and RENAME."""

from collections.abc import Callable
from typing import Any

from local_bigquery.sql import dialect
from sqlglot import exp
from sqlglot.parser import Parser

from local.bigquery.array_paths import PathDialect


def install() -> None:
    """Let both readers read them."""
    readers: list[Any] = [dialect.BigQueryDialect.Parser, PathDialect.Parser]
    for parser in readers:
        parser.PIPE_SYNTAX_TRANSFORM_PARSERS = {**parser.PIPE_SYNTAX_TRANSFORM_PARSERS, **OPERATORS}


def set_columns(self: Parser, query: exp.Select) -> exp.Select:
    """Read `|> SET a = a + 1`."""
    self._match_text_seq("SET")
    set_to = self._parse_expressions()
    if not all(isinstance(one, exp.EQ) for one in set_to):
        self.raise_error("Expected a column, = and an expression")
    return _selected(self, query, replace=[exp.alias_(one.expression, one.this.name) for one in set_to])


def drop_columns(self: Parser, query: exp.Select) -> exp.Select:
    """Read `|> DROP a, b`."""
    self._match_text_seq("DROP")
    return _selected(self, query, except_=self._parse_csv(self._parse_id_var))


def rename_columns(self: Parser, query: exp.Select) -> exp.Select:
    """Read `|> RENAME a AS b`."""
    self._match_text_seq("RENAME")
    return _selected(self, query, rename=self._parse_expressions())


def _selected(self: Parser, query: exp.Select, **changes: list[exp.Expr]) -> exp.Select:
    query.select(exp.Star(**changes), append=False, copy=False)
    piped: exp.Select = self._build_pipe_cte(query=query, expressions=[exp.Star()])
    return piped


OPERATORS: dict[str, Callable[[Parser, exp.Select], exp.Select]] = {
    "SET": set_columns,
    "DROP": drop_columns,
    "RENAME": rename_columns,
}

"""Expressions with variables, `WITH(a AS x + 1, a * a)`: each variable is put in where it is named."""

from collections.abc import Callable
from typing import Any

from local_bigquery.sql import dialect
from sqlglot import exp
from sqlglot.parser import Parser
from sqlglot.tokenizer_core import TokenType

from local.bigquery.array_paths import READERS

_parse_primary: Callable[..., Any] = dialect.BigQueryDialect.Parser._parse_primary
_parse_with: Callable[..., Any] = dialect.BigQueryDialect.Parser._parse_with


def install() -> None:
    """Let both readers read it."""
    for parser in READERS:
        parser._parse_primary = parse_primary
        parser._parse_with = parse_with


def parse_with(self: Parser, *args: Any, **options: Any) -> exp.With | None:
    """Read the WITH of a query; one of an expression is followed by a bracket."""
    if not args and not options and self._match_text_seq("WITH", "(", advance=False):
        return None
    found: exp.With | None = _parse_with(self, *args, **options)
    return found


def parse_primary(self: Parser) -> exp.Expr | None:
    """Read what an expression begins with."""
    if not self._match_text_seq("WITH", "("):
        found: exp.Expr | None = _parse_primary(self)
        return found
    variables: dict[str, exp.Expr] = {}
    while self._next and self._next.token_type is TokenType.ALIAS:
        name = self._curr.text.casefold()
        self._advance(2)
        variables[name] = exp.Paren(this=_put_in(self._parse_disjunction(), variables))
        if not self._match(TokenType.COMMA):
            self.raise_error("Expected an expression behind the variables of WITH")
    result = _put_in(self._parse_disjunction(), variables)
    self._match_r_paren()
    return self.expression(exp.Paren(this=result))


def _put_in(expression: exp.Expr | None, variables: dict[str, exp.Expr]) -> exp.Expr:
    """Replace the names of variables; one before a dot is a struct's."""
    whole = exp.Paren(this=expression)
    for column in list(whole.find_all(exp.Column)):
        first, *fields = [part.name for part in column.parts]
        if (value := variables.get(first.casefold())) is not None:
            put = value.copy()
            for field in fields:
                put = exp.Dot(this=put, expression=exp.to_identifier(field))
            column.replace(put)
    found: exp.Expr = whole.this
    return found

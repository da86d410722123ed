"""BigQuery's grammar as a judge of queries needs it: sqlglot's, without what could hide a table from it.

sqlglot reads SQL to translate it. It knows what functions mean, and drops arguments that mean nothing to it;
it takes `t.items` after `FROM t,` for an array by rules of its own; it tries types before functions, which
doubles the time with each level of nesting. A judge wants the opposite: each function is a name with all of
its arguments, each path after FROM is a table until proven otherwise, and reading ends after a number of
steps that is known before.
"""

import re
from collections.abc import Callable
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.bigquery import BigQuery
from sqlglot.errors import ParseError
from sqlglot.parser import Parser
from sqlglot.tokenizer_core import Token, TokenType

from common.pipelines.pipes import PipeParser
from common.pipelines.query_clauses import ROW_PATTERN

# Queries that people write take fewer than two steps per token.
STEPS_PER_TOKEN = 20
PATH_HEAD = "path_head"
"""The key in a table's `meta` for the first element of its path, as written."""
NAMED_AS = "named_as"
"""The key in a table's `meta` for the word before its path, TABLE or MODEL, where there is one."""
HAS_QUOTED_DOTS = "has_quoted_dots"
"""The key in a table's `meta` that says that one pair of backticks holds several names."""

_WORDS = """
    ALTER ANTI ASOF DESCRIBE GLOB ILIKE LOCK NOTNULL PARTITIONED_BY REGEXP RETURNING REVOKE RLIKE ROLLBACK
    SEMI STRAIGHT_JOIN UNCACHE XOR
"""
_NAMES_FOR_BIGQUERY = frozenset(_WORDS.split())
"""Words of other dialects that sqlglot takes for more than names, and BigQuery does not."""
_OPENING = (TokenType.L_PAREN, TokenType.L_BRACKET)
_NAMES = (TokenType.VAR, TokenType.IDENTIFIER)


class UnreadableQuery(Exception):
    """The text is no query in this grammar, or takes too long to read; at a line and column from 1, or 0."""

    def __init__(self, what: str, why: str = "", line: int = 0, column: int = 0) -> None:
        super().__init__(what)
        self.why = why
        self.line = line
        self.column = column

    def told_at(self, column: int) -> str:
        """Say it, with the column that the place has before strings are masked."""
        place = f" in line {self.line}, column {column}" if self.line else ""
        return f"{self}{place}{self.why}"


class _TooLong(Exception):
    """The reading took more steps than any real query does."""


def read_query(code: str) -> tuple[exp.Expr, list[exp.Table]]:
    """Read one statement without comments, its strings masked; also list every table met on the way.

    The list can hold tables that the tree does not: of readings that were given up, or that got lost. A judge
    looks at both.
    """
    dialect = BigQuery()
    reader = QueryParser(dialect=dialect)
    try:
        trees = reader.parse(_tokens(dialect, code), code)
    except _TooLong:
        raise UnreadableQuery("is too entangled to be read in reasonable time") from None
    except RecursionError:
        raise UnreadableQuery("is nested too deeply") from None
    except Exception as error:  # noqa: BLE001 - sqlglot fails in many ways on texts that are no SQL.
        raise _unreadable(error) from None
    if len(trees) != 1 or trees[0] is None:
        raise UnreadableQuery("is not one statement")
    return trees[0], reader.tables


def _tokens(dialect: BigQuery, code: str) -> list[Token]:
    found = dialect.tokenize(code)
    for token in found:
        if token.token_type is not TokenType.IDENTIFIER and token.text.upper() in _NAMES_FOR_BIGQUERY:
            token.token_type = TokenType.VAR
    return found


def _unreadable(error: Exception) -> UnreadableQuery:
    first = error.errors[0] if isinstance(error, ParseError) and error.errors else {}
    if not first.get("description"):
        return UnreadableQuery("cannot be read as a query")
    description = re.split(r" for <class| but got <", str(first["description"]))[0]
    highlight = str(first["highlight"])
    return UnreadableQuery(
        f"cannot be read at {highlight!r}",
        f" ({description})",
        line=int(first["line"]),
        column=max(int(first["col"]) - len(highlight) + 1, 1),
    )


class QueryParser(PipeParser):
    """Reads tokens into a tree; its hooks into sqlglot are private there, so tests hold each of them."""

    SUPPORTS_IMPLICIT_UNNEST = False
    FUNCTIONS: ClassVar[dict[str, Callable[..., Any]]] = {}
    FUNCTION_PARSERS: ClassVar[dict[str, Callable[..., Any]]] = {
        name: Parser.FUNCTION_PARSERS[name] for name in ("CAST", "SAFE_CAST", "EXTRACT")
    }
    NO_PAREN_FUNCTION_PARSERS: ClassVar[dict[str, Callable[..., Any]]] = {
        "CASE": Parser.NO_PAREN_FUNCTION_PARSERS["CASE"]
    }
    BRACKET_OFFSETS: ClassVar[dict[str, tuple[int, bool]]] = {}

    tables: list[exp.Table]
    _steps_left: int

    def parse(self, raw_tokens: list[Token], sql: str) -> list[exp.Expr | None]:
        """Read tokens; a parser is used once."""
        self.tables = []
        self._steps_left = STEPS_PER_TOKEN * len(raw_tokens) + 1000
        return super().parse(raw_tokens, sql)

    def _advance(self, times: int = 1) -> None:
        self._steps_left -= 1
        if self._steps_left < 0:
            raise _TooLong
        super()._advance(times)

    def _warn_unsupported(self) -> None:
        self.raise_error("no query")  # sqlglot would log the SQL and go on.

    def _parse_types(self, check_func: bool = False, *args: Any, **options: Any) -> exp.Expr | None:
        if check_func and self._next and self._next.token_type in _OPENING:
            return None  # A function or an array, whatever its name.
        return super()._parse_types(check_func, *args, **options)

    def _parse_table_parts(self, *args: Any, **options: Any) -> exp.Table | exp.Dot | None:
        start, head = self._index, self._curr.text if self._curr else ""
        table = super()._parse_table_parts(*args, **options)
        if isinstance(table, exp.Table):
            table.meta[PATH_HEAD] = head
            names = (token for token in self._tokens[start : self._index] if token.token_type in _NAMES)
            if isinstance(table.this, exp.Identifier) and not table.this.quoted and "*" in table.this.name:
                self.raise_error("a table's name with a wildcard (*) stands in backticks")
            table.meta[HAS_QUOTED_DOTS] = any("." in name.text for name in names)
            self.tables.append(table)
        return table

    def _parse_table(self, *args: Any, **options: Any) -> exp.Expr | None:
        """Read what FROM or JOIN names; sqlglot knows the offset of an array of UNNEST alone."""
        table = super()._parse_table(*args, **options)
        if isinstance(table, exp.Unnest) and len(table.expressions) != 1:
            self.raise_error("UNNEST takes one array")
        if isinstance(table, exp.Table) and self._match_pair(TokenType.WITH, TokenType.OFFSET):
            self._match(TokenType.ALIAS)
            self._parse_id_var(any_token=False, tokens=self.UNNEST_OFFSET_ALIAS_TOKENS)
        if table is None:
            return None
        if (pattern := self._read_row_pattern()) is not None:
            table.set(ROW_PATTERN, pattern)
        if isinstance(table, exp.Unnest) or pattern is not None:
            self._read_joins(table, **options)
        return table

    def _read_joins(self, table: exp.Expr, joins: bool = False, consume_pipe: bool = False, **_: Any) -> None:
        """Read joins where what is joined holds them: in brackets, and in a query that begins with FROM."""
        for join in self._parse_joins() if joins or consume_pipe else ():
            table.append("joins", join)

    def _parse_lambda(self, alias: bool = False) -> exp.Expr | None:
        """Read one argument of a function; `TABLE name` and `MODEL name` are tables."""
        is_named = self._next and self._next.token_type in _NAMES
        if is_named and (self._match(TokenType.TABLE) or self._match_text_seq("MODEL")):
            word = self._prev.text.upper()
            if (table := self._parse_table_parts()) is not None:
                table.meta[NAMED_AS] = word
            return table
        return super()._parse_lambda(alias)

    def _parse_column_ops(self, this: exp.Expr | None) -> exp.Expr | None:
        # sqlglot's BigQuery reads SAFE.f(…) twice, and so what is in it four times, and so on.
        return Parser._parse_column_ops(self, this)

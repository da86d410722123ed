"""Pipe operators that sqlglot does not read (SET, DROP, RENAME), or reads as a clause of the next one.

DISTINCT and LIMIT come before what follows them, a SELECT is a whole one, and
AGGREGATE groups by ROLLUP, too.
"""

from collections.abc import Callable, Iterator

from sqlglot import exp
from sqlglot.parser import Parser
from sqlglot.tokenizer_core import TokenType

from local.bigquery.array_paths import READERS

GROUPINGS = frozenset({TokenType.ROLLUP, TokenType.CUBE, TokenType.GROUPING_SETS})
GROUPED = (exp.Group, exp.Rollup, exp.Cube, exp.GroupingSets, exp.Tuple, exp.Paren)


def install() -> None:
    """Let both readers read them."""
    for parser in READERS:
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


def make_distinct(self: Parser, query: exp.Select) -> exp.Select:
    """Read `|> DISTINCT`."""
    self._match(TokenType.DISTINCT)
    return _whole(self, query.distinct(copy=False))


def limit(self: Parser, query: exp.Select) -> exp.Select:
    """Read `|> LIMIT 10 OFFSET 5`; an order stays as it is where nothing follows."""
    limited: exp.Select = self._parse_pipe_syntax_limit(query)
    return _whole(self, limited) if self._match(TokenType.PIPE_GT, advance=False) else limited


def select(self: Parser, query: exp.Select) -> exp.Select:
    """Read `|> SELECT DISTINCT a, RANK() OVER w AS r WINDOW w AS (ORDER BY a)`."""
    selected = self._parse_select(parse_set_operation=False, consume_pipe=False)
    if not isinstance(selected, exp.Select):
        self.raise_error("Expected what is selected")
        return query
    query.select(*selected.expressions, append=False, copy=False)
    for key in ("distinct", "kind", "windows"):
        if (value := selected.args.get(key)) is not None:
            query.set(key, value)
    return _whole(self, query)


def aggregate(self: Parser, query: exp.Select) -> exp.Select:
    """Read `|> AGGREGATE COUNT(*) AS n GROUP BY ROLLUP(a, b)`, and columns."""
    self._match_text_seq("AGGREGATE")
    query = self._parse_pipe_syntax_aggregate_group_order_by(query, group_by_exists=False)
    if self._match(TokenType.GROUP_BY) or (
        self._match_text_seq("GROUP", "AND") and self._match(TokenType.ORDER_BY)
    ):
        if self._curr.token_type in GROUPINGS:
            group = self._parse_group(skip_group_by_token=True)
            columns = {one.sql(): one for one in _grouped(group or exp.Group())}
            query.select(*columns.values(), *query.expressions, append=False, copy=False)
            query.set("group", group)
        else:
            query = self._parse_pipe_syntax_aggregate_group_order_by(query)
    return _whole(self, query)


def _grouped(grouping: exp.Expr) -> Iterator[exp.Expr]:
    """Return what is grouped by, in its order."""
    if not isinstance(grouping, GROUPED):
        yield grouping.copy()
        return
    for part in grouping.iter_expressions():
        yield from _grouped(part)


def _whole(self: Parser, query: exp.Select) -> exp.Select:
    piped: exp.Select = self._build_pipe_cte(query=query, expressions=[exp.Star()])
    return piped


def _selected(self: Parser, query: exp.Select, **changes: list[exp.Expr]) -> exp.Select:
    return _whole(self, query.select(exp.Star(**changes), append=False, copy=False))


OPERATORS: dict[str, Callable[[Parser, exp.Select], exp.Select]] = {
    "SET": set_columns,
    "DROP": drop_columns,
    "RENAME": rename_columns,
    "DISTINCT": make_distinct,
    "LIMIT": limit,
    "SELECT": select,
    "AGGREGATE": aggregate,
}

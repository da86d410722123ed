"""The pipe syntax, `FROM t |> WHERE a > 1 |> SELECT b`, as a judge of queries needs it.

What an operator gives is a query that reads the one before it as a subquery without a name. So an alias
from before a pipe is no row behind it, and a path that begins with one is a table; BigQuery may see an array.
"""

from collections.abc import Callable, Mapping, Sequence

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from common.pipelines.query_clauses import ROW_PATTERN, ClauseParser

_END = (TokenType.PIPE_GT, TokenType.R_PAREN, TokenType.SEMICOLON, TokenType.SENTINEL)
_SETS = ("UNION", "INTERSECT", "EXCEPT")
_BEFORE_SETS = frozenset({"LEFT", "FULL", "OUTER", "INNER"})
_OF_SETS = frozenset({"ALL", "DISTINCT", "BY", "NAME", "STRICT", "CORRESPONDING", *_SETS, *_BEFORE_SETS})


class PipeParser(ClauseParser):
    """Reads what stands between pipes, and FROM at the beginning of a query."""

    def _parse_from(
        self, joins: bool = False, skip_from_token: bool = False, consume_pipe: bool = False
    ) -> exp.From | None:
        """Read FROM; where a query begins with it, what follows is a pipe."""
        found = super()._parse_from(joins, skip_from_token, consume_pipe)
        if consume_pipe and found is not None and not self._is_end():
            self.raise_error("a query that begins with FROM goes on with |>")
        return found

    def _parse_pipe_syntax_query(self, query: exp.Query) -> exp.Query:
        while self._match(TokenType.PIPE_GT):
            query = self._piped(query)
            if not self._is_end():
                self.raise_error("Expecting |>")
        return query

    def _is_end(self) -> bool:
        return not self._curr or self._curr.token_type in _END

    def _piped(self, query: exp.Query) -> exp.Query:
        source = exp.Subquery(this=query)
        select = exp.Select(expressions=[exp.Star()])
        if self._is_at("SELECT"):
            selected = self._parse_select_query(parse_set_operation=False)
            if not isinstance(selected, exp.Select) or selected.args.get("from_"):
                self.raise_error("a SELECT behind |> has no FROM")
            else:
                select = selected
        elif read := _OPERATORS.get(self._curr.text.upper()):
            self._advance()
            _hold(select, read(self))
        elif self._is_set_operation():
            while self._curr.text.upper() in _OF_SETS:
                self._advance()
            _hold(select, self._parse_csv(self._query_in_brackets))
        else:
            self._read_clause(select, source)
        select.set("from_", exp.From(this=source))
        return select

    def _read_clause(self, select: exp.Select, source: exp.Subquery) -> None:
        """Read an operator that queries have as a clause, too."""
        if (pattern := self._read_row_pattern()) is not None:
            source.set(ROW_PATTERN, pattern)
        elif pivots := self._parse_pivots():
            source.set("pivots", pivots)
        elif join := self._parse_join():
            select.append("joins", join)
        elif not self._read_modifiers(select):
            self.raise_error("no pipe operator that can be judged")

    def _read_modifiers(self, select: exp.Select) -> bool:
        parts = {
            "where": self._parse_where(),
            "order": self._parse_order(),
            "limit": self._parse_limit(),
            "offset": self._parse_offset(),
            "sample": self._parse_table_sample(),
        }
        found = {key: part for key, part in parts.items() if part is not None}
        for key, part in found.items():
            select.set(key, part)
        return len(found) == 1 or found.keys() == {"limit", "offset"}

    def _is_set_operation(self) -> bool:
        words = [token.text.upper() for token in self._tokens[self._index : self._index + 3]]
        first = next((word for word in words if word not in _BEFORE_SETS), "")
        return first in _SETS

    def _query_in_brackets(self) -> exp.Expr | None:
        return self._parse_select(nested=True, parse_set_operation=False, consume_pipe=False)

    def _read_alias(self) -> list[exp.Expr]:
        self._parse_id_var()
        return []

    def _read_call(self) -> list[exp.Expr]:
        called = self._parse_table()
        if not isinstance(called, exp.Table) or not isinstance(called.this, exp.Func):
            self.raise_error("a table function is called")
        return [called] if called is not None else []

    def _read_aggregates(self) -> list[exp.Expr]:
        found = self._parse_csv(self._aggregate)
        is_grouped = self._match(TokenType.GROUP_BY) or (
            self._match_text_seq("GROUP", "AND") and self._match(TokenType.ORDER_BY)
        )
        return found + (self._parse_csv(self._grouping) if is_grouped else [])

    def _aggregate(self) -> exp.Expr | None:
        is_grouped = self._match(TokenType.GROUP_BY, advance=False) or self._is_at("GROUP", "AND")
        if is_grouped or self._is_end():  # A comma may stand behind the last.
            return None
        return self._parse_ordered(self._parse_expression)

    def _grouping(self) -> exp.Expr | None:
        if self._match_set((TokenType.ROLLUP, TokenType.CUBE, TokenType.GROUPING_SETS)):
            return exp.Tuple(expressions=self._parse_wrapped_csv(self._grouping))
        return self._aggregate()


def _hold(select: exp.Select, expressions: Sequence[exp.Expr]) -> None:
    for one in expressions:
        select.append("expressions", one)


def _read_nothing(_: PipeParser) -> list[exp.Expr]:
    return []


_OPERATORS: Mapping[str, Callable[[PipeParser], list[exp.Expr]]] = {
    **dict.fromkeys(("EXTEND", "SET", "DROP", "RENAME", "WINDOW", "ASSERT"), PipeParser._parse_expressions),
    "AGGREGATE": PipeParser._read_aggregates,
    "AS": PipeParser._read_alias,
    "CALL": PipeParser._read_call,
    "DISTINCT": _read_nothing,
}
"""What each operator that is of pipes alone holds, behind its name."""

"""Clauses of BigQuery's queries that sqlglot does not know, or knows as something else.

What they hold is kept in the tree, so that the judge sees each table and each call of it: that the shape is
right beyond that is BigQuery's to say. A clause sees none of the rows beside it here, so a path in it that
begins with the name of one is a table; BigQuery may see an array there.
"""

from collections.abc import Callable, Collection
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.parser import Parser
from sqlglot.parsers.bigquery import BigQueryParser
from sqlglot.tokenizer_core import TokenType

from common.pipelines.tokens import SIGNS_OF_PATTERNS

ROW_PATTERN = "match_recognize"
"""The argument of a source in FROM that holds its MATCH_RECOGNIZE."""

_PRIVACY = ("DIFFERENTIAL_PRIVACY", "AGGREGATION_THRESHOLD")
_QUANTIFIERS = ("ANY", "SOME", "ALL")
"""What stands before the patterns of LIKE."""
_CONSTANTS = (
    exp.Boolean,
    exp.Column,
    exp.Dot,
    exp.Identifier,
    exp.Literal,
    exp.Neg,
    exp.Parameter,
    exp.Var,
)
"""What options are made of; a name of a column is one."""


def _parse_like(self: Parser, this: exp.Expr | None) -> exp.Expr | None:
    """Read what stands behind LIKE; sqlglot does not know `ANY UNNEST(array)`."""
    if self._next and self._next.token_type is TokenType.UNNEST and self._match_texts(_QUANTIFIERS):
        self._advance()
        return self.expression(exp.Like(this=this, expression=self._parse_wrapped(self._parse_expression)))
    like: exp.Expr | None = BigQueryParser.RANGE_PARSERS[TokenType.LIKE](self, this)
    return like


class ClauseParser(BigQueryParser):
    """Reads WITH(…) in expressions, SELECT WITH and MATCH_RECOGNIZE."""

    RANGE_PARSERS: ClassVar[dict[TokenType, Callable[..., Any]]] = {
        **BigQueryParser.RANGE_PARSERS,
        TokenType.LIKE: _parse_like,
    }

    def _is_at(self, *words: str) -> bool:
        return bool(self._match_text_seq(*words, advance=False))

    # WITH that begins no query

    def _parse_with(self, skip_with_token: bool = False) -> exp.With | None:
        if not skip_with_token and self._is_at("WITH", "("):
            return None
        return super()._parse_with(skip_with_token)

    def _parse_primary(self) -> exp.Expr | None:
        """Read what an expression begins with; `WITH(a AS 1, a + 1)` is a list of expressions."""
        if not self._match_text_seq("WITH", "("):
            return super()._parse_primary()
        expressions = self._parse_csv(self._parse_named)
        self._match_r_paren()
        return self.expression(exp.Tuple(expressions=expressions))

    def _parse_named(self) -> exp.Expr | None:
        """Read `name AS expression`, or an expression without a name."""
        if self._next and self._next.token_type is TokenType.ALIAS:
            self._advance(2)
        return self._parse_disjunction()

    def _parse_limit(
        self, this: exp.Expr | None = None, top: bool = False, skip_limit_token: bool = False
    ) -> exp.Expr | None:
        limit = super()._parse_limit(this, top, skip_limit_token)
        if isinstance(limit, exp.Limit) and limit.args.get("offset"):
            self.raise_error("LIMIT takes one number: write OFFSET before the other")
        return limit

    def _parse_having_max(self, this: exp.Expr | None) -> exp.Expr | None:
        """Read `HAVING MAX a + b` behind the argument of an aggregate; sqlglot reads columns alone."""
        if not self._match(TokenType.HAVING):
            return this
        if not self._match_texts(("MAX", "MIN")):
            self.raise_error("Expecting MAX or MIN")
        is_max = self._prev.text.upper() == "MAX"
        return self.expression(exp.HavingMax(this=this, expression=self._parse_disjunction(), max=is_max))

    def _parse_hint(self) -> exp.Hint | None:
        """Read what stands between SELECT and its list: WITH and the kind of privacy, its options."""
        if not self._is_at("WITH", "(") and self._match_text_seq("WITH"):
            if not self._match_texts(_PRIVACY):
                self.raise_error("no clause of SELECT")
            self._read_options()
        return super()._parse_hint()

    def _read_options(self) -> None:
        if not self._match_text_seq("OPTIONS"):
            return
        for option in self._parse_wrapped_csv(self._parse_expression, optional=False):
            if not isinstance(option, exp.EQ) or not all(
                isinstance(node, _CONSTANTS) for node in option.walk() if node is not option
            ):
                self.raise_error("an option is a name and a constant")

    # Patterns of rows

    def _parse_table_alias(self, alias_tokens: Collection[TokenType] | None = None) -> exp.TableAlias | None:
        if self._is_at("MATCH_RECOGNIZE", "("):
            return None
        return super()._parse_table_alias(alias_tokens)

    def _read_row_pattern(self) -> exp.MatchRecognize | None:
        """Read MATCH_RECOGNIZE and the alias behind it; its arguments are all the expressions in it."""
        if not self._match_text_seq("MATCH_RECOGNIZE", "("):
            return None
        held = self._parse_partition_by()
        if (order := self._parse_order()) is not None:
            held.append(order)
        if self._match_text_seq("MEASURES"):
            held += self._parse_expressions()
        if self._match_text_seq("AFTER", "MATCH", "SKIP") and not (
            self._match_text_seq("PAST", "LAST", "ROW") or self._match_text_seq("TO", "NEXT", "ROW")
        ):
            self.raise_error("PAST LAST ROW or TO NEXT ROW")
        if not self._match_text_seq("PATTERN"):
            self.raise_error("Expecting PATTERN")
        self._skip_pattern()
        if not self._match_text_seq("DEFINE"):
            self.raise_error("Expecting DEFINE")
        held += self._parse_csv(self._parse_named)
        self._read_options()
        self._match_r_paren()
        return self.expression(exp.MatchRecognize(measures=held, alias=self._parse_table_alias()))

    def _skip_pattern(self) -> None:
        """Pass over a pattern: names of rows, numbers and signs, which mean nothing else."""
        depth = 0
        while self._curr:
            token = self._curr
            is_name = token.token_type in (TokenType.VAR, TokenType.IDENTIFIER, TokenType.NUMBER)
            if not (is_name or set(token.text) <= SIGNS_OF_PATTERNS or token.text.isidentifier()):
                self.raise_error("no pattern")
            depth += (token.text == "(") - (token.text == ")")
            self._advance()
            if not depth:
                return
        self.raise_error("Expecting )")

"""`FROM t, t.items AS i WITH OFFSET AS o`: sqlglot knows the offset of UNNEST alone."""

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
    alias = table.args.get("alias")
    table.set("alias", None)
    return self.expression(
        exp.Unnest(
            expressions=[table.to_column()],
            alias=exp.TableAlias(columns=[alias.this]) if alias else None,
            offset=offset or exp.to_identifier("offset"),
        )
    )


class PathDialect(BigQuery):
    """sqlglot's BigQuery, which reads it too."""

    class Parser(BigQueryParser):
        """Reads tokens into a tree."""

        _parse_table = parse_table

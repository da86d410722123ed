"""A query with literals in the place of its tables, and one time in the place of the clock's."""

from collections.abc import Mapping
from datetime import datetime

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import traverse_scope

from common.pipelines.literals import moment_literal
from common.pipelines.tables import Policy, TableName

DIALECT = "bigquery"
_CLOCKS: Mapping[type[exp.Expr], str] = {
    exp.CurrentDate: "DATE",
    exp.CurrentDatetime: "DATETIME",
    exp.CurrentTime: "TIME",
}


class NoStandIn(ValueError):
    """The query cannot be tested; the message says why."""


def with_stand_ins(sql: str, rows: Mapping[TableName, str], policy: Policy, now: datetime) -> str:
    """Put queries of literals in the place of tables; NoStandIn where one of those that it reads has none."""
    try:
        tree = sqlglot.parse_one(sql, read=DIALECT)
        tables = [
            source
            for scope in traverse_scope(tree)
            for source in scope.sources.values()
            if isinstance(source, exp.Table)
        ]
        for table in {id(table): table for table in tables}.values():
            name = policy.resolve([part.name for part in table.parts])
            if name and name in rows:
                table.replace(_subquery(rows[name], table.alias_or_name))
        return _at(tree, now).sql(dialect=DIALECT)
    except SqlglotError as error:
        raise NoStandIn(
            "its SQL cannot be read well enough to put rows in the place of its tables"
        ) from error


def _subquery(sql: str, alias: str) -> exp.Expr:
    query = sqlglot.parse_one(sql, read=DIALECT)
    return exp.Subquery(this=query, alias=exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))


def _at(tree: exp.Expr, now: datetime) -> exp.Expr:
    """Let the query's clock stand still."""
    moment = moment_literal(now)

    def stopped(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.CurrentTimestamp):
            return sqlglot.parse_one(moment, read=DIALECT)
        for kind, function in _CLOCKS.items():
            if isinstance(node, kind):
                zone = f", {node.this.sql(dialect=DIALECT)}" if node.this else ""
                return sqlglot.parse_one(f"{function}({moment}{zone})", read=DIALECT)
        return node

    return tree.transform(stopped)

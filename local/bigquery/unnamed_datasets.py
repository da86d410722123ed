"""Statements that change tables and routines: without a dataset, BigQuery takes what is temporary alone."""

from collections.abc import Callable
from typing import Any

from local_bigquery.errors import BigQueryError
from local_bigquery.jobs import query
from local_bigquery.sql import script
from local_bigquery.sql.rules import ddl
from local_bigquery.sql.translate import Context
from sqlglot import exp

_CHANGES = (exp.DDL, exp.DML, exp.Drop, exp.Alter, exp.TruncateTable)
_statement: Callable[..., Any] = query._statement
_reference: Callable[..., Any] = script.Interpreter.reference


def install() -> None:
    """Look at each statement before it is carried out."""
    query._statement = statement_with_dataset
    script.Interpreter.reference = reference


def statement_with_dataset(cursor: Any, tree: exp.Expr, context: Context, *more: Any) -> Any:
    """Carry a statement out; BigQueryError where nobody has said in which dataset what it changes is."""
    tree = ddl.normalise(tree)
    if isinstance(tree, _CHANGES) and not isinstance(tree, exp.Query) and not context.dataset_id:
        _judge(tree, context)
    return _statement(cursor, tree, context, *more)


def reference(self: Any, name: str) -> tuple[str, str, str]:
    """Complete the name of a procedure that a script makes, calls or drops."""
    found: tuple[str, str, str] = _reference(self, name)
    if not found[1]:
        raise _unnamed("Routine", found[2], "routine")
    return found


def _judge(tree: exp.Expr, context: Context) -> None:
    target = tree.find(exp.Table)
    kind = str(tree.args.get("kind") or "TABLE").upper()
    if target is None or target.db or kind == "SCHEMA" or not isinstance(target.this, exp.Identifier):
        return
    known = {name.casefold() for name in context.temporary}
    if target.name.casefold() in known or tree.find(exp.TemporaryProperty):
        return
    called, such = ("Routine", "routine") if kind in {"FUNCTION", "PROCEDURE"} else ("Table", "table")
    raise _unnamed(called, target.name, such)


def _unnamed(called: str, name: str, such: str) -> BigQueryError:
    return BigQueryError(
        "invalid", f'{called} "{name}" must be qualified with a dataset (e.g. dataset.{such}).'
    )

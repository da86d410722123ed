"""`tables`, `show`: the tenant's own tables, and their first rows."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from cli.asking import confirm
from cli.options import AsJson, Yes, session_of
from cli.words import moment, size
from common.client.tables import Column, Table

TableName = Annotated[str, typer.Argument(metavar="TABLE", help="The table's name, without its dataset.")]
MAX_ROWS = 1000

tables = typer.Typer(help="List your tables and views; delete them.", invoke_without_command=True)


@tables.callback()
def list_tables(context: typer.Context, as_json: AsJson = False) -> None:
    """List your tables and views, and which step wrote them last."""
    if context.invoked_subcommand is not None:
        return
    session = session_of(context)
    found = list(session.client.tables.all())
    if as_json:
        session.screen.json(found)
        return
    rows = [
        (
            one["table"],
            one["kind"],
            one["rows"],
            size(one["bytes"]),
            len(one["columns"]),
            moment(one["changed_at"]),
            _writer(one),
        )
        for one in found
    ]
    session.screen.table(("Table", "Kind", "Rows", "Bytes", "Columns", "Changed (UTC)", "Written by"), rows)


@tables.command()
def delete(context: typer.Context, table: TableName, yes: Yes = False) -> None:
    """Delete a table or view, with its rows."""
    session = session_of(context)
    confirm(session, f"Delete the table {table} with its rows?", is_agreed=yes)
    session.client.tables.delete(table)
    session.screen.line(f"{table} is deleted")


def show(
    context: typer.Context,
    table: TableName,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=MAX_ROWS, help="The most rows.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show the first rows of a table; nothing is billed."""
    session = session_of(context)
    found = session.client.tables.rows(table, limit)
    if as_json:
        session.screen.json(found)
        return
    session.screen.table(
        [f"{column['name']} {type_of(column)}" for column in found["columns"]],
        [_cells(row, found["columns"]) for row in found["rows"]],
    )
    if not found["is_complete"]:
        session.screen.note(f"{len(found['rows'])} of {found['total_rows']:,} rows")


def type_of(column: Column) -> str:
    """Write a column's type as SQL does, but for the fields of a STRUCT."""
    return f"ARRAY<{column['type']}>" if column["mode"] == "REPEATED" else column["type"]


def _cells(row: Mapping[str, Any], columns: Sequence[Column]) -> list[Any]:
    values = (row.get(column["name"]) for column in columns)
    return [
        json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else value
        for value in values
    ]


def _writer(table: Table) -> str:
    written = table["last_written"]
    if written:
        return f"{written['pipeline_id']}/{written['step_id']}"
    return "the platform" if table["is_platforms"] else ""

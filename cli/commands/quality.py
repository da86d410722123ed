"""`quality`: what came of checks."""

from itertools import islice
from typing import Annotated

import typer

from cli.options import AsJson, session_of
from cli.words import moment

MAX_PAGE = 100


def quality(
    context: typer.Context,
    table: Annotated[str, typer.Argument(metavar="[TABLE]", help="Only checks of this table.")] = "",
    check: Annotated[str, typer.Option(help="Only the check of this name.")] = "",
    config_id: Annotated[str, typer.Option("--pipeline", help="Only checks of this pipeline.")] = "",
    state: Annotated[str, typer.Option("--status", help="Only PASSED, WARNED or FAILED.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many results at the most.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List what came of checks, the latest first: what was found, and what was expected."""
    session = session_of(context)
    filters = {
        "table": table or None,
        "check": check or None,
        "pipeline_id": config_id or None,
        "status": state.upper() or None,
        "limit": min(limit, MAX_PAGE),
    }
    found = list(islice(session.client.quality.each(**filters), limit))
    if as_json:
        session.screen.json(found)
        return
    rows = [
        (
            moment(one["checked_at"]),
            one["table"],
            one["name"],
            one["status"],
            one["observed"],
            one["expected"],
            one["pipeline_logging_id"],
        )
        for one in found
    ]
    columns = ("Checked (UTC)", "Table", "Check", "State", "Found", "Expected", "Run")
    session.screen.table(columns, rows, status=3)

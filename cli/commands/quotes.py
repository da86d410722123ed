"""`quote`: what a run would read and cost, step by step, by BigQuery's own dry runs."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.commands.backfills import Params, ParamsFile
from cli.exits import Exit
from cli.failures import CommandError
from cli.options import AsJson, ConfigId, session_of
from cli.parameters import given_parameters
from cli.screen import Screen
from cli.words import costs, size
from common.client import Content
from common.client.quotes import Quote, QuoteStep


def quote(
    context: typer.Context,
    config_id: ConfigId,
    file: Annotated[
        Path | None, typer.Option("--file", help="A file that is not uploaded, instead of what is stored.")
    ] = None,
    day: Annotated[str, typer.Option("--date", help="The day that a run would be for; else today.")] = "",
    param: Params = None,
    params_file: ParamsFile = None,
    as_json: AsJson = False,
) -> None:
    """Ask what a run would read and cost, by BigQuery's own dry runs; nothing is run.

    Ends with 1 where a step cannot run as it is.
    """
    session = session_of(context)
    client = session.client
    if file and (day or param or params_file):
        raise CommandError("--file goes without --date and parameters", code=Exit.USAGE)
    if file:
        found = client.quotes.of_file(config_id, Content.yaml(_read(file)))
    else:
        request: dict[str, Any] = {"date": day} if day else {}
        if values := given_parameters(client, config_id, param or [], params_file):
            request["parameters"] = values
        found = client.quotes.of_run(config_id, request)
    if as_json:
        session.screen.json(found)
    else:
        _show(session.screen, found)
    if not found["is_valid"]:
        raise typer.Exit(Exit.REFUSED)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise CommandError(f"{file} cannot be read", code=Exit.USAGE) from error


def _show(screen: Screen, found: Quote) -> None:
    version = f"version {found['config_version']}" if found["config_version"] else "the file"
    screen.line(f"{found['pipeline_id']}, {version}, for {found['date']}")
    price = found["price"]
    rows = [
        [step["step_id"], step["level"], *_figures(found, step), step["error"] or step["unknown"] or ""]
        for step in found["steps"]
    ]
    screen.table(("Step", "Level", "Reads", "Billed", "Cost", "Of which is to say"), rows)
    least = f", at least {costs(found['cost_at_least'], price)}" if found["cost"] is None else ""
    reads = size(found["bytes_processed"]) or "unknown"
    screen.line(f"In all: reads {reads}, costs {costs(found['cost'], price)}{least}")


def _figures(found: Quote, step: QuoteStep) -> list[str]:
    return [
        size(step["bytes_processed"]) or "unknown",
        size(step["bytes_billed"]) or "unknown",
        costs(step["cost"], found["price"]),
    ]

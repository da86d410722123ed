"""`backfill`, `backfills`: a pipeline run for each interval of a time."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.asking import confirm
from cli.options import AsJson, ConfigId, Yes, session_of
from cli.parameters import given_parameters
from cli.screen import Screen
from cli.words import costs, moment, size
from common.client.backfills import Backfill, BackfillPlan

backfills = typer.Typer(help="Look at backfills, and cancel them.", no_args_is_help=True)
BackfillId = Annotated[str, typer.Argument(metavar="BACKFILL", help="The backfill's ID.")]
Params = Annotated[
    list[str] | None, typer.Option("--param", help="A parameter's value, name=value.", metavar="NAME=VALUE")
]
ParamsFile = Annotated[Path | None, typer.Option("--params", help="A JSON file of values: for secret ones.")]


def backfill(
    context: typer.Context,
    config_id: ConfigId,
    start: Annotated[str, typer.Option("--from", help="From when on: a day, or a time.")],
    end: Annotated[str, typer.Option("--to", help="Before when: a day, or a time.")],
    step: Annotated[
        str, typer.Option(help="How long an interval is: hour, day, week, month or year.")
    ] = "day",
    max_parallel: Annotated[int, typer.Option(min=1, max=100, help="How many runs at once.")] = 1,
    newest_first: Annotated[
        bool, typer.Option("--newest-first", help="Begin with the latest interval.")
    ] = False,
    rerun: Annotated[
        str, typer.Option(help="What of that which ran is run again: all, failed or none.")
    ] = "",
    over_days: Annotated[
        bool, typer.Option("--over-days", help="Go on day after day where the plan's day ends.")
    ] = False,
    maximum_bytes: Annotated[
        int | None, typer.Option(min=0, help="Refuse where the estimate is above this.")
    ] = None,
    param: Params = None,
    params_file: ParamsFile = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Run a pipeline for each interval of a time: first the quote, then the question, then the runs."""
    session = session_of(context)
    client = session.client
    request: dict[str, Any] = {"start": start, "end": end, "step": step, "max_parallel": max_parallel}
    request |= {"order": "newest_first"} if newest_first else {}
    request |= {"rerun": rerun} if rerun else {}
    request |= {"over_days": True} if over_days else {}
    request |= {"maximum_bytes": maximum_bytes} if maximum_bytes is not None else {}
    if values := given_parameters(client, config_id, param or [], params_file):
        request["parameters"] = values
    quoted = client.backfills.start(config_id, request | {"dry_run": True})
    _show_plan(session.screen.notes, quoted)
    if quoted["runs"]:
        confirm(session, f"Queue {quoted['runs']} runs?", is_agreed=yes)
        quoted = client.backfills.start(config_id, request)
    if as_json:
        session.screen.json(quoted)
    elif quoted["runs"]:
        session.screen.line(f"Queued. Follow it: convergence backfills show {quoted['backfill_id']}")
    else:
        session.screen.line("There is nothing to run")


@backfills.command()
def show(context: typer.Context, backfill_id: BackfillId, as_json: AsJson = False) -> None:
    """Show how far a backfill has come."""
    session = session_of(context)
    _show(session.screen, session.client.backfills.read(backfill_id), as_json=as_json)


@backfills.command()
def cancel(
    context: typer.Context, backfill_id: BackfillId, yes: Yes = False, as_json: AsJson = False
) -> None:
    """Cancel a backfill as a whole: what waits and what runs; what has ended stays."""
    session = session_of(context)
    confirm(session, f"Cancel the backfill {backfill_id}?", is_agreed=yes)
    _show(session.screen, session.client.backfills.cancel(backfill_id), as_json=as_json)


def _show_plan(screen: Screen, plan: BackfillPlan) -> None:
    estimate = plan["bytes_estimate"]
    read = "unknown: BigQuery cannot tell" if estimate is None else size(estimate)
    screen.fields(
        [
            ("Pipeline", f"{plan['pipeline_id']}, version {plan['config_version']}"),
            ("Intervals", plan["intervals"]),
            ("Runs", plan["runs"]),
            ("Over days", plan["days"] if plan["days"] > 1 else None),
            ("Costs", costs(plan["cost_estimate"], plan["price"]) if plan["runs"] else None),
            ("Reads", f"{read}, by dry runs of {plan['runs_estimated']} of them" if plan["runs"] else None),
        ]
    )


def _show(screen: Screen, found: Backfill, *, as_json: bool) -> None:
    if as_json:
        screen.json(found)
        return
    states = ", ".join(f"{count} {state}" for state, count in found["states"].items())
    screen.line(f"{found['pipeline_id']}: {states}")
    rows = [
        (moment(one["interval_start"]), one["status"], one["pipeline_logging_id"], one["error_message"])
        for one in found["runs"]
    ]
    screen.table(("Interval from (UTC)", "State", "Run", "Why"), rows, status=1)

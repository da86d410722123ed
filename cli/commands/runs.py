"""`run`, `status`, `logs`, `cancel`, `retry`, `history`, `queue`: runs."""

from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.exits import OF_RUN, Exit
from cli.failures import CommandError
from cli.options import AsJson, ConfigId, Follow, session_of
from cli.parameters import given_parameters
from cli.progress import seconds
from cli.session import Session
from cli.showing import show_run
from cli.stories import story_of
from cli.watching import watch
from cli.words import moment, took
from common.client import Client
from common.client.runs import RunAccepted

RunId = Annotated[str, typer.Argument(metavar="RUN", help="The run's ID.")]
LatestRun = Annotated[str, typer.Argument(metavar="[RUN]", help="The run's ID; else the latest run.")]
TRIGGER = "convergence"


def run(
    context: typer.Context,
    config_id: ConfigId,
    date: Annotated[str, typer.Option(help="The day that the run is for: 2024-01-31.")] = "",
    interval: Annotated[
        tuple[str, str] | None,
        typer.Option(help="From when and before when the run is for.", metavar="START END"),
    ] = None,
    param: Annotated[
        list[str] | None, typer.Option(help="A parameter's value, name=value.", metavar="NAME=VALUE")
    ] = None,
    params_file: Annotated[
        Path | None, typer.Option("--params", help="A JSON file of values: for secret ones.")
    ] = None,
    step: Annotated[
        list[str] | None, typer.Option(help="A step that runs; the others are left out.", metavar="STEP")
    ] = None,
    upstream: Annotated[
        bool, typer.Option("--upstream", help="With --step: all that these depend on, too.")
    ] = False,
    downstream: Annotated[
        bool, typer.Option("--downstream", help="With --step: all that depends on these, too.")
    ] = False,
    queue: Annotated[
        bool, typer.Option("--queue", help="Wait for a free slot where the concurrent limit is reached.")
    ] = False,
    idempotency_key: Annotated[str, typer.Option(help="All runs asked for with the same key are one.")] = "",
    follow: Follow = False,
    as_json: AsJson = False,
) -> None:
    """Run a pipeline."""
    session = session_of(context)
    client = session.client
    values = given_parameters(client, config_id, param or [], params_file)
    given: dict[str, Any] = {
        "trigger_by": TRIGGER,
        "parameters": values | ({"date": date} if date else {}),
        "interval": {"start": interval[0], "end": interval[1]} if interval else None,
        "queue": queue,
        "steps": step or [],
        "upstream": upstream,
        "downstream": downstream,
    }
    request = {name: value for name, value in given.items() if value}
    begun = client.runs.start(config_id, request, idempotency_key)
    _go_on(session, client, begun, is_followed=follow, as_json=as_json)


def retry(
    context: typer.Context,
    run_id: RunId,
    latest: Annotated[
        bool, typer.Option("--latest", help="By the version of the pipeline that holds now.")
    ] = False,
    from_step: Annotated[
        str, typer.Option("--from", metavar="STEP", help="A step to run again, with all that depend on it.")
    ] = "",
    follow: Follow = False,
    as_json: AsJson = False,
) -> None:
    """Run again what did not complete, of a run that failed or was cancelled."""
    session = session_of(context)
    client = session.client
    request = {"trigger_by": TRIGGER, "version": "latest" if latest else "same"}
    begun = client.runs.retry(run_id, request | ({"from": from_step} if from_step else {}))
    _go_on(session, client, begun, is_followed=follow, as_json=as_json)


def status(
    context: typer.Context, run_id: LatestRun = "", follow: Follow = False, as_json: AsJson = False
) -> None:
    """Show a run with its levels and steps."""
    session = session_of(context)
    client = session.client
    known = run_id or _latest(client)
    if follow:
        _follow(session, client, known, as_json=as_json)
    found = client.runs.status(known)
    if as_json:
        session.screen.json(found)
    else:
        show_run(session.screen, found)


def logs(context: typer.Context, run_id: LatestRun = "", as_json: AsJson = False) -> None:
    """Tell a run's story from its rows: states, attempts, jobs, and what BigQuery said."""
    session = session_of(context)
    client = session.client
    known = run_id or _latest(client)
    found, receipt = client.runs.status(known), client.runs.receipt(known)
    if as_json:
        session.screen.json({"status": found, "receipt": receipt})
        return
    for event in story_of(found, receipt):
        session.screen.line(f"{moment(event.at):<19}  {event.text}", event.status)


def cancel(context: typer.Context, run_id: RunId, as_json: AsJson = False) -> None:
    """Cancel a run."""
    session = session_of(context)
    _show_accepted(session, session.client.runs.cancel(run_id), as_json=as_json)


def history(
    context: typer.Context,
    config_id: Annotated[str, typer.Argument(metavar="[PIPELINE]", help="Only runs of this pipeline.")] = "",
    state: Annotated[str, typer.Option("--status", help="Only runs in this state, such as FAILED.")] = "",
    since: Annotated[str, typer.Option("--from", help="Only runs asked for at this time or later.")] = "",
    until: Annotated[str, typer.Option("--to", help="Only runs asked for before this time.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many runs at the most.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List runs, the last asked for first."""
    session = session_of(context)
    filters = {
        "status": state.upper() or None,
        "pipeline_id": config_id or None,
        "from": since or None,
        "to": until or None,
        "limit": min(limit, 100),
    }
    found = list(islice(session.client.runs.each(**filters), limit))
    if as_json:
        session.screen.json(found)
        return
    columns = ("Run", "Pipeline", "State", "Date", "Began (UTC)", "Duration", "By")
    rows = [
        (
            one["pipeline_logging_id"],
            one["pipeline_id"],
            one["status"],
            one["run_date"],
            moment(one["start_time"]),
            took(one["duration_ms"]),
            one["trigger_type"],
        )
        for one in found
    ]
    session.screen.table(columns, rows, status=2)


def queue(context: typer.Context, as_json: AsJson = False) -> None:
    """List the runs that wait for a free slot, whose turn is next first."""
    session = session_of(context)
    waiting = session.client.runs.queue()
    if as_json:
        session.screen.json(waiting)
        return
    columns = ("Position", "Run", "Pipeline", "Priority", "Since (UTC)", "Until (UTC)")
    rows = [
        (
            one["position"],
            one["pipeline_logging_id"],
            one["pipeline_id"],
            one["priority"],
            moment(one["added_at"]),
            moment(one["expires_at"]),
        )
        for one in waiting
    ]
    session.screen.table(columns, rows)


def _go_on(session: Session, client: Client, begun: RunAccepted, *, is_followed: bool, as_json: bool) -> None:
    if not is_followed:
        _show_accepted(session, begun, as_json=as_json)
        return
    session.screen.note(f"{begun['message']}: {begun['pipeline_logging_id']}")
    _follow(session, client, begun["pipeline_logging_id"], as_json=as_json)


def _follow(session: Session, client: Client, run_id: str, *, as_json: bool) -> None:
    """Show a run to its end, which is the command's exit code."""
    try:
        screen = session.screen.notes if as_json else session.screen
        ended = watch(lambda wait: client.runs.status(run_id, wait), screen)
    except KeyboardInterrupt:
        session.screen.note(f"The run goes on: convergence status {run_id}, or cancel {run_id}")
        raise typer.Exit(Exit.INTERRUPTED) from None
    if as_json:
        session.screen.json(ended)
    else:
        session.screen.line(
            f"{ended['status']} in {seconds((ended['duration_ms'] or 0) / 1000)}", ended["status"]
        )
        if ended["error_message"]:
            session.screen.line(ended["error_message"], ended["status"])
        if ended["error_class"]:
            session.screen.line(f"Next ({ended['error_class']}): {ended['next_step']}")
    raise typer.Exit(OF_RUN[ended["status"]])


def _show_accepted(session: Session, accepted: RunAccepted, *, as_json: bool) -> None:
    if as_json:
        session.screen.json(accepted)
        return
    session.screen.line(f"{accepted['status']}: {accepted['message']}", accepted["status"])
    session.screen.line(accepted["pipeline_logging_id"])


def _latest(client: Client) -> str:
    found = client.runs.history(limit=1)["runs"]
    if not found:
        raise CommandError("there is no run yet", "Start one: convergence run PIPELINE", Exit.NOT_FOUND)
    return found[0]["pipeline_logging_id"]

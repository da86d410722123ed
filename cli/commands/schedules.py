"""`schedules`: when pipelines run by themselves."""

import typer

from cli.options import AsJson, ConfigId, session_of
from cli.screen import Screen
from cli.words import moment
from common.client.schedules import Schedule

schedules = typer.Typer(help="List schedules, pause and resume them.", invoke_without_command=True)


@schedules.callback()
def list_schedules(context: typer.Context, as_json: AsJson = False) -> None:
    """List schedules, with the time before and the time to come."""
    if context.invoked_subcommand is None:
        session = session_of(context)
        _show(session.screen, session.client.schedules.list(), as_json=as_json)


@schedules.command()
def pause(context: typer.Context, config_id: ConfigId, as_json: AsJson = False) -> None:
    """Let nothing run by a pipeline's schedule until it is resumed."""
    session = session_of(context)
    _show(session.screen, [session.client.schedules.pause(config_id)], as_json=as_json)


@schedules.command()
def resume(context: typer.Context, config_id: ConfigId, as_json: AsJson = False) -> None:
    """Let a schedule go on with the next time to come."""
    session = session_of(context)
    _show(session.screen, [session.client.schedules.resume(config_id)], as_json=as_json)


def _show(screen: Screen, found: list[Schedule], *, as_json: bool) -> None:
    if as_json:
        screen.json(found)
        return
    rows = [
        (
            one["config_id"],
            one["cron"],
            one["timezone"],
            _state(one),
            moment(one["next_fire_time"]),
            moment(one["last_fire_time"]),
        )
        for one in found
    ]
    screen.table(("Pipeline", "Cron", "Zone", "State", "Next (UTC)", "Last (UTC)"), rows)
    for one in found:
        if one["error_message"]:
            screen.line(f"{one['config_id']}: {one['error_message']}", "FAILED")


def _state(schedule: Schedule) -> str:
    if schedule["error_message"]:
        return "cannot be followed"
    if schedule["paused"]:
        return "paused"
    return "on" if schedule["enabled"] else "not enabled"

"""`diff` and `deploy`: what the files of a folder would change on the platform, and the change itself."""

import difflib
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.asking import confirm
from cli.deployment import Deployment, compared
from cli.exits import Exit
from cli.failures import CommandError, failure_of
from cli.options import AsJson, Yes, session_of
from cli.pipeline_files import PipelineFile, found_files
from cli.screen import Screen
from cli.words import plain_lines
from common.client import ApiError, Client, Content

Paths = Annotated[list[Path], typer.Argument(help="A folder of pipeline files, or files.")]
Prune = Annotated[bool, typer.Option(help="Take pipelines away that have no file.")]


def diff(
    context: typer.Context,
    paths: Paths,
    prune: Prune = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="End with 1 where there are differences.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what `deploy` would change, line by line."""
    session = session_of(context)
    client = session.client
    planned = compared(client, _distinct(found_files(paths)), prunes=prune)
    if as_json:
        session.screen.json(_document(planned))
    else:
        for file in planned.changed:
            _show_difference(session.screen, client, file)
        _show_plan(session.screen, planned)
    if exit_code and planned.changes:
        raise typer.Exit(Exit.REFUSED)


def deploy(
    context: typer.Context, paths: Paths, prune: Prune = False, yes: Yes = False, as_json: AsJson = False
) -> None:
    """Upload the files that have changed; with --prune take away the pipelines that have no file.

    A file that the platform refuses is told with every rule that it breaks, and the others are uploaded.
    Nothing is taken away where a file was refused.
    """
    session = session_of(context)
    client, screen = session.client, session.screen
    planned = compared(client, _distinct(found_files(paths)), prunes=prune)
    if not as_json:
        _show_plan(screen, planned)
    if planned.gone:
        confirm(session, f"Take {', '.join(planned.gone)} away?", is_agreed=yes)
    saved, code = _upload(client, screen, planned)
    if code is Exit.DONE:
        for config_id in planned.gone:
            client.configs.delete(config_id)
    if as_json:
        screen.json({"saved": saved, "removed": list(planned.gone) if code is Exit.DONE else []})
    raise typer.Exit(code)


def _upload(client: Client, screen: Screen, planned: Deployment) -> tuple[list[Any], Exit]:
    saved: list[Any] = []
    code = Exit.DONE
    for file in (*planned.new, *planned.changed):
        try:
            answer = client.configs.save(file.config_id, Content.yaml(file.data))
        except ApiError as error:
            screen.note(f"{file.path}:")
            told = failure_of(error)
            screen.failure(told)
            code = told.code
            continue
        saved.append(answer)
        for told_warning in answer["warnings"]:
            screen.note(f"{file.path}: warning: {told_warning['pointer'] or '/'}: {told_warning['rule']}")
        screen.note(f"{file.config_id}: {answer['message']}")
    return saved, code


def _distinct(files: list[PipelineFile]) -> list[PipelineFile]:
    by_id: dict[str, PipelineFile] = {}
    for file in files:
        twin = by_id.setdefault(file.config_id, file)
        if twin is not file:
            raise CommandError(
                f"{twin.path} and {file.path} are both the pipeline {file.config_id}", code=Exit.USAGE
            )
    return files


def _show_plan(screen: Screen, planned: Deployment) -> None:
    for sign, ids in (
        ("+", [file.config_id for file in planned.new]),
        ("~", [file.config_id for file in planned.changed]),
        ("-", planned.gone),
    ):
        for config_id in ids:
            screen.line(f"{sign} {config_id}")
    screen.line(
        f"{len(planned.new)} new, {len(planned.changed)} changed, {len(planned.gone)} to go, "
        f"{len(planned.unchanged)} as they are"
    )
    if planned.left:
        screen.line(f"Without a file, and left alone: {', '.join(planned.left)} (--prune takes them away)")


def _show_difference(screen: Screen, client: Client, file: PipelineFile) -> None:
    kept = client.configs.read(file.config_id)
    lines = difflib.unified_diff(
        plain_lines(kept["pipeline_yaml"]),
        plain_lines(file.text),
        f"{file.config_id}, version {kept['version']}",
        str(file.path),
        lineterm="",
    )
    for line in lines:
        screen.line(line, {"+": "COMPLETED", "-": "FAILED"}.get(line[:1], ""))


def _document(planned: Deployment) -> dict[str, list[str]]:
    return {
        "new": [file.config_id for file in planned.new],
        "changed": [file.config_id for file in planned.changed],
        "unchanged": [file.config_id for file in planned.unchanged],
        "to_remove": list(planned.gone),
        "without_file": list(planned.left),
    }

"""`graph`: a pipeline's steps and tables, as a picture."""

from typing import Annotated

import typer

from cli.mermaid import flowchart
from cli.options import AsJson, ConfigId, session_of


def graph(
    context: typer.Context,
    config_id: ConfigId,
    across: Annotated[
        bool,
        typer.Option(
            "--across", help="The pipelines too with which it shares tables, or that run before and after it."
        ),
    ] = False,
    version: Annotated[int | None, typer.Option(min=1, help="A version; else the latest.")] = None,
    as_json: AsJson = False,
) -> None:
    """Draw a pipeline's steps and tables in Mermaid, for a README."""
    session = session_of(context)
    found = session.client.configs.graph(config_id, version, across=across)
    if as_json:
        session.screen.json(found)
        return
    session.screen.text(flowchart(found))
    if found["left_out"]:
        session.screen.note(f"Not looked at: {', '.join(found['left_out'])}")

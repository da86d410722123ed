"""Options that several commands have, and the session that each command finds."""

from typing import Annotated

import typer

from cli.session import Session

AsJson = Annotated[bool, typer.Option("--json", help="Write the answer as JSON.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]
ConfigId = Annotated[str, typer.Argument(metavar="PIPELINE", help="The pipeline's ID.")]
Follow = Annotated[
    bool, typer.Option("--follow", "-f", help="Follow the run to its end; the exit code says which.")
]


def session_of(context: typer.Context) -> Session:
    """Return the session that the command was started with."""
    session = context.obj
    if not isinstance(session, Session):
        raise TypeError("a command was called without its session")
    return session

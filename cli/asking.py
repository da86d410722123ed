"""Questions before what cannot be undone: asked on a terminal, and answered by --yes elsewhere."""

import sys

import typer

from cli.exits import Exit
from cli.failures import CommandError
from cli.session import Session


def confirm(session: Session, question: str, *, is_agreed: bool) -> None:
    """Go on where the user agrees; CommandError where nobody can be asked."""
    if is_agreed:
        return
    if not sys.stdin.isatty():
        raise CommandError("nobody is there to be asked", "Say --yes, once you have read this.", Exit.USAGE)
    try:
        is_agreed = typer.confirm(question, err=True)
    except typer.Abort as interrupt:
        raise typer.Exit(Exit.INTERRUPTED) from interrupt
    if not is_agreed:
        session.screen.note("Nothing is done.")
        raise typer.Exit(Exit.REFUSED)

"""`test`: the tests in a pipeline's file, on the platform."""

from typing import Annotated

import typer

from cli.exits import Exit
from cli.options import AsJson, ConfigId, session_of
from cli.tested import show_test


def run_tests(
    context: typer.Context,
    config_id: ConfigId,
    version: Annotated[int | None, typer.Option(min=1, help="A version; else the latest.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run the tests in a pipeline's file: they touch no table, and bill nothing."""
    session = session_of(context)
    found = session.client.configs.test(config_id, version)
    if as_json:
        session.screen.json(found)
    else:
        for one in found["tests"]:
            show_test(session.screen, one)
        passed = sum(one["has_passed"] for one in found["tests"])
        session.screen.line(f"{passed} of {len(found['tests'])} tests have passed")
    if not found["has_passed"]:
        raise typer.Exit(Exit.REFUSED)

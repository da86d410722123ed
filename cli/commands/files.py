"""`init` and `validate`: pipeline files, without a platform."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from cli.exits import Exit
from cli.failures import CommandError
from cli.options import session_of
from cli.pipeline_files import found_files
from cli.reports import Format, report
from common.client.configs import EXAMPLE


@contextmanager
def uncollected() -> Iterator[None]:
    """Look for no garbage inside the block: trees of SQL are many objects, and all of them are kept."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def init(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(help="The file to write.")] = Path("pipeline.yml"),
    force: Annotated[bool, typer.Option(help="Write over a file that is there.")] = False,
) -> None:
    """Write a pipeline to begin with, each part with a comment."""
    if path.exists() and not force:
        raise CommandError(f"{path} is there already", "Name another file, or say --force.", Exit.USAGE)
    try:
        path.write_text(EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}", code=Exit.USAGE) from error
    screen = session_of(context).screen
    screen.line(f"{path} is written")
    screen.line(f"Next: convergence validate {path}")


def validate(
    context: typer.Context,
    paths: Annotated[list[Path], typer.Argument(help="Files, and folders of YAML files.")],
    form: Annotated[Format, typer.Option("--format", help="How the report is written.")] = Format.TEXT,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    strict: Annotated[bool, typer.Option(help="Let warnings fail too.")] = False,
    tenant: Annotated[str, typer.Option(help="Whose files they are; else the profile's tenant.")] = "",
    project: Annotated[
        str, typer.Option(help="The platform's project, which ${project_id} stands for.")
    ] = "",
    source: Annotated[
        list[str] | None, typer.Option(help="A project, dataset or table that your SQL may read.")
    ] = None,
) -> None:
    """Check pipeline files without a platform: every rule of every file, with its line.

    Ends with 0 where none is broken and 1 where any is. What only the platform knows is not asked: whether
    tables exist, and which sources the operator allows (name them with --source).
    """
    session = session_of(context)
    with uncollected():
        from cli.checking import PUBLIC_DATA, Checker, Owner  # noqa: PLC0415 - the other commands start without SQL's grammar

        known, usual = session.profile, Owner()
        owner = Owner(
            tenant=tenant or known.tenant or usual.tenant,
            project=project or known.project or usual.project,
            sources=frozenset({PUBLIC_DATA, *(source or ())}),
        )
        checked = Checker.of(owner).check(found_files(paths))
    written = report(checked, Format.JSON if as_json else form)
    if written:
        session.screen.text(written)
    if any(one.broken or (strict and one.warnings) for one in checked):
        raise typer.Exit(Exit.REFUSED)

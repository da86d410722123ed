"""The commands put together, and what becomes of their errors."""

import os
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import typer

from cli.commands import (
    accounts,
    backfills,
    deployments,
    files,
    graphs,
    quality,
    quotes,
    runs,
    tables,
    tenancy,
    testing,
    usage,
)
from cli.commands.administration import admin
from cli.commands.schedules import schedules
from cli.environment import Environment
from cli.failures import CommandError, failure_of
from cli.profiles import DEFAULT
from cli.screen import Screen
from cli.session import Session
from common.client import ApiError

app = typer.Typer(
    name="convergence",
    help="Work with data pipelines on BigQuery: files, runs, schedules.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(is_asked: bool) -> None:
    if is_asked:
        try:
            known = version("convergence")
        except PackageNotFoundError:  # Run from a checkout.
            known = "of a checkout"
        sys.stdout.write(f"convergence {known}\n")
        raise typer.Exit


@app.callback()
def begin(
    context: typer.Context,
    profile: Annotated[
        str, typer.Option("--profile", "-p", help="Which platform and key; CONVERGENCE_PROFILE.")
    ] = "",
    url: Annotated[str, typer.Option(help="Another address than the profile's; CONVERGENCE_URL.")] = "",
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Work with data pipelines on BigQuery: files, runs, schedules."""
    environment = Environment.read()
    name = profile or environment.profile or DEFAULT
    context.obj = Session(environment=environment, profile_name=name, url=url)


for command in (
    accounts.login,
    accounts.logout,
    files.init,
    files.validate,
    deployments.diff,
    deployments.deploy,
    graphs.graph,
    quotes.quote,
    runs.run,
    runs.status,
    runs.logs,
    runs.cancel,
    runs.retry,
    runs.history,
    runs.queue,
    tables.show,
    quality.quality,
    backfills.backfill,
    tenancy.quota,
    usage.usage,
    accounts.completion,
):
    app.command()(command)
app.command("test")(testing.run_tests)
app.command("open")(accounts.open_console)
app.add_typer(backfills.backfills, name="backfills")
app.add_typer(schedules, name="schedules")
app.add_typer(tables.tables, name="tables")
app.add_typer(tenancy.keys, name="keys")
app.add_typer(tenancy.credentials, name="credentials")
admin.command("usage")(usage.usage_of_tenants)
app.add_typer(admin, name="admin")


def main() -> None:
    """Carry out a command: what goes wrong is told by place, rule and next step, and by the exit code."""
    if sys.stdout is None:  # Closed by who has called: what is answered goes nowhere.
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - to its end
    try:
        app(prog_name="convergence")
    except ApiError as error:
        failure = failure_of(error)
    except CommandError as error:
        failure = error.failure
    except OSError as error:  # Files are read elsewhere: a full disk, most likely.
        failure = CommandError(f"the answer cannot be written: {error.strerror or error}").failure
        sys.stdout = None  # Python would try to write it once more at the end.
    Screen().failure(failure)
    sys.exit(failure.code)

"""`python -m local demo`: the story on a stage of its own, and what it came to as an exit code."""

import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from pathlib import Path

from cli.progress import seconds
from common.client import Api, ApiError, Key
from common.warehouse.clients import make_client
from local.demo.errors import DemoError
from local.demo.guide import TENANT, PipelineFile, pipeline_file
from local.demo.screen import Screen
from local.demo.stage import ephemeral_options, logging_to, started_platform
from local.demo.story import Story
from local.demo.tables import TenantTables
from local.interrupts import Interrupts, interrupts_heard

SUCCEEDED, FAILED, INTERRUPTED = 0, 1, 130


def run(config: Path | None, screen: Screen | None = None, *, is_kept: bool = False) -> int:
    """Act the guide out, with its pipeline or the user's own; return the exit code.

    A platform that is kept can be looked at until Ctrl-C: the console shows what the demo did.
    """
    shown = screen or Screen()
    try:
        file = pipeline_file(config)
    except DemoError as error:
        shown.end(f"The demo cannot start: {error}", is_good=False)
        return FAILED
    with interrupts_heard(_raise_interrupt) as interrupts:
        return _acted(file, shown, interrupts, is_kept=is_kept)


def _raise_interrupt(*_: object) -> None:
    """Let Ctrl-C and `kill` end the demo in the same way: the platform is stopped, its data thrown away."""
    raise KeyboardInterrupt


def _acted(file: PipelineFile, shown: Screen, interrupts: Interrupts, *, is_kept: bool) -> int:
    with tempfile.NamedTemporaryFile(prefix="convergence-demo-", suffix=".log", delete=False) as made:
        log = Path(made.name)
    began = time.monotonic()
    try:
        summary = _told(file, shown, log, interrupts if is_kept else None)
    except (DemoError, ApiError, KeyboardInterrupt) as error:
        # What an interrupt breaks off can end in an error of its own.
        if interrupts.have_come():
            log.unlink()
            shown.end("Interrupted; the platform has been stopped.", is_good=False)
            return INTERRUPTED
        shown.end(f"The demo failed: {error}", is_good=False)
        shown.line(f"The platform's log is in {log}")
        return FAILED
    log.unlink()
    shown.end(f"{summary}. The whole demo took {seconds(time.monotonic() - began)}.", is_good=True)
    shown.line("`make run` serves the platform on :8090; README.md goes on from there.")
    return SUCCEEDED


def _told(file: PipelineFile, screen: Screen, log: Path, kept_until: Interrupts | None) -> str:
    options = ephemeral_options()
    with ExitStack() as stage:
        stage.enter_context(logging_to(log, options.project))
        with screen.busy("Starting a platform: BigQuery, Pub/Sub, Scheduler, the functions behind a gateway"):
            platform = stage.enter_context(started_platform(options))
        client = make_client(
            project=options.project, location=options.location, emulator_host=platform.parts["bigquery"]
        )
        stage.enter_context(closing(client))
        return Story(
            api=Api(url=options.url),
            screen=screen,
            tables=TenantTables(client=client, tenant=TENANT),
            file=file,
            admin_key=Key.operator(options.admin_api_key),
            environment={
                "GCP_PROJECT_ID": options.project,
                "BIGQUERY_LOCATION": options.location,
                "ADMIN_API_KEY": f"{options.admin_api_key[:4]}…",
            },
            at_the_end=_look_around(screen, options.url, kept_until) if kept_until else lambda _: None,
        ).tell()


def _look_around(screen: Screen, url: str, until: Interrupts) -> Callable[[Key], None]:
    """Leave the platform up until Ctrl-C, and say where to look and by which key."""

    def wait(tenant_key: Key) -> None:
        screen.chapter("Look around")
        screen.answer(f"the console is at {url}/, for who signs in with {tenant_key.value}")
        screen.line("Ctrl-C ends it.")
        with suppress(KeyboardInterrupt):
            until.wait()

    return wait

"""`python -m local demo`: the story on a stage of its own, and what it came to as an exit code."""

import signal
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from threading import Event

from cli.progress import seconds
from common.client import Api, ApiError, Key
from common.warehouse.clients import make_client
from local.demo.errors import DemoError
from local.demo.guide import TENANT, PipelineFile, pipeline_file
from local.demo.screen import Screen
from local.demo.stage import ephemeral_options, logging_to, started_platform
from local.demo.story import Story
from local.demo.tables import TenantTables

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
    interrupted = _listen_for_interrupts()
    with tempfile.NamedTemporaryFile(prefix="convergence-demo-", suffix=".log", delete=False) as made:
        log = Path(made.name)
    began = time.monotonic()
    try:
        summary = _told(file, shown, log, is_kept=is_kept)
    except (DemoError, ApiError, KeyboardInterrupt) as error:
        # What an interrupt breaks off can end in an error of its own.
        if interrupted.is_set():
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


def _listen_for_interrupts() -> Event:
    """Let Ctrl-C and `kill` end the demo in the same way: the platform is stopped, its data thrown away."""
    interrupted = Event()

    def interrupt(*_: object) -> None:
        interrupted.set()
        raise KeyboardInterrupt

    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, interrupt)
    return interrupted


def _told(file: PipelineFile, screen: Screen, log: Path, *, is_kept: bool) -> str:
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
            at_the_end=_look_around(screen, options.url) if is_kept else lambda _: None,
        ).tell()


def _look_around(screen: Screen, url: str) -> Callable[[Key], None]:
    """Leave the platform up until Ctrl-C, and say where to look and by which key."""

    def wait(tenant_key: Key) -> None:
        screen.chapter("Look around")
        screen.answer(f"the console is at {url}/, for who signs in with {tenant_key.value}")
        screen.line("Ctrl-C ends it.")
        with suppress(KeyboardInterrupt):
            Event().wait()

    return wait

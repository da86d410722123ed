"""The local platform as its user has it: a process of its own, started with `python -m local run`."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests
from google.cloud import bigquery

from common.warehouse.clients import make_client
from local.demo.stage import free_port
from local.options import DEFAULT_PROJECT

ROOT = Path(__file__).resolve().parents[2]
ADMIN_KEY = "operator-of-the-tests"
RUN = ("-m", "local", "run")
# On a machine that has much else to do.
START_SECONDS = 120.0
STOP_SECONDS = 180.0
MAX_SHOWN = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningPlatform:
    """A platform that answers; `log` holds its banner and all its lines."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def url(self) -> str:
        """Where the gateway answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def printed(self) -> str:
        """All that it has printed so far."""
        return self.log.read_text(encoding="utf-8")

    def bigquery(self) -> bigquery.Client:
        """Make a client for its BigQuery."""
        return make_client(project=DEFAULT_PROJECT, location="US", emulator_host=self.part("BigQuery"))

    def part(self, name: str) -> str:
        """Read in the banner where a part of the platform answers."""
        found = re.search(rf"^ +{name} +(\S+)$", self.printed, re.MULTILINE)
        assert found, f"the banner names no {name}:\n{self.printed}"
        return found[1]

    def stop(self, by: signal.Signals = signal.SIGINT) -> int:
        """Send a signal as a terminal does, to the whole group, and return the exit code."""
        os.killpg(self.process.pid, by)
        return self.process.wait(STOP_SECONDS)

    def has_processes(self) -> bool:
        """Tell whether any process that it started is left."""
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return False
        return True


@contextmanager
def running_platform(
    log: Path, *, program: tuple[str, ...] = RUN, may_be_killed: bool = False, **environment: str
) -> Iterator[RunningPlatform]:
    """Run a platform on a free port inside the block; without DATA_DIR its data does not last.

    Whoever may kill it in the block sees to its exit code there.
    """
    port = free_port()
    given = {"PORT": str(port), "ADMIN_API_KEY": ADMIN_KEY} | environment
    if "DATA_DIR" not in given:
        given["EPHEMERAL"] = "1"
    with log.open("ab") as out, started(program, given, out) as process:
        platform = RunningPlatform(process=process, port=port, log=log)
        _wait_until_ready(platform)
        try:
            yield platform
        finally:
            code = platform.stop() if process.poll() is None else process.returncode
            assert code == 0 or may_be_killed, (
                f"the platform ended with {code}:\n{platform.printed[-MAX_SHOWN:]}"
            )
            assert may_be_killed or not platform.has_processes()


@contextmanager
def started(
    program: tuple[str, ...], environment: Mapping[str, str], out: object
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program of the project in a process group of its own; at the end nothing of it is left."""
    process = subprocess.Popen(
        [sys.executable, *program],
        cwd=ROOT,
        env={**os.environ, "PYTHONFAULTHANDLER": "1", **environment},
        stdin=subprocess.DEVNULL,
        stdout=out,  # type: ignore[call-overload]
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_until_ready(platform: RunningPlatform) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and platform.process.poll() is None:
        if "Ctrl-C ends it." in platform.printed:
            assert requests.get(f"{platform.url}/health", timeout=30).status_code == 200
            return
        time.sleep(0.05)
    raise AssertionError(f"the platform did not start:\n{platform.printed}")

"""The servers that the suite runs against: ours, in this process, and Google's emulator where installed."""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO

from local.pubsub import PubSubServer

type Backend = Callable[[], AbstractContextManager[str]]
"""Run a server as long as the context lasts, and give its address."""

START_SECONDS = 30.0
STOP_SECONDS = 5.0
PULL_SECONDS = 0.6


@contextmanager
def embedded() -> Iterator[str]:
    """Run our own server, whose empty pulls end as soon as those of Google's emulator."""
    with PubSubServer(pull_seconds=PULL_SECONDS) as server:
        yield server.address


@contextmanager
def google_emulator() -> Iterator[str]:
    """Run Google's emulator from its jar: the wrapper of gcloud can leave it behind."""
    address = f"127.0.0.1:{_free_port()}"
    with tempfile.TemporaryFile() as output:
        process = start_emulator(address, output)
        try:
            _wait_until_ready(process, address, output)
            yield address
        finally:
            _end(process)


def backends() -> dict[str, Backend]:
    """Name the backends that this machine has."""
    present: dict[str, Backend] = {"embedded": embedded}
    if emulator_jar() and shutil.which("java"):
        present["google"] = google_emulator
    return present


def emulator_jar() -> Path | None:
    """Find the emulator's jar beside the gcloud on PATH."""
    gcloud = shutil.which("gcloud")
    if not gcloud:
        return None
    folder = Path(gcloud).resolve().parent.parent / "platform" / "pubsub-emulator" / "lib"
    return next(iter(sorted(folder.glob("cloud-pubsub-emulator-*-all.jar"))), None)


def start_emulator(address: str, output: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start the emulator; what it says goes to a file, which never fills up as a pipe does."""
    host, port = address.split(":")
    command = ["java", "-jar", str(emulator_jar()), f"--host={host}", f"--port={port}"]
    return subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(process: subprocess.Popen[bytes], address: str, output: IO[bytes]) -> None:
    """Wait for the port; an emulator that ends, or does not come, is an error with its own last words."""
    host, port = address.split(":")
    give_up_at = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < give_up_at:
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    output.seek(0)
    raise RuntimeError(
        f"the Pub/Sub emulator did not start: {output.read()[-2000:].decode(errors='replace')}"
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

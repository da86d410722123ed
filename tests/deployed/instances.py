"""An instance of each function as the cloud starts it: its bundle, its lock alone, the framework's server."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from werkzeug.exceptions import NotFound
from werkzeug.middleware.http_proxy import ProxyMiddleware

from local.demo.stage import free_port
from local.instances import deployed_threads
from scripts.bundle import bundled_files, write_zip

ROOT = Path(__file__).resolve().parents[2]
LOCKED = ROOT / ".venv-deployed" / "bin"
"""An environment that holds requirements/functions.txt and nothing else."""
START_SECONDS = 60.0
CALL_SECONDS = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """An instance that listens on a port. Called, it passes a request on to it."""

    port: int
    process_id: int
    """The process that leads its session."""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer as the instance does; it gets pushed messages as Google sends them: no CloudEvents yet."""
        target = f"http://127.0.0.1:{self.port}"
        proxy = ProxyMiddleware(NotFound(), {"instance": {"target": target}}, timeout=CALL_SECONDS)
        (options,) = proxy.targets.values()
        sent = {key: value for key, value in environ.items() if not key.startswith("HTTP_CE_")}
        return proxy.proxy_to(options, sent["PATH_INFO"], "/")(sent, start_response)


@contextmanager
def deployed(folder: Path, environment: Mapping[str, str]) -> Iterator[dict[str, Deployed]]:
    """Unzip each bundle into a folder and serve it inside the block."""
    with ExitStack() as running:
        served = {
            name: running.enter_context(_served(name, folder / name, environment)) for name in bundles()
        }
        for name, instance in served.items():
            _wait_until_listening(name, instance.port)
        yield served


def bundles() -> list[str]:
    """Name the functions that have a bundle."""
    return sorted(path.name for path in (ROOT / "terraform" / "bundles").iterdir())


def unzip(name: str, folder: Path) -> None:
    """Make a function's bundle, and unpack it as Cloud Build does."""
    bundle = folder.with_suffix(".zip")
    write_zip(bundled_files(ROOT / "terraform" / "bundles" / name), bundle)
    with ZipFile(bundle) as zipped:
        zipped.extractall(folder)


@contextmanager
def _served(name: str, folder: Path, environment: Mapping[str, str]) -> Iterator[Deployed]:
    unzip(name, folder)
    port = free_port()
    told = {
        "FUNCTION_TARGET": name,
        "HOST": "127.0.0.1",
        "LOG_FORMAT": "json",
        "PATH": os.defpath,
        "PORT": str(port),
        "THREADS": str(deployed_threads()[name]),
    }
    with folder.with_suffix(".log").open("wb") as log:
        process = subprocess.Popen(
            [LOCKED / "functions-framework"],
            cwd=folder,
            env={**environment, **told},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield Deployed(port=port, process_id=process.pid)
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()


def _wait_until_listening(name: str, port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"{name} does not listen")

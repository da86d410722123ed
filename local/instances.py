"""One instance of each function, with as many threads as a deployed one has."""

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.serving import WsgiApp

DEPLOYED = Path(__file__).parents[1] / "terraform" / "functions.json"
"""What Terraform deploys each function with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """Serves a function to `threads` requests at once; others wait until one of them has its answer."""

    function: WsgiApp
    threads: int
    free: threading.BoundedSemaphore = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "free", threading.BoundedSemaphore(self.threads))

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request once a thread is free; the thread is busy until the whole answer is there."""
        with self.free:
            body = self.function(environ, start_response)
            try:
                return list(body)
            finally:
                if close := getattr(body, "close", None):
                    close()


def one_of_each(functions: Mapping[str, WsgiApp]) -> dict[str, Instance]:
    """Make an instance of each function."""
    threads = deployed_threads()
    return {name: Instance(function=app, threads=threads[name]) for name, app in functions.items()}


def deployed_threads() -> dict[str, int]:
    """Tell how many requests an instance of each deployed function works on at once."""
    deployed = json.loads(DEPLOYED.read_text(encoding="utf-8"))
    return {name: int(settings["concurrency"]) for name, settings in deployed.items()}

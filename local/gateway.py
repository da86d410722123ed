"""One HTTP server for all functions: the contract's paths, and private ones for pushes and the scheduler."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from functions_framework import create_app
from werkzeug.serving import BaseWSGIServer

from common.public_urls import ANY_OTHER, function_of
from local.instances import one_of_each
from local.serving import WsgiApp, served, server_on

FUNCTIONS = Path(__file__).parents[1] / "functions"
PRIVATE = "/_functions"


def load_functions(folder: Path = FUNCTIONS) -> dict[str, WsgiApp]:
    """Load every function as the functions framework would serve it."""
    return {
        main.parent.name: create_app(target=main.parent.name, source=str(main))
        for main in sorted(folder.glob("*/main.py"))
    }


class Gateway:
    """Sends each request to the function that has its path; of each it has one instance."""

    def __init__(
        self, host: str, port: int, heard: Callable[[str, str, int], None] = lambda *_: None
    ) -> None:
        """Take a port, or raise OSError; `heard` hears of each answer: method, path and status."""
        self._heard = heard
        self._functions: Mapping[str, WsgiApp] = {}
        self._server: BaseWSGIServer = server_on(host, port, self._dispatch)

    @property
    def url(self) -> str:
        """Where the gateway answers."""
        return f"http://{self._server.host}:{self._server.port}"

    @contextmanager
    def serving(self, functions: Mapping[str, WsgiApp]) -> Iterator[None]:
        """Answer requests inside the block; then no more are taken, and running ones are not waited for."""
        self._functions = one_of_each(functions)
        with served(self._server, "gateway"):
            yield

    def close(self) -> None:
        """Give the port back."""
        self._server.server_close()

    def _dispatch(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        name, path = _target(environ.get("PATH_INFO") or "/")
        function = self._functions.get(name) or self._functions[ANY_OTHER]
        answered: list[str] = []

        def start(status: str, *more: Any) -> Any:
            answered.append(status)
            return start_response(status, *more)

        body = function(environ | {"SCRIPT_NAME": "", "PATH_INFO": path}, start)
        self._heard(environ["REQUEST_METHOD"], path, int(answered[-1].split(maxsplit=1)[0]))
        return body


def _target(path: str) -> tuple[str, str]:
    """Return the function that has a path, and the path that it sees."""
    if path.startswith(f"{PRIVATE}/"):
        # The functions framework takes an event's source from what follows: /projects/P/topics/T.
        name, _, rest = path.removeprefix(f"{PRIVATE}/").partition("/")
        return name, f"/{rest}"
    return function_of(path) or ANY_OTHER, path

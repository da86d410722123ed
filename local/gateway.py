"""One HTTP server for all functions: the contract's paths, and private ones for pushes and the scheduler."""

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from functions_framework import create_app
from werkzeug.serving import BaseWSGIServer, make_server

FUNCTIONS = Path(__file__).parents[1] / "functions"
PRIVATE = "/_functions"
ROUTES = {
    "/admin": "admin",
    "/api/v1/tenants": "onboarding",
    "/api/v1/pipelines": "pipelines",
    "/openapi.json": "onboarding",
}

type WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def load_functions(folder: Path = FUNCTIONS) -> dict[str, WsgiApp]:
    """Load every function as the functions framework would serve it."""
    return {
        main.parent.name: create_app(target=main.parent.name, source=str(main))
        for main in sorted(folder.glob("*/main.py"))
    }


class Gateway:
    """Sends each request to the function that has its path; `/health` is its own."""

    def __init__(self, host: str, port: int) -> None:
        self._functions: Mapping[str, WsgiApp] = {}
        self._server: BaseWSGIServer = make_server(host, port, self._dispatch, threaded=True)
        self._thread = threading.Thread(target=self._server.serve_forever, name="gateway", daemon=True)

    @property
    def url(self) -> str:
        """Where the gateway answers."""
        return f"http://{self._server.host}:{self._server.port}"

    def start(self) -> None:
        """Answer requests; until `open` only `/health` does, with 503."""
        self._thread.start()

    def open(self, functions: Mapping[str, WsgiApp]) -> None:
        """Let the functions answer."""
        self._functions = functions

    def stop(self) -> None:
        """Take no more requests. What is running goes on in its thread."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _dispatch(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO") or "/"
        if path == "/health":
            return self._health(start_response)
        name = _private_function(path) or next(
            (name for root, name in ROUTES.items() if _is_under(path, root)), ""
        )
        if name not in self._functions:
            return _problem(start_response, "404 NOT FOUND", f"there is nothing at {path}")
        # Pub/Sub's topic in the path is for the functions framework; the function itself is at its root.
        return self._functions[name](environ | {"SCRIPT_NAME": ""} | _rewritten(path), start_response)

    def _health(self, start_response: Callable[..., Any]) -> Iterable[bytes]:
        is_ready = bool(self._functions)
        body = json.dumps(
            {"status": "ready" if is_ready else "starting", "functions": sorted(self._functions)}
        )
        start_response(
            "200 OK" if is_ready else "503 SERVICE UNAVAILABLE", [("Content-Type", "application/json")]
        )
        return [body.encode()]


def _is_under(path: str, root: str) -> bool:
    return path == root or path.startswith(f"{root}/")


def _private_function(path: str) -> str:
    return path.removeprefix(f"{PRIVATE}/").split("/")[0] if _is_under(path, PRIVATE) else ""


def _rewritten(path: str) -> dict[str, str]:
    return (
        {"PATH_INFO": path.removeprefix(f"{PRIVATE}/{_private_function(path)}") or "/"}
        if _private_function(path)
        else {}
    )


def _problem(start_response: Callable[..., Any], status: str, detail: str) -> Iterable[bytes]:
    code, title = int(status[:3]), status[4:].capitalize()
    body = json.dumps({"type": "about:blank", "title": title, "status": code, "detail": detail})
    start_response(status, [("Content-Type", "application/problem+json")])
    return [body.encode()]

"""A platform that cannot start; tests/e2e has those that can, each in a process of its own."""

import socket
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

import pytest

from local.demo.stage import free_port
from local.instances import WsgiApp
from local.options import options_from_environment
from local.platform import Platform


def no_functions(_: Mapping[str, str]) -> AbstractContextManager[Mapping[str, WsgiApp]]:
    return nullcontext({})


@pytest.mark.usefixtures("no_server")
@pytest.mark.parametrize("variable", ["PORT", "BIGQUERY_PORT", "PUBSUB_PORT"])
def test_a_port_that_is_taken_is_named_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for name, value in {"PORT": str(free_port()), "EPHEMERAL": "1", variable: port}.items():
            monkeypatch.setenv(name, value)
        platform = Platform(options_from_environment(), serving=no_functions)
        with pytest.raises(OSError, match=f"^port {port} is taken; choose another one with {variable}=$"):
            platform.start()

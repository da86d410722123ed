"""A platform that cannot start; tests/e2e has those that can, each in a process of its own."""

import socket

import pytest

from local.demo.stage import free_port
from local.running import run


@pytest.mark.usefixtures("no_server")
@pytest.mark.parametrize(
    "variable", ["PORT", "BIGQUERY_PORT", "STORAGE_PORT", "PUBSUB_PORT", "SCHEDULER_PORT"]
)
def test_a_port_that_is_taken_is_named_with_its_variable_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for name, value in {"PORT": str(free_port()), "EPHEMERAL": "1", variable: port}.items():
            monkeypatch.setenv(name, value)
        assert run() == 1
    said = f"Convergence cannot start: port {port} is taken; choose another one with {variable}=\n"
    assert capsys.readouterr() == ("", said)

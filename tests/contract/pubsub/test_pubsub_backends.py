"""The suite's own footing: an emulator that cannot start is an error at once, and none is left behind."""

import subprocess
import sys
from typing import IO

import pytest

from tests.contract.pubsub import backends


class Started:
    """Start a Python script where the emulator would be started, and remember the process."""

    def __init__(self, script: str) -> None:
        self._script = script
        self.processes: list[subprocess.Popen[bytes]] = []

    def __call__(self, address: str, output: IO[bytes]) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", self._script]
        self.processes.append(subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT))
        return self.processes[0]


def test_an_emulator_that_ends_at_once_is_an_error_with_its_last_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(backends, "start_emulator", Started("import sys; sys.exit('no such class')"))
    with pytest.raises(RuntimeError, match="did not start: no such class"), backends.google_emulator():
        pass


def test_an_emulator_that_never_listens_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    started = Started("import time; time.sleep(60)")
    monkeypatch.setattr(backends, "start_emulator", started)
    monkeypatch.setattr(backends, "START_SECONDS", 0.3)
    with pytest.raises(RuntimeError, match="did not start"), backends.google_emulator():
        pass
    assert started.processes[0].returncode is not None


def test_without_gcloud_our_server_alone_takes_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert list(backends.backends()) == ["embedded"]

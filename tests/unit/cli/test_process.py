"""`convergence` as its user has it: in a terminal, without one, and as the package that is installed."""

import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import typer

from cli.app import app
from tests.unit.cli.conftest import KEY
from tests.unit.cli.test_runs import ACCEPTED, a_status, a_step
from tests.unit.cli.test_sessions import QUOTA
from tests.unit.client.server import ScriptedPlatform

ROOT = Path(__file__).resolve().parents[3]
PATIENCE_SECONDS = 120.0
INTERRUPT_AGAIN_SECONDS = 5.0
COMMAND = (sys.executable, "-m", "cli")


@pytest.fixture
def environment(tmp_path: Path, platform: ScriptedPlatform) -> dict[str, str]:
    """Give the process a home of its own, and a keyring in a file."""
    return {
        "PATH": os.environ["PATH"],
        "TERM": "xterm",
        "HOME": str(tmp_path),
        "CONVERGENCE_CONFIG_DIR": str(tmp_path / "config"),
        "CONVERGENCE_URL": platform.url,
        "CONVERGENCE_API_KEY": KEY,
        "PYTHON_KEYRING_BACKEND": "tests.unit.cli.memory_keyring.FileKeyring",
        "TEST_KEYRING_FILE": str(tmp_path / "keyring.json"),
    }


def without_terminal(environment: Mapping[str, str], *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [*COMMAND, *arguments],
        cwd=ROOT,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    return done.returncode, done.stdout, done.stderr


def in_terminal(
    environment: Mapping[str, str],
    *arguments: str,
    typed: Mapping[str, str] | None = None,
    interrupted_at: str = "",
) -> tuple[int, str]:
    """Run a command in a terminal, type each answer once its question is there, and return what was drawn."""
    waiting = dict(typed or {})
    # A process inherits that Ctrl-C is ignored, as it is where the tests are started in the background.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    controller, terminal = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=ROOT,
        env=dict(environment),
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    ) as process:
        os.close(terminal)
        drawn, deadline, again = "", time.monotonic() + PATIENCE_SECONDS, 0.0
        while time.monotonic() < deadline:
            if interrupted_at and interrupted_at in drawn and time.monotonic() >= again:
                # As Ctrl-C does. One that comes right before the process waits does not wake it.
                process.send_signal(signal.SIGINT)
                again = time.monotonic() + INTERRUPT_AGAIN_SECONDS
            if not select.select([controller], [], [], 0.2)[0]:
                continue
            try:
                data = os.read(controller, 65_536)
            except OSError:  # The other side is closed.
                break
            drawn += data.decode(errors="replace")
            for question in [asked for asked in waiting if asked in drawn]:
                _wait_until_unseen(controller, is_secret=waiting[question] == KEY)
                os.write(controller, f"{waiting.pop(question)}\n".encode())
        os.close(controller)
        return process.wait(PATIENCE_SECONDS), drawn


def _wait_until_unseen(controller: int, *, is_secret: bool) -> None:
    """Type a secret once the terminal has ceased to show what is typed."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while is_secret and termios.tcgetattr(controller)[3] & termios.ECHO:
        assert time.monotonic() < deadline, "the terminal shows what is typed"
        time.sleep(0.01)


def test_a_terminal_sees_a_table_that_moves(environment: dict[str, str], platform: ScriptedPlatform) -> None:
    platform.answer(202, ACCEPTED)
    platform.answer(200, a_status("RUNNING", a_step("RUNNING")))
    platform.answer(200, a_status("FAILED", a_step("FAILED", duration_ms=900), duration_ms=1000))
    code, drawn = in_terminal(environment, "run", "daily", "--follow")
    assert code == 10
    assert all(word in drawn for word in ("Level", "Duration", "extract", "FAILED in 1.0 s"))
    assert "\x1b[" in drawn
    assert "level 1  extract" not in drawn


def test_an_interrupt_lets_the_run_go_on_and_says_so(
    environment: dict[str, str], platform: ScriptedPlatform
) -> None:
    platform.answer(202, ACCEPTED)
    platform.answer(200, a_status("RUNNING", a_step("RUNNING")))
    code, drawn = in_terminal(environment, "run", "daily", "--follow", interrupted_at="RUNNING")
    assert (code, "The run goes on: convergence status r-1" in drawn) == (130, True)
    assert "Traceback" not in drawn
    assert not [asked for asked in platform.asked if "/cancel/" in asked.target]


def test_an_interrupted_question_is_no_yes(environment: dict[str, str], platform: ScriptedPlatform) -> None:
    code, drawn = in_terminal(environment, "keys", "revoke", "k-1", interrupted_at="Revoke the key k-1?")
    assert (code, platform.asked) == (130, [])
    assert "Traceback" not in drawn


def test_without_a_terminal_there_are_lines_and_no_colours(
    environment: dict[str, str], platform: ScriptedPlatform
) -> None:
    platform.answer(202, ACCEPTED)
    platform.answer(200, a_status("COMPLETED", a_step("COMPLETED", duration_ms=900), duration_ms=1000))
    code, out, error = without_terminal(environment, "run", "daily", "--follow")
    assert (code, error) == (0, "the run is admitted: r-1\n")
    assert "level 1  extract  COMPLETED" in out
    assert "\x1b" not in out


def test_a_key_is_typed_unseen_and_kept_in_the_keyring(
    environment: dict[str, str], platform: ScriptedPlatform, tmp_path: Path
) -> None:
    platform.answer(200, QUOTA)
    del environment["CONVERGENCE_API_KEY"], environment["CONVERGENCE_URL"]
    typed = {"The platform's address": platform.url, "Key:": KEY}
    code, drawn = in_terminal(environment, "login", typed=typed)
    assert code == 0, drawn
    assert "acme, plan STARTER" in drawn
    assert KEY not in drawn
    assert KEY in (tmp_path / "keyring.json").read_text()
    assert [path.name for path in (tmp_path / "config").iterdir()] == ["profiles.json"]


def test_a_question_is_asked_on_a_terminal_and_no_is_no(
    environment: dict[str, str], platform: ScriptedPlatform
) -> None:
    code, drawn = in_terminal(environment, "keys", "revoke", "k-1", typed={"Revoke the key k-1?": "n"})
    assert (code, platform.asked) == (1, [])
    assert "Nothing is done." in drawn


@pytest.mark.parametrize(("arguments", "code"), [(("nope",), 2), (("run",), 2), (("quota", "--nope"), 2)])
def test_a_command_that_is_none_is_told_how_to_write_it(
    environment: dict[str, str], arguments: tuple[str, ...], code: int
) -> None:
    got, out, error = without_terminal(environment, *arguments)
    assert (got, out) == (code, "")
    assert "Usage: convergence" in error
    assert "Traceback" not in error


def test_every_command_is_listed(environment: dict[str, str]) -> None:
    code, out, _ = without_terminal(environment, "--help")
    assert code == 0
    listed = {line.split()[0] for line in out.partition("Commands:")[2].splitlines() if line.strip()}
    assert listed >= {
        *("login", "init", "validate", "diff", "deploy", "quote", "run", "status", "logs", "cancel", "retry"),
        *("backfill", "schedules", "history", "quota", "keys", "credentials", "open", "completion", "admin"),
        *("logs", "usage", "show", "quality", "graph", "test"),
    }


SILENT = {"login", "logout", "init", "completion", "tables delete", "credentials delete"}
"""Commands without an answer of the API's that they could show as JSON."""


def test_every_command_that_shows_something_shows_it_as_json() -> None:
    def commands(command: Any, name: str = "") -> Iterator[tuple[str, Any]]:
        inner = getattr(command, "commands", {})
        for word, one in inner.items():
            yield from commands(one, f"{name} {word}".strip())
        if name and (not inner or command.invoke_without_command):
            yield name, command

    known = dict(commands(typer.main.get_command(app)))
    without = {
        name
        for name, command in known.items()
        if not any("--json" in option.opts for option in command.params)
    }
    assert len(known) > 40
    assert without == SILENT


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_commands(environment: dict[str, str], shell: str) -> None:
    code, script, _ = without_terminal(environment, "completion", shell)
    assert (code, "_CONVERGENCE_COMPLETE" in script) == (0, True)


def test_completion_answers_a_shell(environment: dict[str, str]) -> None:
    asked = {"_CONVERGENCE_COMPLETE": "complete_bash", "COMP_WORDS": "convergence back", "COMP_CWORD": "1"}
    code, out, _ = without_terminal(environment | asked)
    assert (code, out.split()) == (0, ["backfill", "backfills"])


def test_the_package_is_whole(environment: dict[str, str], tmp_path: Path) -> None:
    """Build the wheel and work with nothing but what is in it."""
    build = (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist"))
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=PATIENCE_SECONDS)
    (wheel,) = (tmp_path / "dist").iterdir()
    with ZipFile(wheel) as packed:
        packed.extractall(tmp_path / "installed")
        (entry,) = (name for name in packed.namelist() if name.endswith("entry_points.txt"))
        assert "convergence = cli.app:main" in packed.read(entry).decode()
        assert not [name for name in packed.namelist() if name.startswith(("functions", "local", "tests"))]
    alone = environment | {"PYTHONPATH": str(tmp_path / "installed")}
    for arguments in (["init"], ["validate", "pipeline.yml"]):
        done = subprocess.run(
            [*COMMAND, *arguments], cwd=tmp_path, env=alone, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("redirection", "code", "told"),
    [("> /dev/full", 1, "the answer cannot be written: No space left on device"), (">&-", 0, "")],
)
def test_an_answer_that_cannot_be_written_is_told_in_a_line(
    environment: dict[str, str], redirection: str, code: int, told: str
) -> None:
    done = subprocess.run(  # noqa: S602 - the shell redirects
        f"{sys.executable} -m cli completion bash {redirection}",
        shell=True,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert (done.returncode, done.stderr.strip()) == (code, told)

"""`convergence` in this process: its arguments in, its exit code and what it printed out."""

import io
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import keyring
import pytest
from keyring.backends.fail import Keyring as NoKeyring

from cli.app import main
from tests.unit.cli.memory_keyring import FileKeyring
from tests.unit.client.server import ScriptedPlatform, scripted_platform

KEY = "acme_api_AbCdEfGhIjKlMnOp"


@dataclass(frozen=True)
class Outcome:
    """What a command came to."""

    code: int
    out: str
    error: str


type Convergence = Callable[..., Outcome]


@pytest.fixture
def platform() -> Iterator[ScriptedPlatform]:
    """Serve a platform whose answers the test lays down."""
    with scripted_platform() as served:
        yield served


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the user a home of its own, in which nothing is set, and a keyring."""
    for name in ("URL", "PROFILE", "API_KEY", "ADMIN_KEY", "TENANT", "PROJECT"):
        monkeypatch.delenv(f"CONVERGENCE_{name}", raising=False)
    monkeypatch.setenv("CONVERGENCE_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("TEST_KEYRING_FILE", str(tmp_path / "keyring.json"))
    monkeypatch.chdir(tmp_path)
    before = keyring.get_keyring()
    keyring.set_keyring(FileKeyring())  # type: ignore[no-untyped-call]
    yield tmp_path
    keyring.set_keyring(before)


@pytest.fixture
def no_keyring(home: Path) -> None:
    """Take the keyring away, as on a server."""
    keyring.set_keyring(NoKeyring())  # type: ignore[no-untyped-call]


@pytest.fixture
def convergence(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Convergence:
    """Return what runs a command."""

    def run(*arguments: str, given: str = "") -> Outcome:
        monkeypatch.setattr(sys, "argv", ["convergence", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(given))
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return Outcome(code=int(ended.value.code or 0), out=printed.out, error=printed.err)

    return run


@pytest.fixture
def here(platform: ScriptedPlatform, home: Path, monkeypatch: pytest.MonkeyPatch) -> ScriptedPlatform:
    """Point the command at the platform, with acme's key, by the environment."""
    monkeypatch.setenv("CONVERGENCE_URL", platform.url)
    monkeypatch.setenv("CONVERGENCE_API_KEY", KEY)
    return platform

"""The key ring of the local platform."""

from pathlib import Path

import pytest

from common.runs.level_messages import LevelKeys
from common.tenants.encryption import Keyring
from local.keyring import FILE, LEVELS_FILE, keyring_in, levels_keys_in


@pytest.fixture(autouse=True)
def no_ring_of_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_KEYRING", raising=False)
    monkeypatch.delenv("LEVELS_KEYS", raising=False)


def test_what_is_sealed_before_a_restart_can_be_opened_after_it(tmp_path: Path) -> None:
    sealed = Keyring.read(keyring_in(tmp_path)).seal(b"secret", "acme", "aws")
    assert Keyring.read(keyring_in(tmp_path)).open(sealed, "acme", "aws") == b"secret"


def test_the_ring_is_for_its_user_alone_and_another_folder_has_another(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    assert keyring_in(tmp_path) != keyring_in(tmp_path / "other")
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


def test_a_ring_of_the_users_own_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_KEYRING", "mine")
    assert keyring_in(tmp_path) == "mine"
    assert list(tmp_path.iterdir()) == []


def test_what_was_signed_before_a_restart_is_believed_after_it(tmp_path: Path) -> None:
    signature = LevelKeys(keys=(levels_keys_in(tmp_path),)).sign(b"level")
    LevelKeys(keys=(levels_keys_in(tmp_path),)).check(b"level", signature)
    assert (tmp_path / LEVELS_FILE).stat().st_mode & 0o077 == 0

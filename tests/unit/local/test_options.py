"""Where the local platform keeps its data."""

import tempfile
from pathlib import Path

import pytest

from local.demo import stage
from local.demo.stage import ephemeral_options, memory_folder
from local.options import options_from_environment


def test_data_that_is_thrown_away_is_not_in_the_folder_of_data_that_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    assert options_from_environment().data_dir == tmp_path
    monkeypatch.setenv("EPHEMERAL", "1")
    assert options_from_environment().data_dir == Path(tempfile.gettempdir()).resolve()


def test_the_demos_data_is_in_memory_where_there_is_room(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(stage, "MEMORY", tmp_path)
    monkeypatch.setattr(stage, "ROOM_BYTES", 1)
    assert ephemeral_options().data_dir == tmp_path


@pytest.mark.parametrize(("folder", "room_bytes"), [("missing", 1), ("", 2**80)])
def test_elsewhere_it_is_in_the_folder_of_temporary_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: str, room_bytes: int
) -> None:
    monkeypatch.setattr(stage, "MEMORY", tmp_path / folder)
    monkeypatch.setattr(stage, "ROOM_BYTES", room_bytes)
    assert memory_folder() is None
    assert ephemeral_options().data_dir == Path(tempfile.gettempdir())


@pytest.mark.parametrize(
    ("word", "is_ephemeral"),
    [("", False), ("0", False), ("False", False), ("no", False), ("off", False), ("1", True), ("TRUE", True)],
)
def test_data_is_thrown_away_by_a_word_for_yes_alone(
    monkeypatch: pytest.MonkeyPatch, word: str, is_ephemeral: bool
) -> None:
    monkeypatch.setenv("EPHEMERAL", word)
    assert options_from_environment().is_ephemeral is is_ephemeral


def test_a_word_that_is_neither_yes_nor_no_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EPHEMERAL", "perhaps")
    with pytest.raises(ValueError, match="EPHEMERAL is true or false, not 'perhaps'"):
        options_from_environment()

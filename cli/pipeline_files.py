"""Pipeline files on the user's machine: which there are, and which pipeline each of them is."""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from cli.exits import Exit
from cli.failures import CommandError
from cli.given_files import STANDARD_INPUT, read_bytes
from common.errors import ConvergenceError
from common.pipelines.documents import document_text

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # Where libyaml is there, ten times as fast.
_IN_SEQUENCE = "\0"  # No key: YAML has no such character.
SUFFIXES = frozenset({".yml", ".yaml"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineFile:
    """A file, as it would be uploaded."""

    path: Path
    config_id: str
    data: bytes

    @property
    def text(self) -> str:
        """Its text, as the platform keeps it; "" where it is none."""
        try:
            return document_text(self.data)
        except ConvergenceError:
            return ""

    @property
    def content_hash(self) -> str:
        """The hash by which the platform knows its text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def found_files(given: Sequence[Path]) -> list[PipelineFile]:
    """Read the files that are named, and the YAML files of folders; CommandError where there are none."""
    paths = dict.fromkeys(path for one in given for path in _paths(one))
    if not paths:
        raise CommandError(
            "there is no pipeline file",
            f"Name files, or a folder with files that end in {' or '.join(sorted(SUFFIXES))}.",
            Exit.USAGE,
        )
    return [read_file(path) for path in paths]


def read_file(path: Path) -> PipelineFile:
    """Read one file; CommandError where that cannot be done."""
    try:
        data = read_bytes(path)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror or error}", code=Exit.USAGE) from error
    return PipelineFile(path=path, config_id=config_id_of(data, path), data=data)


def config_id_of(data: bytes, path: Path) -> str:
    """Read a pipeline's ID in its file, or make one of the file's name; faults are told elsewhere."""
    return _declared_id(data) or re.sub(r"[^A-Za-z0-9_-]", "_", path.stem)


def _declared_id(data: bytes) -> str:
    """Read `pipeline.id`, "" where there is none; the file is read no further than that."""
    try:
        values = _scalars(yaml.parse(document_text(data), Loader=_LOADER))
        return next((value for keys, value in values if keys == ["pipeline", "id"]), "")
    except (ConvergenceError, yaml.YAMLError):
        return ""


def _scalars(events: Iterable[yaml.Event]) -> Iterator[tuple[list[str | None], str]]:
    """Yield each value that is no collection, with the keys under which it is."""
    keys: list[
        str | None
    ] = []  # Of each open mapping the key whose value comes next, None before there is one.
    for event in events:
        if isinstance(event, yaml.CollectionStartEvent):
            keys.append(None if isinstance(event, yaml.MappingStartEvent) else _IN_SEQUENCE)
            continue
        if isinstance(event, yaml.CollectionEndEvent):
            keys.pop()
        elif not isinstance(event, yaml.NodeEvent):
            continue
        elif keys and keys[-1] is None:
            keys[-1] = getattr(event, "value", "")  # An alias has none.
            continue
        else:
            yield list(keys), getattr(event, "value", "")
        if keys and keys[-1] != _IN_SEQUENCE:
            keys[-1] = None


def _paths(given: Path) -> Iterator[Path]:
    if given == STANDARD_INPUT or not given.is_dir():
        yield given
        return
    for folder, children, names in os.walk(given):
        children[:] = sorted(child for child in children if not child.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES:
                yield Path(folder, name)

"""Pipeline files on the user's machine: which there are, and which pipeline each of them is."""

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.exits import Exit
from cli.failures import CommandError
from common.errors import ConvergenceError
from common.pipelines.documents import document_text, read_document

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
        data = path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}", code=Exit.USAGE) from error
    return PipelineFile(path=path, config_id=config_id_of(data, path), data=data)


def config_id_of(data: bytes, path: Path) -> str:
    """Read a pipeline's ID in its file, or make one of the file's name; faults are told elsewhere."""
    try:
        pipeline = read_document(data, None).get("pipeline")
    except ConvergenceError:
        pipeline = None
    if isinstance(pipeline, dict) and pipeline.get("id"):
        return str(pipeline["id"])
    return re.sub(r"[^A-Za-z0-9_-]", "_", path.stem)


def _paths(given: Path) -> Iterator[Path]:
    if not given.is_dir():
        yield given
        return
    for folder, children, names in os.walk(given):
        children[:] = sorted(child for child in children if not child.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES:
                yield Path(folder, name)

"""What files would change: which are new, which are changed, which pipelines have no file."""

from collections.abc import Sequence
from dataclasses import dataclass

from cli.pipeline_files import PipelineFile
from common.client import Client


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """Files and pipelines, compared; `gone` are those to take away, `left` those to leave alone."""

    new: tuple[PipelineFile, ...]
    changed: tuple[PipelineFile, ...]
    unchanged: tuple[PipelineFile, ...]
    gone: tuple[str, ...]
    left: tuple[str, ...]

    @property
    def changes(self) -> int:
        """Count what would be other than it is."""
        return len(self.new) + len(self.changed) + len(self.gone)


def compared(client: Client, files: Sequence[PipelineFile], *, prunes: bool) -> Deployment:
    """Compare files with what the platform keeps, by the hash of their texts."""
    kept = {config["config_id"]: config["content_hash"] for config in client.configs.list()}
    known = [file for file in files if file.config_id in kept]
    without_file = tuple(sorted(kept.keys() - {file.config_id for file in files}))
    return Deployment(
        new=tuple(file for file in files if file.config_id not in kept),
        changed=tuple(file for file in known if kept[file.config_id] != file.content_hash),
        unchanged=tuple(file for file in known if kept[file.config_id] == file.content_hash),
        gone=without_file if prunes else (),
        left=() if prunes else without_file,
    )

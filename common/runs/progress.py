"""How far a run has come, for whoever is to continue, cancel or retry it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from common.pipelines.pipeline import Pipeline
from common.runs.level_messages import LevelMessage
from common.runs.ports import ConfigText
from common.runs.run import Run, RunStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The steps of a run that COMPLETED, whether any has begun, and when the run was last heard of."""

    completed: frozenset[str]
    has_begun: bool
    last_activity: datetime
    last_trouble: str = ""
    """What a step that is under way was last stopped by, "" where nothing did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRun:
    """A run with the config version that it was made from and its progress."""

    run: Run
    status: RunStatus
    config: ConfigText
    progress: Progress

    def message(self, compile_config: Callable[[str, ConfigText], Pipeline]) -> LevelMessage:
        """Make the message that delivers the run's current level once more."""
        compiled = compile_config(self.run.tenant_id, self.config)
        pipeline = compiled.restricted_to(self.run.step_ids)
        level = current_level(pipeline, self.progress.completed)
        return LevelMessage(run=self.run, pipeline=pipeline, level=level, continuation=1)


class ProgressReader(Protocol):
    """Where a run's progress is read."""

    def find(self, tenant_id: str, run_id: str, now: datetime) -> OpenRun | None:
        """Return a tenant's run, open or ended, None where it has none of that ID."""


def current_level(pipeline: Pipeline, completed: frozenset[str]) -> int:
    """Return the first level with a step that has not COMPLETED, or else the last: its end is missing.

    A step whose row says FAILED may have another attempt under way: only the level's worker can tell.
    """
    for number, level in enumerate(pipeline.levels, start=1):
        if any(step.id not in completed for step in level):
            return number
    return len(pipeline.levels)

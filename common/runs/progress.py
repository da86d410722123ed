"""How far a run has come, for sweeper, canceller and retrier: to continue, end or retry it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from common.costs.prices import sum_of
from common.errors import NotFound
from common.pipelines.pipeline import Pipeline, Retry, Step
from common.pipelines.plans import QueryJob
from common.runs.level_messages import LevelMessage
from common.runs.ports import ConfigText, StoredRun
from common.runs.run import Run, RunStatus, StepOutline, StepStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The steps of a run that COMPLETED, whether any has begun, and when the run was last heard of."""

    completed: frozenset[str]
    has_begun: bool
    last_activity: datetime
    skipped: frozenset[str] = frozenset()
    """The steps that were SKIPPED; where the run goes on, by the file's word."""
    reached_level: int = 0
    """The last level of which a step has begun: all before it are done, whatever came of their steps."""
    billed: Mapping[int, int | None] = field(default_factory=dict)
    """What jobs were billed for, by level; None where of one nobody knows it."""
    last_trouble: str = ""
    """What a step that is under way was last stopped by, "" where nothing did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRun:
    """A run with the config version that it was made from and its progress."""

    run: Run
    status: RunStatus
    config: ConfigText | None
    """None where that version cannot be found any more."""
    progress: Progress

    @property
    def state(self) -> RunStatus:
        """The state in the word that everybody is told: RUNNING from the first step on."""
        has_begun = self.status is RunStatus.PENDING and self.progress.has_begun
        return RunStatus.RUNNING if has_begun else self.status

    def compiled(self, compile_config: Callable[[str, ConfigText], Pipeline]) -> Pipeline:
        """Compile the run's version of its config, as a whole: InvalidInput where today's rules refuse it."""
        if self.config is None:
            raise NotFound(f"there is no version {self.run.config_version} of {self.run.config_id} any more")
        return compile_config(self.run.tenant_id, self.config)

    def message(self, compile_config: Callable[[str, ConfigText], Pipeline]) -> LevelMessage:
        """Make the message that delivers the run's current level once more; raises as `compiled` does."""
        return self._message(self.compiled(compile_config).restricted_to(self.run.step_ids))

    def ending_message(self, reason: str) -> LevelMessage:
        """Make the message that ends the run at its current level.

        It is made of what the run's row says: what today's rules would say of the config is no matter.
        """
        return self._message(_outlined(self.run), reason)

    def _message(self, pipeline: Pipeline, end_reason: str = "") -> LevelMessage:
        level = current_level(pipeline, self.progress)
        return LevelMessage(
            run=self.run,
            pipeline=pipeline,
            level=level,
            continuation=1,
            states=self._states_before(pipeline, level),
            bytes_billed=self._billed_before(level),
            end_reason=end_reason,
        )

    def _states_before(self, pipeline: Pipeline, level: int) -> dict[str, str]:
        """Return what earlier steps came to that did not complete: the run went on after them."""
        earlier = (step.id for steps in pipeline.levels[: level - 1] for step in steps)
        return {
            step_id: (StepStatus.SKIPPED if step_id in self.progress.skipped else StepStatus.FAILED).value
            for step_id in earlier
            if step_id not in self.progress.completed
        }

    def _billed_before(self, level: int) -> int | None:
        return sum_of([billed for number, billed in self.progress.billed.items() if number < level])


class ProgressReader(Protocol):
    """Where a run's progress is read."""

    def find(self, tenant_id: str, run_id: str, now: datetime) -> OpenRun | None:
        """Return a tenant's run, open or ended, None where it has none of that ID."""


def present_state(reader: ProgressReader, stored: StoredRun, now: datetime) -> RunStatus:
    """Return the state of a run in the word that everybody is told; its rows do not say that it has begun."""
    if stored.status is not RunStatus.PENDING:
        return stored.status
    found = reader.find(stored.run.tenant_id, stored.run.run_id, now)
    return found.state if found else stored.status


def current_level(pipeline: Pipeline, progress: Progress) -> int:
    """Return the first level with a step that has not COMPLETED, or else the last: its end is missing.

    A step whose row says FAILED may have another attempt under way: only the level's worker can tell. It has
    told where a later level has begun.
    """
    for number, level in enumerate(pipeline.levels, start=1):
        if number >= progress.reached_level and any(step.id not in progress.completed for step in level):
            return number
    return len(pipeline.levels)


def _outlined(run: Run) -> Pipeline:
    """Return as much of a run's pipeline as it takes to end it; rows of long ago tell less."""
    outlines = {outline.step_id: outline for outline in run.steps}
    levels = tuple(
        tuple(_step(outlines.get(step_id, StepOutline(step_id=step_id)), number) for step_id in level)
        for number, level in enumerate(run.levels, start=1)
    )
    return Pipeline(
        tenant_id=run.tenant_id,
        config_id=run.config_id,
        version=run.config_version,
        name=run.config_id,
        levels=levels,
        is_isolated=run.is_isolated,
    )


def _step(outline: StepOutline, level: int) -> Step:
    return Step(
        id=outline.step_id,
        ps_type=outline.ps_type,
        index=outline.index,
        level=level,
        jobs=tuple(QueryJob(name=name, sql="", destination=outline.target_table) for name in outline.jobs),
        target_table=outline.target_table,
        retry=Retry(attempts=outline.attempts),
        credential=outline.credential,
    )

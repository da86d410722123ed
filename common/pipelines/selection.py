"""Steps that are chosen of a pipeline: those named, what they depend on, what depends on them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from common.errors import InvalidInput, Violation
from common.pipelines.levels import unknown_step
from common.pipelines.pipeline import Pipeline

MAX_CHOSEN = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSelection:
    """The steps that a run is to carry out, and no others."""

    steps: tuple[str, ...]
    upstream: bool = False
    """Whether all that they depend on runs too."""
    downstream: bool = False
    """Whether all that depends on them runs too."""

    @property
    def content(self) -> tuple[list[str], bool, bool]:
        """What is chosen, the same for every order of the steps."""
        return sorted(set(self.steps)), self.upstream, self.downstream

    def of(self, pipeline: Pipeline) -> frozenset[str]:
        """Return the IDs of the chosen steps of a pipeline; InvalidInput names those that are none of its."""
        known = {step.id: step for step in pipeline.steps}
        violations = [
            Violation(f"/steps/{index}", unknown_step(step_id, known))
            for index, step_id in enumerate(self.steps)
            if step_id not in known
        ]
        if violations:
            raise InvalidInput(violations, f"version {pipeline.version} of the pipeline has no such step")
        chosen = frozenset(self.steps)
        before = preceding(pipeline, chosen) if self.upstream else chosen
        after = following(pipeline, chosen) if self.downstream else chosen
        return before | after


def read_selection(body: Mapping[str, Any]) -> StepSelection | None:
    """Read what a run request chooses, None where that is all; InvalidInput where it breaks rules."""
    steps = body.get("steps")
    if steps is None:
        rule = "is of use beside `steps` only: name steps, or leave it out"
        if violations := [
            Violation(f"/{name}", rule) for name in ("upstream", "downstream") if body.get(name)
        ]:
            raise InvalidInput(violations, "the run request breaks rules")
        return None
    if not 1 <= len(steps) <= MAX_CHOSEN or not all(isinstance(step, str) for step in steps):
        rule = f"must be 1 to {MAX_CHOSEN} IDs of steps, as texts"
        raise InvalidInput([Violation("/steps", rule)], "the run request breaks rules")
    return StepSelection(
        steps=tuple(steps),
        upstream=body.get("upstream", False),
        downstream=body.get("downstream", False),
    )


def following(pipeline: Pipeline, step_ids: Collection[str]) -> frozenset[str]:
    """Return steps with all that depend on them, by one step or by several; levels are in that order."""
    found = set(step_ids)
    for step in pipeline.steps:
        if found & set(step.depends_on):
            found.add(step.id)
    return frozenset(found)


def preceding(pipeline: Pipeline, step_ids: Collection[str]) -> frozenset[str]:
    """Return steps with all that they depend on, by one step or by several; levels are in that order."""
    found = set(step_ids)
    for step in reversed(pipeline.steps):
        if step.id in found:
            found.update(step.depends_on)
    return frozenset(found)

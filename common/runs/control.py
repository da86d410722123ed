"""What a level's steps do by the file's word: which are skipped, which failures end the run, and how it ends.

All of it follows from the message: its pipeline, its run's parameters, and the states of earlier steps, which
travel with it. So each delivery of a level decides the same.
"""

from collections.abc import Iterable, Mapping, Sequence

from common.pipelines.conditions import Facts, read_condition
from common.pipelines.pipeline import OnFailure, Pipeline, Step
from common.runs.attempts import Outcome
from common.runs.level_messages import LevelMessage
from common.runs.run import StepStatus


def steps_of(message: LevelMessage) -> tuple[list[Step], list[Step]]:
    """Return which steps of the message's level are carried out, and which are skipped."""
    skipped = [step for step in message.steps if _is_skipped(message, step)]
    return [step for step in message.steps if step not in skipped], skipped


def later_steps(message: LevelMessage) -> list[Step]:
    """Return the steps of the levels after the message's."""
    return [step for level in message.pipeline.levels[message.level :] for step in level]


def _is_skipped(message: LevelMessage, step: Step) -> bool:
    """Tell whether a step is skipped: by its condition, or where it has none by those that it depends on."""
    if step.run_if:
        values = {one.name: one.value for one in message.run.parameters}
        types = {one.name: one.type for one in message.run.parameters}
        return not read_condition(step.run_if, types).holds(Facts(values=values, states=message.states))
    return any(_holds_up(message, other) for other in step.depends_on)


def _holds_up(message: LevelMessage, step_id: str) -> bool:
    state = message.states.get(step_id)
    return state == StepStatus.SKIPPED or (
        state == StepStatus.FAILED and _on_failure(message.pipeline, step_id) is OnFailure.SKIP_DEPENDENTS
    )


def ends_run(outcome: Outcome) -> bool:
    """Tell whether a run ends by what a step came to: it failed, and the file lets nothing go on after it."""
    if outcome.status is StepStatus.FAILED:
        return outcome.step.on_failure is OnFailure.STOP
    return outcome.status not in {StepStatus.COMPLETED, None}


def states_after(
    message: LevelMessage, outcomes: Sequence[Outcome], skipped: Iterable[Step]
) -> dict[str, str]:
    """Return the states that go on to the next level: of steps that did not complete."""
    failed = {one.step.id: one.status.value for one in outcomes if one.status is StepStatus.FAILED}
    return message.states | failed | {step.id: StepStatus.SKIPPED.value for step in skipped}


def lost_steps(pipeline: Pipeline, states: Mapping[str, str]) -> list[str]:
    """List the steps whose failure is the run's, though all that does not depend on them was carried out."""
    return [
        step.id
        for step in pipeline.steps
        if states.get(step.id) == StepStatus.FAILED and step.on_failure is OnFailure.SKIP_DEPENDENTS
    ]


def series_of(steps: Sequence[Step], max_parallel: int) -> list[Sequence[Step]]:
    """Divide steps in as many series as may run at once; each delivery divides them in the same way."""
    return [steps[first::max_parallel] for first in range(min(max_parallel, len(steps)))]


def _on_failure(pipeline: Pipeline, step_id: str) -> OnFailure:
    return next((step.on_failure for step in pipeline.steps if step.id == step_id), OnFailure.STOP)

"""What is told of a run: which of its states are news, and in which words."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from common.quality.check_queries import CheckView
from common.quality.verdicts import CheckStatus
from common.runs.failures import FailureClass, failure_class
from common.runs.run import RunStatus, StepStatus
from common.runs.views import RunDetails

MAX_CAUSE_CHARACTERS = 2000


class News(StrEnum):
    """What can be asked to be told of."""

    START = "start"
    SUCCESS = "success"
    FAILURE = "failure"
    RECOVERY = "recovery"
    WARNING = "warning"
    LATE = "late"


OF_STATES = {
    RunStatus.RUNNING: News.START,
    RunStatus.COMPLETED: News.SUCCESS,
    RunStatus.FAILED: News.FAILURE,
}
"""What a state of a run is; recovery is a success behind a failure, a warning one that has more to say."""
_WORDS = {
    News.START: "has begun",
    News.SUCCESS: "has completed",
    News.FAILURE: "has failed",
    News.RECOVERY: "has completed, after a failure before",
    News.WARNING: "has completed, with warnings",
    News.LATE: "is late",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why a run failed or warns: at which step, whose fault it is, in whose words, and what to do next."""

    step: str | None
    error_class: str | None
    message: str
    job_id: str | None
    next_step: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One piece of news of one run."""

    news: News
    run: Mapping[str, Any] = field(repr=False)
    """The event, as run-events has it."""
    cause: Cause | None = None

    @property
    def title(self) -> str:
        """Say in one line what has happened."""
        return f"{self.run['pipeline_id']} {_WORDS[self.news]}"

    @property
    def text(self) -> str:
        """Say it for people, in a few lines."""
        if self.news is News.LATE:
            return f"{self.title}: no run has completed by {self.run['by']}.\n{self.run['links']['history']}"
        lines = [f"{self.title}, for {self.run['run_date']} (run {self.run['pipeline_logging_id']})."]
        if self.cause:
            at = f"Step {self.cause.step}: " if self.cause.step else ""
            lines.append(f"{at}{self.cause.message}")
            lines += [f"Next: {self.cause.next_step}"] if self.cause.next_step else []
        return "\n".join([*lines, str(self.run["links"]["status"])])

    @property
    def body(self) -> dict[str, Any]:
        """Say it for programs."""
        names = (
            "tenant_id",
            "pipeline_id",
            "config_version",
            "pipeline_logging_id",
            "status",
            "trigger_type",
            "run_date",
            "interval_start",
            "interval_end",
            "by",
            "occurred_at",
            "links",
        )
        cause = self.cause
        told = (
            {
                "step": cause.step,
                "error_class": cause.error_class,
                "message": cause.message,
                "job_id": cause.job_id,
                "next_step": cause.next_step,
            }
            if cause
            else None
        )
        return {"event": self.news.value, **{name: self.run.get(name) for name in names}, "cause": told}


def warning_of(run: RunDetails, checks: Callable[[], Sequence[CheckView]]) -> Cause | None:
    """Say what a run that has completed warns of, None where it does not.

    A step may fail where its file lets the run go on; `checks` reads what came of those of the run.
    """
    if any(step.status is StepStatus.FAILED for step in run.steps):
        return cause_of(run)
    warned = [one for one in checks() if one.status is CheckStatus.WARNED]
    if not warned:
        return None
    said = "; ".join(
        f"check {one.name} of step {one.step_id}: {one.observed}, expected {one.expected}" for one in warned
    )
    return Cause(
        step=warned[0].step_id,
        error_class=FailureClass.YOUR_DATA.value,
        message=said[:MAX_CAUSE_CHARACTERS],
        job_id=warned[0].job_id,
        next_step=None,
    )


def cause_of(run: RunDetails) -> Cause:
    """Say why a run failed: by its first step that did, or by its own end."""
    step = next((step for step in run.steps if step.status is StepStatus.FAILED), None)
    told = step or run
    message = (told.error_message or run.error_message or "")[:MAX_CAUSE_CHARACTERS]
    found = failure_class(told.error_reason or "", message)
    return Cause(
        step=step.step_id if step else None,
        error_class=found.value if found else None,
        message=message,
        job_id=step.job_id if step else None,
        next_step=found.next_step if found else None,
    )

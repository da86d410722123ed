"""Runs as they are looked at: one among others, one with its levels and steps, and the jobs that it made.

What a view does not know is None. The answers of HTTP are made of views at the edge.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Self

from common.quality.check_queries import CheckView
from common.runs.run import RunStatus, StepStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """A step as its latest attempt tells it; PENDING where it has no row yet."""

    step_id: str
    status: StepStatus = StepStatus.PENDING
    ps_type: str | None = None
    attempt: int | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    duration_ms: int | None = None
    rows_processed: int | None = None
    bytes_processed: int | None = None
    bytes_billed: int | None = None
    job_id: str | None = None
    job_project: str | None = None
    """The tenant's project in which the job ran; None is the platform's own."""
    job_name: str | None = None
    target_table: str | None = None
    error_reason: str | None = None
    error_message: str | None = None
    checks: tuple[CheckView, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelView:
    """A level, its number counted from 1."""

    number: int
    steps: tuple[StepView, ...]

    @property
    def status(self) -> StepStatus:
        """Sum up the states of its steps in one word."""
        return level_status({step.status for step in self.steps})


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What the steps of a run have come to; bytes billed are the platform's."""

    rows_processed: int | None = None
    bytes_processed: int | None = None
    bytes_billed: int | None = None
    own_project_bytes_billed: int | None = None

    @classmethod
    def of(cls, steps: Sequence[StepView]) -> Self:
        """Sum up steps; None where none of them says anything."""
        return cls(
            rows_processed=_sum(step.rows_processed for step in steps),
            bytes_processed=_sum(step.bytes_processed for step in steps),
            bytes_billed=_sum(step.bytes_billed for step in steps if not step.job_project),
            own_project_bytes_billed=_sum(step.bytes_billed for step in steps if step.job_project),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedFirings:
    """How many firings of a schedule one entry stands for, and of which times."""

    count: int
    first_time: datetime
    last_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """A run as lists show it: one that waits, or firings that were refused, too."""

    run_id: str
    tenant_id: str
    config_id: str
    status: RunStatus
    started_at: datetime
    config_version: int | None = None
    trigger_type: str | None = None
    trigger_by: str | None = None
    queued_at: datetime | None = None
    ended_at: datetime | None = None
    duration_ms: int | None = None
    run_date: date | None = None
    interval_start: datetime | None = None
    interval_end: datetime | None = None
    error_message: str | None = None
    retry_of: str | None = None
    retried_by: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    refused_firings: RefusedFirings | None = None
    figures: Figures | None = None
    """None where nobody has asked for them."""

    @property
    def asked_at(self) -> datetime:
        """When it was asked for: its place in the history."""
        return self.queued_at or self.started_at


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDetails(RunView):
    """A run with its levels and steps."""

    error_reason: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """The values as they may be shown."""
    levels: tuple[LevelView, ...] = ()
    has_checks: bool = False
    """Whether any of its steps checks anything."""

    @property
    def steps(self) -> tuple[StepView, ...]:
        """The steps of all levels."""
        return tuple(step for level in self.levels for step in level.steps)

    def with_checks(self, checks: Sequence[CheckView]) -> Self:
        """Return it with what came of its checks beside their steps."""
        levels = tuple(
            replace(level, steps=tuple(_with_checks(step, checks) for step in level.steps))
            for level in self.levels
        )
        return replace(self, levels=levels)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptView:
    """One attempt of one job of a step, as BigQuery's own records can be held against it."""

    step_id: str
    level: int
    attempt: int
    status: str
    job_id: str | None
    job_name: str
    job_project: str | None = None
    target_table: str | None = None
    statement_hash: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    rows_processed: int | None = None
    bytes_processed: int | None = None
    bytes_billed: int | None = None
    error_reason: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """What else BigQuery says of the job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A run with every job that it made in BigQuery."""

    run: RunDetails
    attempts: tuple[AttemptView, ...]


def levels_of(outline: Sequence[Sequence[str]], steps: Iterable[StepView]) -> tuple[LevelView, ...]:
    """Arrange steps as a run's outline has them; those without a row of their own are PENDING."""
    known = {step.step_id: step for step in steps}
    return tuple(
        LevelView(
            number=number,
            steps=tuple(known.get(step_id, StepView(step_id=step_id)) for step_id in step_ids),
        )
        for number, step_ids in enumerate(outline, start=1)
    )


def level_status(states: set[StepStatus]) -> StepStatus:
    """Sum up the states of a level's steps in one word."""
    for status in (StepStatus.RUNNING, StepStatus.FAILED, StepStatus.CANCELLED):
        if status in states:
            return status
    if len(states) == 1:
        return next(iter(states))
    return StepStatus.RUNNING


def _with_checks(step: StepView, checks: Sequence[CheckView]) -> StepView:
    return replace(step, checks=tuple(check for check in checks if check.step_id == step.step_id))


def _sum(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None

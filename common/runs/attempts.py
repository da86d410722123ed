"""Attempts of a step's jobs, what becomes of the step by them, and the rows that tell of it."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from common.costs.prices import sum_of
from common.errors import Unavailable
from common.pipelines.pipeline import Step
from common.quality.results import CheckResult
from common.runs.ports import JobReport
from common.runs.run import StepRow, StepStatus
from common.runs.step_jobs import BEGINNING, Position
from common.times import Clock

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt of one of a step's jobs; `is_attached`: an earlier delivery of this level had made it."""

    step: Step
    position: Position
    report: JobReport
    is_attached: bool = False
    trouble: Unavailable | None = None
    """What kept it from beginning, and may pass: the level is to be delivered again."""
    results: tuple[CheckResult, ...] = ()
    """What came of the checks, where this is their job and it is done."""

    @property
    def is_at_last_job(self) -> bool:
        """Tell whether the step is done with this job."""
        return self.position.job == len(self.step.jobs) - 1

    @property
    def status(self) -> StepStatus:
        """The state that the step is in by what a job came to."""
        if self.report.has_failed:
            return StepStatus.CANCELLED if self.report.error_reason == "stopped" else StepStatus.FAILED
        return StepStatus.COMPLETED if self.is_at_last_job else StepStatus.RUNNING

    def row(self, clock: Clock) -> StepRow:
        """Write down what the job came to."""
        return step_row(self.step, self.position, self.status, self.report, clock)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a step, with a row for each job of it that has ended.

    No `status` where time was too short, or where a `trouble` that may pass has stopped it; then an attempt
    that is under way has a row too, so that the sweeper hears of it.
    """

    step: Step
    status: StepStatus | None
    rows: tuple[StepRow, ...]
    trouble: Unavailable | None = None
    results: tuple[CheckResult, ...] = ()
    """What came of its checks, as far as they are done."""

    @property
    def error(self) -> str:
        """Why the step failed, in BigQuery's or the firewall's words."""
        return self.rows[-1].error_message if self.rows else ""


def step_row(step: Step, position: Position, status: StepStatus, report: JobReport, clock: Clock) -> StepRow:
    """Write down what a job's report says of a step."""
    work = step.jobs[position.job]
    return StepRow(
        step_id=step.id,
        ps_type=step.ps_type,
        index=step.index,
        level=step.level,
        attempt=position.attempt,
        status=status,
        started_at=report.started_at or clock(),
        ended_at=(report.ended_at or clock()) if report.is_done else None,
        job_id=report.job_id,
        job_name=work.name,
        job_index=position.job,
        target_table=step.target_table,
        statement_hash=hashlib.sha256(work.sql.encode()).hexdigest() if work.sql else "",
        rows=report.rows,
        bytes_processed=report.bytes_processed,
        bytes_billed=report.bytes_billed,
        error_reason=report.error_reason,
        error_message=report.error_message,
        job_project=report.project,
        metadata=_metadata(report),
    )


def _metadata(report: JobReport) -> Mapping[str, str | int | bool]:
    told = {"files": report.files, "bytes_estimated": report.bytes_estimated}
    return {**report.details, **{name: figure for name, figure in told.items() if figure is not None}}


def running_row(step: Step, position: Position, report: JobReport, clock: Clock) -> StepRow:
    """Write down that an attempt is under way."""
    return replace(step_row(step, position, StepStatus.RUNNING, report, clock), ended_at=None)


def underway_row(attempt: Attempt, clock: Clock) -> StepRow:
    """Write down that an attempt is under way, and what has stopped it for now."""
    report = attempt.report
    if attempt.trouble:
        reason = attempt.trouble.reason
        report = replace(report, error_reason=reason, error_message=tried_again(attempt.trouble))
    return running_row(attempt.step, attempt.position, report, clock)


def waiting_row(attempt: Attempt, clock: Clock) -> StepRow:
    """Write down that a step goes on once a limit of BigQuery's is over."""
    report = attempt.report
    logger.info("step waits for a limit of BigQuery", extra={"step": attempt.step.id})
    said = f"waits for a limit of BigQuery: {report.error_message}"
    return running_row(attempt.step, attempt.position, replace(report, error_message=said), clock)


def cancelled(attempt: Attempt, rows: list[StepRow], clock: Clock) -> Outcome:
    """End a step that was to go on: what its run has failed by is that it was cancelled."""
    status = StepStatus.CANCELLED
    if not rows or rows[-1].status is StepStatus.RUNNING:
        rows.append(step_row(attempt.step, attempt.position, status, attempt.report, clock))
    return Outcome(step=attempt.step, status=status, rows=tuple(rows))


def bytes_billed(rows: Sequence[StepRow]) -> int | None:
    """Sum up what the platform's project was billed for jobs; None where of one of them nobody knows it.

    BigQuery bills nothing for a query that ends in an error, and something for one that is stopped. A step
    that failed by its checks has a job that did well.
    """
    ours = {row.job_id: row for row in rows if row.job_id and not row.job_project}
    return sum_of([_billed(row) for row in ours.values()])


def _billed(row: StepRow) -> int | None:
    is_free = row.bytes_billed is None and row.status is StepStatus.FAILED
    return 0 if is_free else row.bytes_billed


def stopped_row(step: Step, report: JobReport, clock: Clock, position: Position = BEGINNING) -> StepRow:
    """Write down what a step came to whose run ends: its last job may have done well before that."""
    attempt = Attempt(step=step, position=position, report=report)
    completed = report.is_done and not report.has_failed and attempt.is_at_last_job
    status = StepStatus.COMPLETED if completed else StepStatus.CANCELLED
    return step_row(step, position, status, replace(report, is_done=True), clock)


def skipped_row(step: Step, clock: Clock) -> StepRow:
    """Write down that a step will never be tried."""
    now = clock()
    return StepRow(
        step_id=step.id,
        ps_type=step.ps_type,
        index=step.index,
        level=step.level,
        attempt=0,
        status=StepStatus.SKIPPED,
        started_at=now,
        ended_at=now,
        target_table=step.target_table,
    )


def tried_again(error: Exception) -> str:
    """Say what has stopped a step that goes on by itself."""
    return f"is tried again: {error}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """What follows on a job that has ended, and when."""

    position: Position
    due: datetime

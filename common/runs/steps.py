"""Carrying out one step: guard, submit or attach, wait, and try again where the failure may pass."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from common.claims import says_of_itself
from common.errors import AlreadyExists, Conflict, QueryRefused, Unavailable
from common.pipelines.pipeline import Step
from common.runs.guarding import Guard, guarded_dry_run
from common.runs.level_messages import LevelMessage
from common.runs.ports import JobReport, JobsOf, StepJob
from common.runs.retries import is_retryable, pause_before
from common.runs.run import StepRow, StepStatus
from common.runs.step_jobs import job_id, labels, running_row, step_job, step_row
from common.times import Clock

logger = logging.getLogger(__name__)

SHORTEST_POLL = timedelta(milliseconds=50)
LONGEST_POLL = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt of a step; `is_attached`: an earlier delivery of this level had made the job."""

    step: Step
    number: int
    report: JobReport
    is_attached: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a step, with a terminal row for each attempt that has ended.

    No `status` where time was too short; then an attempt that is under way has a row too, so that the sweeper
    hears of it.
    """

    step: Step
    status: StepStatus | None
    rows: tuple[StepRow, ...]

    @property
    def error(self) -> str:
        """Why the step failed, in BigQuery's or the firewall's words."""
        return self.rows[-1].error_message if self.rows else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepWorker:
    """Carries out steps of one level message until `deadline`.

    The walk from attempt to attempt holds no state of its own: whoever repeats it after a crash finds the
    same jobs.
    """

    message: LevelMessage
    jobs_of: JobsOf
    guard: Guard
    is_cancelled: Callable[[], bool]
    clock: Clock
    sleep: Callable[[float], None]
    deadline: datetime

    def begin(self, step: Step) -> Attempt:
        """Start the step's first attempt, or attach to it."""
        return self._launch(step, 1)

    def finish(self, attempt: Attempt) -> Outcome:
        """Follow a step to its end, through retries; give up when time is short, the jobs keep running."""
        rows: list[StepRow] = []
        step = attempt.step
        while (report := self._wait(attempt)).is_done:
            status = _status(report)
            rows.append(step_row(step, attempt.number, status, report, self.clock))
            if not self._is_worth_another(attempt, report):
                return Outcome(step=step, status=status, rows=tuple(rows))
            due = (report.ended_at or self.clock()) + pause_before(
                attempt.number + 1, step.retry, report.job_id
            )
            # The pause goes on in the next call; to hand over before our time is up would spin.
            self._sleep_until(min(due, self.deadline))
            if due >= self.deadline:
                return Outcome(step=step, status=None, rows=tuple(rows))
            attempt = self._launch(step, attempt.number + 1)
        rows.append(running_row(step, attempt.number, report, self.clock))
        return Outcome(step=step, status=None, rows=tuple(rows))

    def _launch(self, step: Step, number: int) -> Attempt:
        job = step_job(self.message, step, number)
        try:
            if self.message.continuation and (known := self._find(step, job.job_id)):
                return Attempt(step=step, number=number, report=known, is_attached=True)
            if refusal := self._refusal(step, job):
                # An earlier delivery may have run the job while the guard still let it pass.
                known = self._earlier(step, job.job_id)
                return Attempt(step=step, number=number, report=known or refusal, is_attached=bool(known))
            return Attempt(step=step, number=number, report=self.jobs_of(step).submit(job))
        except AlreadyExists:
            return self._attached(step, number, job)
        except QueryRefused as refused:
            return Attempt(step=step, number=number, report=_refused(job, refused.reason, str(refused)))

    def _refusal(self, step: Step, job: StepJob) -> JobReport | None:
        """Judge the statement right before it runs: BigQuery's dry run says what it is and reads."""
        try:
            jobs = self.jobs_of(step)
            jobs.prepare(job, guarded_dry_run(jobs, job, self.guard))
        except QueryRefused as refused:
            return _refused(job, refused.reason, str(refused))
        return None

    def _attached(self, step: Step, number: int, job: StepJob) -> Attempt:
        try:
            report = self._held_by_us(step, job)
        except QueryRefused as refused:
            report = _refused(job, refused.reason, str(refused))
        return Attempt(step=step, number=number, report=report, is_attached=True)

    def _held_by_us(self, step: Step, job: StepJob) -> JobReport:
        report = self._find(step, job.job_id)
        if report is None:
            raise Unavailable("a step's job ID is taken and its job cannot be read yet")
        if not says_of_itself(report.labels, labels(self.message.run, step)):
            raise Conflict(f"the job {job.job_id} is not this step's")
        return report

    def _earlier(self, step: Step, job_id: str) -> JobReport | None:
        try:
            return self._find(step, job_id)
        except QueryRefused:  # The step was refused already, and has that to say.
            return None

    def _find(self, step: Step, job_id: str) -> JobReport | None:
        """Look at a job. Where a tenant's own account may not any more: QueryRefused, which ends the step.

        The platform's own will be able to again: Unavailable, which has the message delivered again.
        """
        try:
            return self.jobs_of(step).find(job_id)
        except QueryRefused as refused:
            if step.credential:
                raise
            raise Unavailable(f"a step's job cannot be looked at: {refused}", refused.reason) from refused

    def _wait(self, attempt: Attempt) -> JobReport:
        report, pause = attempt.report, SHORTEST_POLL
        while not report.is_done and self.clock() + pause < self.deadline:
            self.sleep(pause.total_seconds())
            pause = min(pause * 2, LONGEST_POLL)
            try:
                report = self._find(attempt.step, report.job_id) or report
            except QueryRefused as refused:
                reason = refused.reason or "invalid"
                return replace(report, is_done=True, error_reason=reason, error_message=str(refused))
        return report

    def _is_worth_another(self, attempt: Attempt, report: JobReport) -> bool:
        return (
            report.has_failed
            and attempt.number < attempt.step.retry.attempts
            and is_retryable(report.error_reason, report.error_message)
            and not self.is_cancelled()
        )

    def _sleep_until(self, due: datetime) -> None:
        seconds = (due - self.clock()).total_seconds()
        if seconds > 0:
            self.sleep(seconds)


def attempts_of(message: LevelMessage, step: Step) -> list[str]:
    """Name every job that a step of this run can have had, the latest first."""
    return [job_id(message.run.run_id, step.id, number) for number in range(step.retry.attempts, 0, -1)]


def _status(report: JobReport) -> StepStatus:
    if not report.has_failed:
        return StepStatus.COMPLETED
    return StepStatus.CANCELLED if report.error_reason == "stopped" else StepStatus.FAILED


def _refused(job: StepJob, reason: str, message: str) -> JobReport:
    return JobReport(
        job_id="", is_done=True, labels=job.labels, error_reason=reason or "invalid", error_message=message
    )

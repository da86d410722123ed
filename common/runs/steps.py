"""Carrying out one step, job by job: guard, submit or attach, wait, try again where a failure may pass."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from common.claims import last_in_order, says_of_itself
from common.errors import AlreadyExists, Conflict, Unavailable, WarehouseError
from common.pipelines.pipeline import Step
from common.pipelines.plans import CheckJob, FilesLoadedJob, QueryJob
from common.quality.results import CheckResult
from common.runs.advice import with_advice, with_place
from common.runs.allowances import BUDGET_EXCEEDED, with_estimate, within
from common.runs.attempts import Attempt, Next, Outcome, bytes_billed, cancelled, underway_row, waiting_row
from common.runs.guarding import Guard, Judgement, guarded_dry_run, not_begun, refused_by
from common.runs.incremental import PROTECTED, SCHEMA_CHANGED, resolved
from common.runs.judging import CHECKS_FAILED, CheckJudge, ends_step
from common.runs.level_messages import LevelMessage
from common.runs.ports import DryRun, JobReport, JobsOf, StepJob
from common.runs.released_files import release_files
from common.runs.retries import is_limit, is_retryable, pause_before, pause_for_limit
from common.runs.run import StepRow
from common.runs.step_jobs import (
    BEGINNING,
    Position,
    as_kept,
    job_id_at,
    labels,
    names_of_tables,
    step_job,
)
from common.times import Clock

logger = logging.getLogger(__name__)

MAX_POLL_SECONDS = 10.0
"""How long BigQuery is asked to wait for a query's end in one request."""
TOLD_AFTER_SECONDS = 5.0
"""How long a job of a later level is under way before its run's rows say so."""
PART_OF_WAITED = 0.1
SHORTEST_PAUSE_SECONDS = 0.05
"""Who has to ask again and again asks after a tenth of the time that the job has taken so far."""
OWN_REASONS = frozenset(
    {"firewall", "credential", "secretNotOpened", "stopped", SCHEMA_CHANGED, PROTECTED, CHECKS_FAILED}
) | {BUDGET_EXCEEDED}
"""Reasons of the platform's own, and of those who stop jobs: they need no advice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepWorker:
    """Carries out steps of one level message until `deadline`.

    The walk takes the first job of a step's plan that has no successful attempt, and holds no state of its
    own: a delivery that repeats it after a crash finds the same jobs. Whatever BigQuery answers to a step's
    job ends the step, but for what may pass by itself.
    """

    message: LevelMessage
    jobs_of: JobsOf
    guard: Guard
    check_judge: CheckJudge
    is_cancelled: Callable[[], bool]
    clock: Clock
    sleep: Callable[[float], None]
    deadline: datetime
    tell: Callable[[], None]
    """Says that the level's jobs are under way; called where they take long."""

    def judge(self, step: Step) -> Judgement | None:
        """Judge the step's first job; None where an earlier call may have begun it, which is seen first."""
        return None if self.message.continuation else self.judge_now(step)

    def judge_now(self, step: Step) -> Judgement:
        """Judge the step's first job, whether it has begun or not."""
        try:
            return self._judged(step, step_job(self.message, step))
        except Unavailable as error:
            return error

    def begin(self, step: Step, judged: Judgement | None = None) -> Attempt:
        """Start the step's first job, which has been judged just now, or attach to it."""
        return self._launch(step, BEGINNING, judged)

    def finish(self, attempt: Attempt) -> Outcome:
        """Follow a step to its end, job by job; give up when time is short, the jobs keep running."""
        results: list[CheckResult] = []
        return replace(self._followed(attempt, results), results=tuple(results))

    def _followed(self, attempt: Attempt, results: list[CheckResult]) -> Outcome:
        rows: list[StepRow] = []
        try:
            while not attempt.trouble and (attempt := self._checked(self._wait(attempt))).report.is_done:
                results += attempt.results
                following = self._next(attempt)
                if following is None:
                    return self._ended(attempt, rows)
                went_on = self._go_on(attempt, following, rows)
                if isinstance(went_on, Outcome):
                    return went_on
                attempt = went_on
        except Unavailable as error:
            attempt = replace(attempt, trouble=error)
        rows.append(underway_row(attempt, self.clock))
        return Outcome(step=attempt.step, status=None, rows=tuple(rows), trouble=attempt.trouble)

    def _go_on(self, attempt: Attempt, following: Next, rows: list[StepRow]) -> Attempt | Outcome:
        """Make the next job of a step when it is due, or end the call; note an attempt that is over."""
        is_over = replace(following.position, waits=0) != replace(attempt.position, waits=0)
        if is_over:
            rows.append(attempt.row(self.clock))
        elif later := self._later(attempt):
            return later
        # The pause goes on in the next call; to hand over before our time is up would spin.
        self._sleep_until(min(following.due, self.deadline))
        if following.due >= self.deadline:
            waiting = () if is_over else (waiting_row(attempt, self.clock),)
            return Outcome(step=attempt.step, status=None, rows=(*rows, *waiting))
        if self.is_cancelled():
            release_files(attempt, self.message.run, self.jobs_of)
            return cancelled(attempt, rows, self.clock)
        return self._launch(attempt.step, following.position, rows=rows)

    def _launch(
        self, step: Step, position: Position, judged: Judgement | None = None, rows: Sequence[StepRow] = ()
    ) -> Attempt:
        job = step_job(self.message, step, position)
        launched = Attempt(step=step, position=position, report=not_begun(job))
        try:
            if self.message.continuation and (known := self._find(step, job)):
                return replace(launched, report=known, is_attached=True)
            judged = self._prepared(step, judged or self._judged(step, job), bytes_billed(rows))
            if isinstance(judged, JobReport):
                # An earlier delivery may have run the job while the guard still let it pass.
                known = self._earlier(step, job)
                return replace(launched, report=known or judged, is_attached=bool(known))
            job, dry_run = judged
            return replace(launched, report=with_estimate(self._submitted(step, job), job, dry_run))
        except AlreadyExists:
            return self._attached(launched, job)
        except Unavailable as error:
            return replace(launched, trouble=error)

    def _judged(self, step: Step, job: StepJob) -> tuple[StepJob, DryRun] | JobReport:
        """Judge the statement right before it runs: BigQuery's dry run says what it is and reads."""
        try:
            jobs = self.jobs_of(step)
            job = resolved(self.message, job, jobs, self.guard)
            return job, guarded_dry_run(jobs, job, self.guard)
        except WarehouseError as error:
            return refused_by(job, error)

    def _prepared(
        self, step: Step, judged: Judgement, spent: int | None
    ) -> tuple[StepJob, DryRun] | JobReport:
        if isinstance(judged, Unavailable):
            raise judged
        if not isinstance(judged, JobReport):
            judged = within(judged, self.message, step, spent)
        if isinstance(judged, JobReport):
            return judged
        job, dry_run = judged
        try:
            self.jobs_of(step).prepare(job, dry_run)
        except WarehouseError as error:
            return refused_by(job, error)
        return judged

    def _submitted(self, step: Step, job: StepJob) -> JobReport:
        try:
            return self.jobs_of(step).submit(job)
        except AlreadyExists:
            raise
        except WarehouseError as error:
            return refused_by(job, error)

    def _attached(self, launched: Attempt, job: StepJob) -> Attempt:
        try:
            report = self._find(launched.step, job)
        except Unavailable as error:
            return replace(launched, trouble=error)
        if report is None:
            unread = Unavailable("a step's job ID is taken and its job cannot be read yet")
            return replace(launched, trouble=unread)
        return replace(launched, report=report, is_attached=True)

    def _find(self, step: Step, job: StepJob) -> JobReport | None:
        """Look at a job of ours; where BigQuery will not let us, and will not later either, that ends it."""
        try:
            report = self.jobs_of(step).find(job.job_id)
        except Unavailable:
            raise
        except WarehouseError as error:
            return replace(refused_by(job, error), is_unreadable=True)
        if report and not says_of_itself(report.labels, labels(self.message.run, step)):
            raise Conflict(f"the job {job.job_id} is not this step's")
        return report

    def _earlier(self, step: Step, job: StepJob) -> JobReport | None:
        report = self._find(step, job)
        # The step was refused already, and has that to say.
        return None if report and report.is_unreadable else report

    def _wait(self, attempt: Attempt) -> Attempt:
        job = step_job(self.message, attempt.step, attempt.position)
        while not attempt.report.is_done and (left := self._seconds_until(self.deadline)) > 0:
            waited = -self._seconds_until(attempt.report.started_at or self.clock())
            pause = min(max(waited * PART_OF_WAITED, SHORTEST_PAUSE_SECONDS), left)
            if waited >= TOLD_AFTER_SECONDS:
                self.tell()
            patience = MAX_POLL_SECONDS if waited >= TOLD_AFTER_SECONDS else TOLD_AFTER_SECONDS - waited
            attempt = replace(attempt, report=self._awaited(attempt, job, pause, min(left, patience)))
        return replace(attempt, report=as_kept(job.work, attempt.report))

    def _awaited(self, attempt: Attempt, job: StepJob, pause: float, patience: float) -> JobReport:
        """Wait for a job, in one request of BigQuery's; ask for it no sooner than after a pause."""
        asked_at, known = self.clock(), attempt.report
        if not isinstance(job.work, QueryJob | CheckJob):
            self.sleep(pause)
        try:
            report = self.jobs_of(attempt.step).wait(job, known, patience)
        except Unavailable:
            raise
        except WarehouseError as error:
            return replace(
                refused_by(job, error), job_id=known.job_id, project=known.project, is_unreadable=True
            )
        if not report.is_done:
            self._sleep_until(asked_at + timedelta(seconds=pause))
        return replace(report, bytes_estimated=known.bytes_estimated)

    def _checked(self, attempt: Attempt) -> Attempt:
        """Read what came of checks whose job is done."""
        job = step_job(self.message, attempt.step, attempt.position)
        return self.check_judge.judged(attempt, job, self.jobs_of)

    def _next(self, attempt: Attempt) -> Next | None:
        """Say what follows on a job that is done; nothing where the step has come to its end."""
        report, at, step = attempt.report, attempt.position, attempt.step
        if not report.has_failed:
            following = Position(job=at.job + 1)
            return None if attempt.is_at_last_job else Next(position=following, due=self.clock())
        if ends_step(attempt):
            return None
        ended_at = report.ended_at or self.clock()
        if is_limit(report.error_reason, report.error_message):
            pause = pause_for_limit(at.waits, job_id_at(self.message.run, step, at))
            waited = replace(at, waits=at.waits + bool(report.job_id))
            return Next(position=waited, due=ended_at + pause)
        if at.attempt < step.retry.attempts and is_retryable(report.error_reason, report.error_message):
            pause = pause_before(at.attempt + 1, step.retry, report.job_id)
            again = Position(job=at.job, attempt=at.attempt + 1)
            return Next(position=again, due=ended_at + pause)
        return None

    def _later(self, attempt: Attempt) -> Attempt | None:
        """Find the last job that another delivery has made after waiting for a limit."""
        if not (attempt.is_attached and attempt.report.job_id):
            return None
        at = attempt.position

        def find(waits: int) -> JobReport | None:
            position = replace(at, waits=waits)
            return self._find(attempt.step, step_job(self.message, attempt.step, position))

        found = last_in_order(find, at.waits + 1)
        return replace(attempt, position=replace(at, waits=found[0]), report=found[1]) if found else None

    def _ended(self, attempt: Attempt, rows: list[StepRow]) -> Outcome:
        report = self._advised(attempt)
        if isinstance(attempt.step.jobs[attempt.position.job], FilesLoadedJob):
            # What the step has written are the rows of its load, not those of the ledger.
            report = replace(report, rows=rows[-1].rows if rows else None)
        attempt = replace(attempt, report=report)
        if report.has_failed:
            told = {"step": attempt.step.id, "reason": report.error_reason, "error": report.error_message}
            logger.warning("step failed", extra=told)
            release_files(attempt, self.message.run, self.jobs_of)
        return Outcome(step=attempt.step, status=attempt.status, rows=(*rows, attempt.row(self.clock)))

    def _advised(self, attempt: Attempt) -> JobReport:
        """Say behind BigQuery's sentence what to do; the firewall's says it itself."""
        report = attempt.report
        if not report.has_failed or report.error_reason in OWN_REASONS:
            return report
        tables = partial(names_of_tables, self.jobs_of, attempt.step, self.message.run.tenant_id)
        job = attempt.step.jobs[attempt.position.job]
        said = with_advice(report.error_reason, with_place(report.error_message, job), tables)
        return replace(report, error_message=said)

    def _sleep_until(self, due: datetime) -> None:
        if (seconds := self._seconds_until(due)) > 0:
            self.sleep(seconds)

    def _seconds_until(self, moment: datetime) -> float:
        return (moment - self.clock()).total_seconds()

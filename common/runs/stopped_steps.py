"""Stopping a step whose run ends before its time: its job is cancelled, and a row says what it came to."""

from collections.abc import Sequence
from dataclasses import replace

from common.costs.prices import sum_of
from common.errors import Unavailable, WarehouseError
from common.pipelines.pipeline import Step
from common.runs.attempts import Outcome, bytes_billed, skipped_row, step_row, stopped_row
from common.runs.level_messages import LevelMessage
from common.runs.ports import JobReport, JobsOf
from common.runs.run import Run, StepRow, StepStatus
from common.runs.step_jobs import jobs_made, latest_job
from common.times import Clock


def stopped_step(run: Run, step: Step, jobs_of: JobsOf, clock: Clock) -> list[StepRow]:
    """Stop a step's last job, and write down what the step came to, and the jobs before that.

    The worker that carried the step out may have died before it wrote down any of them.
    """
    try:
        return _stopped_by_us(run, step, jobs_of, clock)
    except Unavailable:
        raise
    except WarehouseError as refused:
        # An account of the tenant's, most likely: its job, if there is one, is in the tenant's project,
        # where the tenant can see and stop it. The run's end does not wait for who may look at it.
        unknown = JobReport(
            job_id="",
            is_done=True,
            error_reason=refused.reason or "invalid",
            error_message=f"its job could not be looked at: {refused}",
        )
        return [stopped_row(step, unknown, clock)]


def _stopped_by_us(run: Run, step: Step, jobs_of: JobsOf, clock: Clock) -> list[StepRow]:
    jobs = jobs_of(step)
    found = latest_job(jobs, run, step)
    if found is None:
        return [skipped_row(step, clock)]
    position, report = found
    jobs.cancel(report.job_id)
    last = stopped_row(step, jobs.find(report.job_id) or report, clock, position)
    earlier = [
        step_row(step, before, StepStatus.RUNNING, done, clock)
        for before, done in (jobs_made(jobs, run, step, position.job) if position.job else ())
        if not done.has_failed
    ]
    return [*earlier, last]


def with_billed(message: LevelMessage, outcomes: Sequence[Outcome], jobs_of: JobsOf) -> LevelMessage:
    """Add what the jobs of a message's level were billed for, all of which have rows.

    Of one that was stopped nobody knows it. Where a step was cancelled, somebody is ending the run: levels
    behind this one may have begun, and another delivery may have made an attempt that has no row here.
    """
    rows = [row for outcome in outcomes for row in outcome.rows]
    billed = sum_of([message.bytes_billed, bytes_billed(rows)])
    if billed is None or any(outcome.status is StepStatus.CANCELLED for outcome in outcomes):
        return with_most_billed(message, jobs_of)
    return replace(message, bytes_billed=billed)


def with_most_billed(message: LevelMessage, jobs_of: JobsOf) -> LevelMessage:
    """Say what a run that is stopped was billed for; where nobody knows that, what it may have been.

    Then `bytes_billed` is None, and the run holds no more than BigQuery may bill for all jobs that there are,
    of later levels too: the message may be one that comes late.
    """
    held, earlier = message.run.bytes_held, message.bytes_billed
    if held is None or earlier is None:
        return replace(message, bytes_billed=None)
    try:
        reports = [
            report
            for step in (step for level in message.pipeline.levels[message.level - 1 :] for step in level)
            if not step.credential
            for _, report in jobs_made(jobs_of(step), message.run, step)
        ]
    except Unavailable:
        raise
    except WarehouseError:
        return replace(message, bytes_billed=None)
    billed = sum_of([0 if _has_erred(report) else report.bytes_billed for report in reports])
    if billed is not None:
        return replace(message, bytes_billed=earlier + billed)
    most = sum(0 if _has_erred(one) else _most(one, held) for one in reports)
    return replace(message, run=replace(message.run, bytes_held=min(held, earlier + most)), bytes_billed=None)


def _has_erred(report: JobReport) -> bool:
    """Tell whether a job ended in an error of its own, for which BigQuery bills nothing."""
    return report.has_failed and report.error_reason != "stopped"


def _most(report: JobReport, held: int) -> int:
    if report.bytes_billed is not None:
        return report.bytes_billed
    return held if report.most_billed is None else report.most_billed

"""A step of a run as a BigQuery job: its configuration, and its ID, the lock on the step's effect."""

import hashlib
from collections.abc import Callable
from dataclasses import replace

from common.claims import as_label
from common.pipelines.pipeline import Step
from common.runs.level_messages import LevelMessage
from common.runs.ports import JobReport, StepJob, StepJobs
from common.runs.run import Run, StepRow, StepStatus
from common.times import Clock


def job_id(run_id: str, step_id: str, attempt: int, waits: int = 0) -> str:
    """Name the job of one attempt: whoever inserts it first makes the effect, everybody else finds it.

    A job that failed by a limit of BigQuery's has used its ID up, and was no attempt: after each such wait
    the attempt goes on under an ID of its own.
    """
    first = f"cvg-step-{run_id}-{step_id}-{attempt}"
    return f"{first}-w{waits}" if waits else first


def step_job(message: LevelMessage, step: Step, attempt: int, waits: int = 0) -> StepJob:
    """Configure the job of one attempt, after so many waits for BigQuery's limits."""
    by_name = {parameter.name: parameter for parameter in message.run.parameters}
    return StepJob(
        job_id=job_id(message.run.run_id, step.id, attempt, waits),
        tenant_id=message.run.tenant_id,
        sql=step.sql,
        parameters=tuple(by_name[name] for name in step.parameters),
        target_table=step.target_table,
        write_disposition=step.write_disposition,
        timeout_seconds=step.timeout_minutes * 60,
        labels=step.labels | labels(message.run, step) | _trace_label(message.run),
        partitioning=step.partitioning,
        clustering=step.clustering,
        maximum_bytes_billed=step.maximum_bytes_billed,
        sources=message.pipeline.sources,
        credential=step.credential,
    )


def latest_wait(find: Callable[[int], JobReport | None], first: int) -> tuple[int, JobReport] | None:
    """Find the last of the jobs that one attempt has had, from its `first` wait on; None where there is none.

    Waits are taken in order, and there may be hundreds, so the search doubles its steps and then halves them.
    """
    found, missing, step = None, first, 1
    while report := find(missing):
        found, missing, step = (missing, report), missing + step, step * 2
    while found and missing - found[0] > 1:
        middle = (found[0] + missing) // 2
        if report := find(middle):
            found = middle, report
        else:
            missing = middle
    return found


def latest_job(jobs: StepJobs, run_id: str, step_id: str, attempts: int) -> tuple[int, JobReport] | None:
    """Find the last job of a step that may have had so many attempts, and the attempt's number."""
    for number in range(attempts, 0, -1):
        if report := jobs.find(job_id(run_id, step_id, number)):
            last = latest_wait(lambda waits: jobs.find(job_id(run_id, step_id, number, waits)), 1)  # noqa: B023
            return number, last[1] if last else report
    return None


def labels(run: Run, step: Step) -> dict[str, str]:
    """Name the claimant of a step's job."""
    return {
        "tenant": run.tenant_id,
        "pipeline": as_label(run.config_id),
        "run": run.run_id,
        "step": as_label(step.id),
    }


def _trace_label(run: Run) -> dict[str, str]:
    # traceparent is `00-<trace>-<span>-<flags>`: the trace joins the job with the request and with every log
    # line.
    return {"trace": run.traceparent.split("-")[1]} if run.traceparent else {}


def step_row(step: Step, attempt: int, status: StepStatus, report: JobReport, clock: Clock) -> StepRow:
    """Write down what a job's report says of one attempt of a step."""
    started_at = report.started_at or clock()
    return StepRow(
        step_id=step.id,
        ps_type=step.ps_type,
        index=step.index,
        level=step.level,
        attempt=attempt,
        status=status,
        started_at=started_at,
        ended_at=(report.ended_at or clock()) if report.is_done else None,
        job_id=report.job_id,
        target_table=step.target_table,
        statement_hash=hashlib.sha256(step.sql.encode()).hexdigest() if step.sql else "",
        rows=report.rows,
        bytes_processed=report.bytes_processed,
        bytes_billed=report.bytes_billed,
        error_reason=report.error_reason,
        error_message=report.error_message,
        job_project=report.project,
    )


def running_row(step: Step, attempt: int, report: JobReport, clock: Clock) -> StepRow:
    """Write down that an attempt is under way."""
    return replace(step_row(step, attempt, StepStatus.RUNNING, report, clock), ended_at=None)


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

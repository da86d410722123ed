"""A step's jobs in BigQuery: what each is asked for, and its ID, the lock on its effect."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from common.claims import as_label, last_in_order
from common.errors import Unavailable, WarehouseError
from common.pipelines.candidates import in_run
from common.pipelines.partitions import at_partition
from common.pipelines.pipeline import Step
from common.pipelines.plans import (
    MAIN,
    PUBLISH,
    CopyJob,
    ExtractJob,
    FilesLoadedJob,
    Job,
    LoadJob,
    QueryJob,
)
from common.pipelines.uris import with_values
from common.runs.files import PUBLISHED_BY
from common.runs.incremental import given_by_step
from common.runs.level_messages import LevelMessage
from common.runs.ports import JobReport, JobsOf, StepJob, StepJobs
from common.runs.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How far a step has come: at which job of its plan (from 0), and at which attempt of that."""

    job: int = 0
    attempt: int = 1
    waits: int = 0
    """How many jobs of the attempt failed by limits of BigQuery's: none of them was an attempt."""


BEGINNING = Position()
NOT_BEGUN = Position(attempt=0)
"""Before the first attempt: whatever a step came to says more than what has kept it from beginning."""


def job_id(run_id: str, step_id: str, attempt: int, waits: int = 0, name: str = MAIN) -> str:
    """Name the job of one attempt: the delivery that inserts it first makes the effect, every other finds it.

    A job that failed by a limit of BigQuery's has used its ID up, and was no attempt: after each such wait
    the attempt goes on under an ID of its own.
    """
    ending = ("" if name == MAIN else f"-{name}") + (f"-w{waits}" if waits else "")
    return f"cvg-step-{run_id}-{step_id}-{attempt}{ending}"


def job_id_at(run: Run, step: Step, position: Position) -> str:
    """Name the job of a step at a position."""
    name = step.jobs[position.job].name
    return job_id(run.run_id, step.id, position.attempt, position.waits, name)


def step_job(message: LevelMessage, step: Step, position: Position = BEGINNING) -> StepJob:
    """Say what BigQuery is to do at a position of a step."""
    work = in_run(step.jobs[position.job], message.run.run_id, step.id)
    by_name = {parameter.name: parameter for parameter in message.run.parameters}
    if isinstance(work, QueryJob | LoadJob | FilesLoadedJob | CopyJob):
        work = at_partition(work, by_name)
    if isinstance(work, QueryJob) and work.on_schema_change:
        by_name |= given_by_step(message, work)
    if isinstance(work, LoadJob | ExtractJob):
        work = replace(work, uris=tuple(with_values(uri, by_name) for uri in work.uris))
    if isinstance(work, CopyJob):
        work = _of_run(work, message.run)
    return StepJob(
        job_id=job_id_at(message.run, step, position),
        tenant_id=message.run.tenant_id,
        work=work,
        parameters=tuple(by_name[name] for name in work.parameters),
        timeout_seconds=step.timeout_minutes * 60,
        labels=step.labels | labels(message.run, step) | _trace_label(message.run) | _following(step, work),
        sources=message.pipeline.sources,
        credential=step.credential,
        priority=step.priority,
    )


def _of_run(work: CopyJob, run: Run) -> CopyJob:
    """Say for one run under which name a copy is kept, and until when."""
    day = f"{run.run_date:%Y%m%d}" if work.is_of_a_day else ""
    days = work.retention_days
    expires_at = None if days is None else run.started_at + timedelta(days=days)
    return replace(work, destination=f"{work.destination}{day}", expires_at=expires_at)


def as_kept(work: Job, report: JobReport) -> JobReport:
    """Take a day's copy for made where one is there: it stays, whatever delivery asks for it again."""
    if isinstance(work, CopyJob) and work.is_of_a_day and report.error_reason == "duplicate":
        return replace(report, error_reason="", error_message="", rows=0, bytes_billed=0)
    return report


def attempts_of(step: Step) -> Iterator[Position]:
    """List the attempts that a step's jobs can have had, the last one first."""
    for job in reversed(range(len(step.jobs))):
        for attempt in range(step.retry.attempts, 0, -1):
            yield Position(job=job, attempt=attempt)


def latest_job(jobs: StepJobs, run: Run, step: Step) -> tuple[Position, JobReport] | None:
    """Find the last job that a step of a run has had, and its position; None where it has not begun."""
    for position in attempts_of(step):
        if report := jobs.find(job_id_at(run, step, position)):
            last = last_in_order(_waited(jobs, run, step, position), 1) or (0, report)
            return Position(job=position.job, attempt=position.attempt, waits=last[0]), last[1]
    return None


def jobs_made(
    jobs: StepJobs, run: Run, step: Step, before: int | None = None
) -> Iterator[tuple[Position, JobReport]]:
    """List the last job of each attempt that a step's jobs have had, in their order; up to one of them."""
    for job in range(len(step.jobs[:before])):
        for attempt in range(1, step.retry.attempts + 1):
            position = Position(job=job, attempt=attempt)
            report = jobs.find(job_id_at(run, step, position))
            if report is None:
                break
            waits, last = last_in_order(_waited(jobs, run, step, position), 1) or (0, report)
            yield replace(position, waits=waits), last
            if not last.has_failed:
                break


def _waited(jobs: StepJobs, run: Run, step: Step, at: Position) -> Callable[[int], JobReport | None]:
    name = step.jobs[at.job].name
    return lambda waits: jobs.find(job_id(run.run_id, step.id, at.attempt, waits, name))


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


def _following(step: Step, work: Job) -> dict[str, str]:
    """Name the jobs that publish what a load has written to its candidate."""
    if not isinstance(work, LoadJob) or not work.candidate_for:
        return {}
    names = [job.name for job in step.jobs]
    return {PUBLISHED_BY: "-".join(names[names.index(work.name) + 1 : names.index(PUBLISH) + 1])}


def has_begun(run: Run, steps: Sequence[Step], jobs_of: JobsOf) -> bool:
    """Tell whether the first of a level's steps has had a job."""
    if not steps:
        return False
    try:
        return jobs_of(steps[0]).find(job_id_at(run, steps[0], BEGINNING)) is not None
    except Unavailable:
        raise
    except WarehouseError:
        return False  # To deliver a level once more does no harm.


def names_of_tables(jobs_of: JobsOf, step: Step, tenant_id: str) -> Sequence[str]:
    """Name the tables of a tenant; none where they cannot be listed, since names only help."""
    try:
        return jobs_of(step).table_names(tenant_id)
    except WarehouseError:
        return ()

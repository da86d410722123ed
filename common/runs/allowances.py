"""What each step of a level may be billed for, of what its run holds of budgets.

It is divided before anything of the level begins, by BigQuery's dry runs and in the order of the steps, so
that steps that run at once stay within it together; a hand-over takes it along. A step whose first job does
not fit gets nothing, and fails before it is begun. Each job's `maximum_bytes_billed` is what is left to its
step: what grows between the dry run and the job, BigQuery itself refuses.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from common.at_once import AtOnce
from common.errors import Unavailable
from common.pipelines.pipeline import Step
from common.pipelines.plans import CheckJob, QueryJob
from common.runs.guarding import Judgement
from common.runs.level_messages import LevelMessage
from common.runs.ports import DryRun, JobReport, StepJob

BUDGET_EXCEEDED = "budgetExceeded"
"""The reason of a step that would be billed for more than its run has left."""


def with_shares(
    message: LevelMessage,
    judged: Sequence[tuple[Step, Judgement | None]],
    judge: Callable[[Step], Judgement],
    at_once: AtOnce,
) -> LevelMessage:
    """Divide what is left of what the run holds; judge the steps that nobody has judged yet.

    Raises Unavailable where BigQuery does not answer for one of them: then nothing is divided.
    """
    held = message.run.bytes_held
    if held is None or not judged or (message.continuation and message.shares):
        return message
    asked = [step for step, found in judged if found is None]
    answers = iter(at_once(judge, asked) if asked else [])
    estimates = [(step, _estimate(found or next(answers))) for step, found in judged]
    return replace(message, shares=divided(_left(message, held), estimates))


def divided(room: int, estimates: Sequence[tuple[Step, int]]) -> dict[str, int]:
    """Give each step that fits the estimate of its first job, and the rest to those with more queries."""
    shares: dict[str, int] = {}
    left = room
    for step, estimate in estimates:
        if estimate <= left:
            shares[step.id] = estimate
            left -= estimate
    fitting = [step for step, _ in estimates if step.id in shares]
    takers = [step for step in fitting if any(isinstance(job, QueryJob | CheckJob) for job in step.jobs[1:])]
    for step in takers or fitting:
        shares[step.id] += left // len(takers or fitting)
    return shares


def within(
    judged: tuple[StepJob, DryRun], message: LevelMessage, step: Step, spent: int | None
) -> tuple[StepJob, DryRun] | JobReport:
    """Cap a job at what its step has left, or refuse it; the step's earlier jobs have `spent` some of it."""
    job, dry_run = judged
    work, held = job.work, message.run.bytes_held
    if held is None or step.credential or not isinstance(work, QueryJob | CheckJob):
        return judged
    needed, left = dry_run.bytes_billed, 0
    if (share := message.shares.get(step.id)) is not None:
        left = max(0, share - (share if spent is None else spent))
    if share is None or needed > left:
        return _refused(job, needed, _told(message, held, share, left))
    # BigQuery takes 0 for no limit.
    most = min(max(left, 1), work.maximum_bytes_billed or left or 1)
    return replace(job, work=replace(work, maximum_bytes_billed=most)), dry_run


def with_estimate(report: JobReport, job: StepJob, dry_run: DryRun) -> JobReport:
    """Say of a job that has just been made what its dry run told."""
    is_query = isinstance(job.work, QueryJob | CheckJob)
    estimated = dry_run.bytes_billed if is_query else None
    return replace(report, tables_read=len(dry_run.tables), bytes_estimated=estimated)


def _left(message: LevelMessage, held: int) -> int:
    return 0 if message.bytes_billed is None else max(0, held - message.bytes_billed)


def _estimate(judged: Judgement) -> int:
    """Return what a judged job is billed at the most; 0 where it is refused, or in another's project."""
    if isinstance(judged, Unavailable):
        raise judged
    if isinstance(judged, JobReport):
        return 0
    job, dry_run = judged
    return 0 if job.credential else dry_run.bytes_billed


def _told(message: LevelMessage, held: int, share: int | None, left: int) -> str:
    if share is not None:
        return f"of the {held:,} that the run may be billed for {left:,} are left to it"
    kept, billed = sum(message.shares.values()), message.bytes_billed
    already = "an unknown part is" if billed is None else f"{billed:,} are"
    beside = f", and {kept:,} are kept for steps beside it" if kept else ""
    return f"of the {held:,} that the run may be billed for {already} billed already{beside}"


def _refused(job: StepJob, needed: int, told: str) -> JobReport:
    return JobReport(
        job_id="",
        is_done=True,
        labels=job.labels,
        error_reason=BUDGET_EXCEEDED,
        error_message=f"the step was not begun: it would be billed for {needed:,} bytes, and {told}",
    )

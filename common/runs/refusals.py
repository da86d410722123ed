"""What BigQuery's refusals make of a step: a report, as if its job had failed, or another delivery."""

from common.errors import Unavailable, WarehouseError
from common.runs.ports import JobReport, StepJob
from common.runs.retries import is_limit

NOT_FOR_NOW = "quotaExceeded"
"""A day's quota: it passes, but not while a run waits, unless it is a limit (`common.runs.retries`)."""


def not_begun(job: StepJob) -> JobReport:
    """Report a job that is not there yet."""
    return JobReport(job_id="", is_done=False, labels=job.labels)


def refused_by(job: StepJob, error: WarehouseError) -> JobReport:
    """Report a refusal as if the job had failed by it; raise what may pass by itself, but for limits."""
    passes = isinstance(error, Unavailable) and error.reason != NOT_FOR_NOW
    if passes and not is_limit(error.reason, str(error)):
        raise error
    return JobReport(
        job_id="",
        is_done=True,
        labels=job.labels,
        error_reason=error.reason or "invalid",
        error_message=str(error),
    )

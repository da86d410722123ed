"""Stopping a step whose run ends before its time: its job is cancelled, and a row says what it came to."""

from common.errors import Unavailable, WarehouseError
from common.pipelines.pipeline import Step
from common.runs.attempts import skipped_row, stopped_row
from common.runs.ports import JobReport, JobsOf
from common.runs.run import Run, StepRow
from common.runs.step_jobs import latest_job
from common.times import Clock


def stopped_step(run: Run, step: Step, jobs_of: JobsOf, clock: Clock) -> StepRow:
    """Stop a step's last job, and write down what the step came to."""
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
        return stopped_row(step, unknown, clock)


def _stopped_by_us(run: Run, step: Step, jobs_of: JobsOf, clock: Clock) -> StepRow:
    jobs = jobs_of(step)
    found = latest_job(jobs, run, step)
    if found is None:
        return skipped_row(step, clock)
    position, report = found
    jobs.cancel(report.job_id)
    return stopped_row(step, jobs.find(report.job_id) or report, clock, position)

"""Files of a load that nobody will publish: its step lets them go at its end, so that no run waits for them.

Whose step dies before it can do so leaves them for who comes two minutes later (`common.runs.files`).
"""

import logging

from common.errors import AlreadyExists, WarehouseError
from common.pipelines.plans import PUBLISH, LoadJob
from common.runs.attempts import Attempt
from common.runs.files import FILES_TAKEN_OVER
from common.runs.judging import CHECKS_FAILED
from common.runs.ports import JobsOf
from common.runs.run import Run
from common.runs.step_jobs import Position, job_id_at, labels

logger = logging.getLogger(__name__)


def release_files(attempt: Attempt, run: Run, jobs_of: JobsOf) -> None:
    """Keep the job from being made that would lead on to the publication of a load's files.

    `attempt` is the last one that its step has: no delivery makes another. Nothing happens where there is no
    such job, or where BigQuery refuses it.
    """
    following = _following(attempt)
    if following is None or not _is_before_publication(attempt):
        return
    try:
        jobs_of(attempt.step).use_up(job_id_at(run, attempt.step, following), labels(run, attempt.step))
    except AlreadyExists:
        pass  # Another run has done it, or this one, before it was delivered again.
    except WarehouseError as error:
        logger.warning("files not released", extra={"step": attempt.step.id, "error": str(error)})


def _is_before_publication(attempt: Attempt) -> bool:
    """Tell whether the rows of a load are in its candidate, and not yet in its table."""
    jobs = attempt.step.jobs
    loads = [at for at, job in enumerate(jobs) if isinstance(job, LoadJob) and job.candidate_for]
    publications = [at for at, job in enumerate(jobs) if job.name == PUBLISH]
    if not loads or not publications:
        return False
    done = attempt.position.job if _has_done_well(attempt) else attempt.position.job - 1
    return loads[0] <= done < publications[0]


def _has_done_well(attempt: Attempt) -> bool:
    """Tell whether BigQuery has done what it was asked for, whatever its rows say."""
    return not attempt.report.has_failed or attempt.report.error_reason == CHECKS_FAILED


def _following(attempt: Attempt) -> Position | None:
    """Return where a run that wants the files looks for the next job; None where it need not wait for one.

    A job that was refused before it was made is left: a repeated delivery says again what refused it.
    """
    at, report = attempt.position, attempt.report
    if not report.job_id or report.is_unreadable or report.error_reason == FILES_TAKEN_OVER:
        return None
    return (
        Position(job=at.job + 1) if _has_done_well(attempt) else Position(job=at.job, attempt=at.attempt + 1)
    )

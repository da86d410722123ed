"""What the job of a step's checks has counted, read and judged. A repeated delivery judges the same."""

import logging
from dataclasses import dataclass, replace

from common.errors import Unavailable, WarehouseError
from common.pipelines.plans import CheckJob, LoadJob
from common.quality.results import CheckResult, why_failed
from common.quality.verdicts import CheckStatus, judge
from common.runs.attempts import Attempt
from common.runs.files import FILES_TAKEN_OVER
from common.runs.guarding import refused_by
from common.runs.ports import EarlierChecks, JobReport, JobsOf, StepJob, StepJobs
from common.runs.run import Run
from common.times import Clock

logger = logging.getLogger(__name__)

CHECKS_FAILED = "checksFailed"
"""The reason of a step that its own checks have stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckJudge:
    """Judges the checks of one run's steps."""

    run: Run
    earlier: EarlierChecks
    clock: Clock

    def judged(self, attempt: Attempt, job: StepJob, jobs_of: JobsOf) -> Attempt:
        """Say what came of checks whose job is done; where one of them is an error, the job has failed.

        Unavailable where that cannot be read now.
        """
        report = attempt.report
        if not isinstance(job.work, CheckJob) or not report.is_done or report.has_failed:
            return attempt
        try:
            results = self._results(attempt, jobs_of(attempt.step), job.work)
        except Unavailable:
            raise
        except WarehouseError as error:
            said = refused_by(job, error)
            unread = replace(report, error_reason=said.error_reason, error_message=said.error_message)
            return replace(attempt, report=unread)
        return replace(attempt, report=_failed_by(report, why_failed(results)), results=results)

    def _results(self, attempt: Attempt, jobs: StepJobs, work: CheckJob) -> tuple[CheckResult, ...]:
        report = attempt.report
        verdicts = judge(
            work.checks,
            jobs.read_counts(report.job_id),
            earlier=lambda check, most: self.earlier.read_earlier(self.run, work.table, check, most),
            columns=lambda: jobs.found_columns(work.checked),
        )
        for verdict in verdicts:
            if verdict.status is not CheckStatus.PASSED:
                told = {"step": attempt.step.id, "check": verdict.check.name, "status": verdict.status}
                logger.warning("check not passed", extra=told)
        ended_at = report.ended_at or self.clock()
        return tuple(
            CheckResult(
                run_id=self.run.run_id,
                step_id=attempt.step.id,
                table=work.table,
                verdict=verdict,
                job_id=report.job_id,
                started_at=report.started_at or ended_at,
                ended_at=ended_at,
            )
            for verdict in verdicts
        )


def ends_step(attempt: Attempt) -> bool:
    """Tell whether no other job may follow on one that has failed, whatever it has failed by.

    That is so where nobody can tell, where checks have failed, and where another run has taken over files
    that were to be published: it will load them.
    """
    report, work = attempt.report, attempt.step.jobs[attempt.position.job]
    is_overtaken = report.error_reason == FILES_TAKEN_OVER and not isinstance(work, LoadJob)
    return report.is_unreadable or is_overtaken or report.error_reason == CHECKS_FAILED


def _failed_by(report: JobReport, reason: str) -> JobReport:
    return replace(report, error_reason=CHECKS_FAILED, error_message=reason) if reason else report

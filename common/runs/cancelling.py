"""Cancelling a run: a flag that is a claim, set once and read with one `jobs.get`."""

import logging
from dataclasses import dataclass

from common.claims import ClaimJobs, claim
from common.errors import Conflict, NotFound, Unavailable, WarehouseError
from common.pipelines.pipeline import Step
from common.runs.level_messages import LevelMessage
from common.runs.ports import Identities, JobsOf, LevelPublisher
from common.runs.progress import OpenRun, ProgressReader
from common.runs.run import RunStatus
from common.runs.step_jobs import latest_job
from common.times import Clock

logger = logging.getLogger(__name__)

CANCELLED_BY_HAND = "the run was cancelled"


def job_id(run_id: str) -> str:
    """Name the claim that says a run is to stop."""
    return f"cvg-cancel-{run_id}"


def flag(jobs: ClaimJobs, tenant_id: str, run_id: str) -> None:
    """Ask for a run to stop; asking twice is asking once."""
    claim(jobs, job_id(run_id), {"tenant": tenant_id, "run": run_id})


def is_cancelled(jobs: ClaimJobs, run_id: str) -> bool:
    """Tell whether somebody has asked for the run to stop."""
    return jobs.find_claim(job_id(run_id)) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCanceller:
    """Stops runs.

    It writes no row: the level's worker does, which alone knows whether the run came to its end before.
    """

    reader: ProgressReader
    claims: ClaimJobs
    identities: Identities
    levels: LevelPublisher
    clock: Clock

    def cancel(self, tenant_id: str, run_id: str) -> OpenRun:
        """Flag a run, stop its jobs, and have its level look at the flag; repeating it is harmless.

        Returns the run as it was read. Raises NotFound, and Conflict where the run ended otherwise.
        """
        found = self.reader.find(tenant_id, run_id, self.clock())
        if found is None:
            raise NotFound(f"there is no run {run_id!r}")
        if found.status is RunStatus.CANCELLED:
            return found
        if found.status.is_terminal:
            raise Conflict(f"the run has ended: it is {found.status}")
        flag(self.claims, tenant_id, run_id)
        message = found.ending_message(CANCELLED_BY_HAND)
        jobs_of = self.identities.acting_for(message.pipeline)
        for step in message.pipeline.levels[message.level - 1]:
            _stop(message, step, jobs_of)
        self.levels.publish_level(message)
        logger.info("run cancelled", extra={"run": run_id})
        return found


def _stop(message: LevelMessage, step: Step, jobs_of: JobsOf) -> None:
    try:
        jobs = jobs_of(step)
        if found := latest_job(jobs, message.run, step):
            jobs.cancel(found[1].job_id)
    except Unavailable:
        raise
    except WarehouseError:
        # The level's worker alone opens credentials and acts for isolated tenants' own accounts: it gets the
        # message, sees the flag, and stops the job.
        return

"""Cancelling a run: a flag that is a claim, set once and read with one `jobs.get`."""

from common.claims import ClaimJobs, claim


def job_id(run_id: str) -> str:
    """Name the claim that says a run is to stop."""
    return f"cvg-cancel-{run_id}"


def flag(jobs: ClaimJobs, tenant_id: str, run_id: str) -> None:
    """Ask for a run to stop; asking twice is asking once."""
    claim(jobs, job_id(run_id), {"tenant": tenant_id, "run": run_id})


def is_cancelled(jobs: ClaimJobs, run_id: str) -> bool:
    """Tell whether somebody has asked for the run to stop."""
    return jobs.find_claim(job_id(run_id)) is not None

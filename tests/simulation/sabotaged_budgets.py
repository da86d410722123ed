"""Protections of budgets, removed."""

from collections.abc import Mapping
from dataclasses import replace

from common.claims import Claim
from common.runs.ports import DryRun, StepJob
from common.runs.tickets import HELD
from tests.simulation.world import World


def tickets_do_not_say_what_they_hold(world: World) -> None:
    """Leave it to the rows to say what runs hold of budgets."""
    jobs = world.jobs

    def insert_claim(job_id: str, labels: Mapping[str, str]) -> Claim:
        told = {name: "0" if name == HELD else value for name, value in labels.items()}
        claim = type(jobs).insert_claim(jobs, job_id, told)
        # Whoever takes the ticket knows what it has asked for.
        return replace(claim, labels=dict(labels))

    jobs.insert_claim = insert_claim  # type: ignore[method-assign]


def nobody_asks_what_a_step_reads(world: World) -> None:
    """Begin each step as if it read nothing, and without a limit of BigQuery's."""
    jobs = world.jobs

    def dry_run(job: StepJob) -> DryRun:
        return replace(type(jobs).dry_run(jobs, job), bytes_processed=0)

    def too_much(job: StepJob) -> None:
        return None

    jobs.dry_run = dry_run  # type: ignore[method-assign]
    jobs._too_much = too_much  # type: ignore[method-assign]


def ended_runs_hold_nothing(world: World) -> None:
    """Take what nobody knows of a run that has ended for nought."""
    rows = world.rows
    append_run = rows.append_run

    def append(run, status, now, error="", reason=None, bytes_billed=None):  # type: ignore[no-untyped-def]
        known = (bytes_billed or 0) if status.is_terminal else None
        append_run(run, status, now, error, reason, known)

    rows.append_run = append  # type: ignore[method-assign]

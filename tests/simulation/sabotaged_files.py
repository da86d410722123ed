"""Protections of loads, removed: what keeps each file from being loaded twice, or never."""

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime

from common.runs.files import BatchState, FileBatch, FileClaims, LedgerReading
from common.runs.ports import StepJob
from tests.fakes.files import MemoryLedger
from tests.simulation.world import World


def files_are_listed_by_every_delivery(world: World) -> None:
    """Take what is new whenever a load's job is made, whatever the job has taken before."""

    class Ledger(MemoryLedger):
        def read(self, table: str, job_id: str, prefixes: Sequence[str]) -> LedgerReading:
            return replace(MemoryLedger.read(self, table, job_id, prefixes), own=None)

    _keep_as(world, Ledger)


def files_are_noted_before_they_are_loaded(world: World) -> None:
    """Write down that files are loaded as soon as a job takes them."""

    class Ledger(MemoryLedger):
        def append(self, batch: FileBatch, ended: Sequence[FileBatch]) -> bool:
            return MemoryLedger.append(self, replace(batch, state=BatchState.LOADED), ended)

    _keep_as(world, Ledger)


def what_others_have_taken_is_taken_again(world: World) -> None:
    """Take files for nobody's that another job has taken, whether it is still to be made or under way."""

    class Claims(FileClaims):
        def _ended(self, batch: FileBatch, now: datetime) -> FileBatch:
            return replace(batch, state=BatchState.VOID)

    _claim_as(world, Claims)


def _claim_as(world: World, kind: type[FileClaims]) -> None:
    jobs = world.jobs

    def files_of(job: StepJob) -> FileClaims:
        made = type(jobs).files_of(jobs, job)
        return kind(**{field.name: getattr(made, field.name) for field in fields(FileClaims)})

    jobs.files_of = files_of  # type: ignore[method-assign]


def _keep_as(world: World, kind: type[MemoryLedger]) -> None:
    jobs = world.jobs
    jobs.ledgers.default_factory = lambda: kind(clock=jobs.clock, at=jobs.at)  # type: ignore[attr-defined]

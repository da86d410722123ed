"""Protections of schedules and backfills, removed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from common.claims import Claim
from common.queue.tenant_admissions import TenantAdmissionFacts
from common.queue.waiting import AdmissionResult, WaitingRun
from common.runs.run import RunStatus
from tests.simulation.world import World


def tickets_do_not_name_their_backfill(world: World) -> None:
    """Leave it to the rows to say how many runs of a backfill run."""
    _claim_without(world, "backfill")


def _claim_without(world: World, label: str) -> None:
    jobs = world.jobs

    def insert_claim(job_id: str, labels: Mapping[str, str]) -> Claim:
        told = {name: value for name, value in labels.items() if name != label}
        return type(jobs).insert_claim(jobs, job_id, told)

    jobs.insert_claim = insert_claim  # type: ignore[method-assign]


def tickets_do_not_name_their_schedule(world: World) -> None:
    """Leave it to the rows to say how many runs of a schedule run."""
    _claim_without(world, "trigger")


def nobody_counts_what_schedules_take(world: World) -> None:
    """Have the rows say nothing of which runs schedules have asked for."""
    all_admissions = world.waiting.all_admissions

    def read_tenant_admissions(
        tenant_ids: Collection[str], run_ids: Collection[str], now: datetime
    ) -> Mapping[str, TenantAdmissionFacts]:
        found = type(all_admissions).read_tenant_admissions(all_admissions, tenant_ids, run_ids, now)
        return {
            tenant_id: replace(
                facts, ledger=replace(facts.ledger, use=replace(facts.ledger.use, scheduled=0))
            )
            for tenant_id, facts in found.items()
        }

    all_admissions.read_tenant_admissions = read_tenant_admissions  # type: ignore[method-assign]


def a_refusal_is_written_once(world: World) -> None:
    """Keep of the firings that one refusal stands for the first one's row alone."""
    firings = world.waiting.firings

    def append_firings(result: Sequence[AdmissionResult], now: datetime) -> None:
        known = {row.result.entry_id for row in firings.rows}
        kept = [one for one in result if not (one.is_refused_firing and one.entry_id in known)]
        type(firings).append_firings(firings, kept, now)

    firings.append_firings = append_firings  # type: ignore[method-assign]


def firings_are_recorded_before_they_happen(world: World) -> None:
    """Write first that a firing has been seen to, and then see to it."""

    def record(due: Sequence[WaitingRun]) -> None:
        result = [AdmissionResult(waiting=one, status=RunStatus.PENDING) for one in due]
        world.waiting.firings.append_firings(result, world.stage.now)

    world.waiting.before_fill = record  # type: ignore[method-assign]

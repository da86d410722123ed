"""Beginning a run that is ready but for its ticket: admission, row, first message."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import reduce

from common.claims import ClaimJobs
from common.costs.prices import Price
from common.errors import Forbidden, Unavailable
from common.pipelines.intervals import Interval
from common.pipelines.pipeline import BoundParameter, Pipeline, Step
from common.runs.admission import Admission
from common.runs.level_messages import LevelMessage
from common.runs.ports import AdmissionFacts, AdmissionReads, LevelPublisher, RunWrites
from common.runs.quotas import ScheduleShare
from common.runs.run import Run, RunStatus, StepOutline, Trigger
from common.runs.tickets import Applicant, Ledger, Ticket, with_ticket
from common.times import Clock

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyRun:
    """A run that lacks nothing but its ticket."""

    run_id: str
    pipeline: Pipeline
    parameters: tuple[BoundParameter, ...]
    run_date: date
    interval: Interval
    trigger: Trigger
    request_hash: str = ""
    traceparent: str = ""
    retry_of: str = ""
    max_parallel: int = 0
    """How many runs of its backfill may run at once; 0 for as many as the plan allows."""
    share: ScheduleShare | None = None
    """What the schedule that asks for it may take; None where none does."""
    queued_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAdmission:
    """Admits runs: one query reads all it needs, one claim admits, one row and one message set it going."""

    facts: AdmissionReads
    store: RunWrites
    claims: ClaimJobs
    levels: LevelPublisher
    clock: Clock
    price: Price | None = None
    """By which budgets of cost are measured; None where nobody has told it."""

    def read(self, tenant_id: str, config_id: str, run_id: str) -> AdmissionFacts:
        """Read what an admission decides on; Forbidden where the tenant may not run anything."""
        facts = self.facts.read_admission(tenant_id, config_id, run_id, self.clock())
        if facts.tenant_status != "ACTIVE":
            raise Forbidden(f"the tenant is {facts.tenant_status}: it cannot run pipelines")
        if facts.refusal:
            raise Forbidden(facts.refusal)
        return facts

    def check_quota(self, tenant_id: str, config_id: str, run_id: str, facts: AdmissionFacts) -> None:
        """Raise QuotaExceeded where the plan has no room for a run, before anybody works for it.

        What `begin` decides is exact; this spares the work for a run that it would refuse.
        """
        Admission(
            applicant=Applicant(tenant_id=tenant_id, run_id=run_id, config_id=config_id),
            jobs=self.claims,
            read_ledger=lambda: facts.ledger,
            clock=self.clock,
        ).check(facts.ledger)

    def begin(self, ready: ReadyRun, facts: AdmissionFacts) -> Run:
        """Admit the run and set it going; QuotaExceeded where the plan has no room for it.

        A crash after the ticket leaves evidence that the sweeper closes; a crash after the row leaves a run
        that the sweeper continues.
        """
        run = self.admit(ready, facts.ledger)
        self.store.append_run(run, RunStatus.PENDING, run.started_at)
        self.levels.publish_level(LevelMessage(run=run, pipeline=ready.pipeline, level=1))
        logger.info("run admitted", extra={"run": run.run_id, "ticket": run.ticket, "config": run.config_id})
        return run

    def admit(
        self,
        ready: ReadyRun,
        ledger: Ledger,
        taken: Sequence[Ticket] = (),
        holders: set[str] | None = None,
    ) -> Run:
        """Take the run's ticket; its row and its first message are the caller's to append and to send.

        The ledger has been read before, or together with, the knowledge that the run has no row. Tickets that
        the caller has taken and whose rows are still to come are in it; rows read afresh lack them: `taken`.
        `holders` gets the runs that are found to hold other tickets without rows.
        """
        self.store.check_rows_arrive()
        pipeline = ready.pipeline
        applicant = Applicant(
            tenant_id=pipeline.tenant_id,
            run_id=ready.run_id,
            config_id=pipeline.config_id,
            backfill_id=ready.trigger.backfill_id,
            max_parallel=ready.max_parallel,
            share=ready.share,
            budget=pipeline.budget,
        )
        ticket = Admission(
            applicant=applicant,
            jobs=self.claims,
            read_ledger=lambda: reduce(with_ticket, taken, self._read_again(ready)),
            clock=self.clock,
            price=self.price,
            holders=set() if holders is None else holders,
        ).admit(ledger)
        return Run(
            tenant_id=pipeline.tenant_id,
            run_id=ready.run_id,
            config_id=pipeline.config_id,
            config_version=pipeline.version,
            ticket=ticket.number,
            started_at=ticket.admitted_at,
            run_date=ready.run_date,
            interval=ready.interval,
            trigger=ready.trigger,
            parameters=ready.parameters,
            levels=tuple(tuple(step.id for step in level) for level in pipeline.levels),
            steps=tuple(_outline(step) for step in pipeline.steps),
            is_isolated=pipeline.is_isolated,
            request_hash=ready.request_hash,
            traceparent=ready.traceparent,
            retry_of=ready.retry_of,
            left_out=pipeline.left_out,
            queued_at=ready.queued_at,
            bytes_held=ticket.bytes_held,
        )

    def _read_again(self, ready: ReadyRun) -> Ledger:
        facts = self.read(ready.pipeline.tenant_id, ready.pipeline.config_id, ready.run_id)
        if facts.repeated:
            # Its ticket has a row by now, so no collision would tell that it is ours: it would get a second.
            raise Unavailable("the same run is being admitted by another request")
        return facts.ledger


def _outline(step: Step) -> StepOutline:
    return StepOutline(
        step_id=step.id,
        ps_type=step.ps_type,
        index=step.index,
        target_table=step.target_table,
        attempts=step.retry.attempts,
        jobs=tuple(job.name for job in step.jobs),
        credential=step.credential,
    )

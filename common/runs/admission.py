"""Admission: one run more for a tenant, or the limit that forbids it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from common.claims import ClaimJobs
from common.costs.prices import Price
from common.errors import Conflict, QuotaExceeded, Unavailable
from common.runs.holds import hold_for
from common.runs.quotas import excess, excess_of_backfill, excess_of_schedule
from common.runs.tickets import (
    Applicant,
    Ledger,
    Ticket,
    counted,
    running_of_backfill,
    running_of_schedule,
    take,
    without_rows,
)
from common.times import Clock

logger = logging.getLogger(__name__)

# Every collision is another admission of the same tenant that went through meanwhile.
MAX_COLLISIONS = 100
MAX_DOUBLINGS = 20


@dataclass(slots=True, kw_only=True)
class Admission:
    """One run's way through a tenant's tickets; `read_ledger` reads the rows afresh.

    `holders` gets the run IDs that tickets without rows turn out to be held by.
    """

    applicant: Applicant
    jobs: ClaimJobs
    read_ledger: Callable[[], Ledger]
    clock: Clock
    price: Price | None = None
    """By which budgets of cost are measured."""
    holders: set[str] = field(default_factory=set)
    _rowless: dict[int, Ticket] = field(default_factory=dict)
    _forgotten: list[int] = field(default_factory=list)
    """Numbers that are taken and whose jobs are gone: they count for nobody."""

    def admit(self, ledger: Ledger) -> Ticket:
        """Take the next free ticket, or raise QuotaExceeded. `ledger` has just been read.

        Refusals are decided on fresh rows only: what a collision taught us may already have ended again.
        """
        is_fresh = True
        self._learn(ledger)
        for _ in range(MAX_COLLISIONS):
            now = self.clock()
            if mine := self._own_ticket():
                return _still_good(mine, now)
            try:
                bytes_held = self._hold(ledger, now)
            except QuotaExceeded:
                if is_fresh:
                    raise
                ledger, is_fresh = self.read_ledger(), True
                self._learn(ledger)
                continue
            number = self._next_number(ledger)
            ticket = take(self.jobs, self.applicant, number, now, bytes_held)
            if ticket is None:
                self._forgotten.append(number)
                continue
            self._rowless[number] = ticket
            self.holders.add(ticket.run_id)
            is_fresh = False
        raise Unavailable("this tenant is admitting too many runs at once")

    def check(self, ledger: Ledger) -> None:
        """Raise QuotaExceeded where the rows leave no room, as `admit` would; take no ticket.

        A run that has its ticket already, by a request whose answer got lost, is not refused.
        """
        refusal = excess(ledger.use, ledger.limits, self.clock())
        if refusal is None:
            return
        self._learn(ledger)
        if self._own_ticket() is None:
            raise refusal

    def _next_number(self, ledger: Ledger) -> int:
        """Return the number above all that are known.

        Where no row tells how far a tenant once came, numbers that are forgotten are passed in growing steps:
        by the same way for everybody, so that the first is met by all others.
        """
        known = max([ledger.last_ticket, *self._rowless])
        passed = max([known, *self._forgotten])
        is_lost = known == 0 and self._forgotten
        return passed + (2 ** min(len(self._forgotten), MAX_DOUBLINGS) if is_lost else 1)

    def _hold(self, ledger: Ledger, now: datetime) -> int | None:
        """Return what the run is to hold of budgets; raise what forbids one run more."""
        if refusal := self._refusal(ledger, now):
            raise refusal
        return hold_for(self.applicant, ledger, list(self._rowless.values()), self.price, now)

    def _refusal(self, ledger: Ledger, now: datetime) -> QuotaExceeded | None:
        """Return what forbids one run more: the plan, or the schedule or backfill that asks."""
        rowless, applicant = list(self._rowless.values()), self.applicant
        if refusal := excess(counted(ledger.use, rowless, now), ledger.limits, now, applicant.share):
            return refusal
        if applicant.share:
            running = running_of_schedule(applicant.config_id, ledger, rowless, now)
            return excess_of_schedule(running, applicant.share, now)
        running = running_of_backfill(applicant.backfill_id, ledger, rowless, now)
        return excess_of_backfill(running, applicant.max_parallel, now)

    def _learn(self, ledger: Ledger) -> None:
        """Keep the collisions that the rows do not know yet, and look up what else they leave out."""
        rowless = [ticket for number, ticket in self._rowless.items() if number > ledger.last_ticket]
        rowless += without_rows(self.jobs, self.applicant.tenant_id, ledger)
        self._rowless = {ticket.number: ticket for ticket in rowless}
        self.holders.update(ticket.run_id for ticket in rowless)

    def _own_ticket(self) -> Ticket | None:
        """Return the ticket that is ours: just taken, or by an earlier call whose answer got lost."""
        return next(
            (ticket for ticket in self._rowless.values() if ticket.run_id == self.applicant.run_id), None
        )


def _still_good(ticket: Ticket, now: datetime) -> Ticket:
    # An orphaned ticket no longer holds a slot: to go on with it could be one run too many at once.
    if ticket.is_orphaned(now):
        raise Conflict("the first request with this idempotency key died before its run began: use a new key")
    return ticket

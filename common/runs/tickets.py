"""Tickets: each admission of a tenant takes the next number, and the number is a claim (`common.claims`).

So admissions of one tenant are serial. Nobody takes ticket n without having read, or being told by n-1's
claim, of every admission before it; the plan's limits are exact, and as nothing is ever decremented, nothing
leaks.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice

from common.claims import Claim, ClaimJobs, as_label, try_claim
from common.costs.budgets import NO_BUDGET, Budget, Owner, Spending
from common.errors import Unavailable
from common.runs.quotas import Limits, ScheduleShare, Use
from common.runs.run import Run, TriggerType
from common.times import start_of_day, start_of_month

logger = logging.getLogger(__name__)

# From its ticket to its row an admission takes a second; a function that admits is stopped long before this.
ADMISSION_LIFETIME = timedelta(minutes=2)
# Then the sweeper, which comes each minute, has given an orphaned ticket its row, and the row can be read.
# From a table that is made anew, rows are kept for up to `common.setup.readiness.MAX_HOLD`.
CLOSED_AFTER = timedelta(minutes=30)
HELD = "bytes_held"
"""The label of a ticket that says what its run holds of budgets."""
MAX_GAPS = 1_000
"""Tickets without rows of one tenant: as many as begin at once, and no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """A tenant's tickets as its run rows tell them at one moment.

    `last_ticket` is the greatest of all time. `gaps` are tickets below it without a row: claimed by an
    admission whose row is not readable yet, or by one that died before it wrote its row; at most a few more
    than `MAX_GAPS` are named. `first_ticket` is the lowest with a row, where what is
    below it may still count (`may_count_since`); else 0. `backfills` counts, by backfill, the runs of
    `use.running` that backfills have asked for; `schedules` names, by config, those that its schedule has
    asked for, the oldest ticket first. `spending` is of this month, by config; `budgets` are those
    that hold for all of the tenant's runs together.
    """

    limits: Limits
    use: Use
    last_ticket: int
    first_ticket: int = 0
    gaps: tuple[int, ...] = ()
    backfills: Mapping[str, int] = field(default_factory=dict)
    schedules: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    spending: Mapping[str, Spending] = field(default_factory=dict)
    budgets: Mapping[Owner, Budget] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    """A run that wants to be admitted; beside others of its backfill, `max_parallel` of them at the most.

    `share` is what its schedule may take, None where none asks for it; `budget` is its file's.
    """

    tenant_id: str
    run_id: str
    config_id: str
    backfill_id: str = ""
    max_parallel: int = 0
    share: ScheduleShare | None = None
    budget: Budget = NO_BUDGET


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A ticket that is held: the number, the run it admits, and when (this decides the day it counts for).

    `bytes_held` is what the run holds of budgets, None where nothing bounds it.
    """

    number: int
    run_id: str
    config_id: str
    admitted_at: datetime
    backfill_id: str = ""
    is_scheduled: bool = False
    bytes_held: int | None = None

    def is_orphaned(self, now: datetime) -> bool:
        """Tell whether a ticket without a row will never get one from the admission that took it."""
        return now - self.admitted_at > ADMISSION_LIFETIME


def job_id(tenant_id: str, number: int) -> str:
    """Name the claim on a tenant's n-th ticket."""
    return f"cvg-ticket-{tenant_id}-{number}"


def take(
    jobs: ClaimJobs, applicant: Applicant, number: int, now: datetime, bytes_held: int | None = None
) -> Ticket | None:
    """Try to take a ticket for a run; the answer's `run_id` tells whose it is. None: nobody can tell."""
    tenant_id = applicant.tenant_id
    labels = {
        "tenant": tenant_id,
        "run": applicant.run_id,
        "pipeline": as_label(applicant.config_id),
        "admitted_us": str(_to_microseconds(now)),
    }
    if applicant.backfill_id:
        labels["backfill"] = as_label(applicant.backfill_id)
    if applicant.share:
        labels["trigger"] = TriggerType.SCHEDULE.value
    if bytes_held is not None:
        labels[HELD] = str(bytes_held)
    holder = try_claim(jobs, job_id(tenant_id, number), labels)
    return _ticket(holder, number) if holder else None


def look_up(jobs: ClaimJobs, tenant_id: str, number: int) -> Ticket | None:
    """Return who holds a ticket, None where nobody does."""
    found = jobs.find_claim(job_id(tenant_id, number))
    return _ticket(found, number) if found else None


def without_rows(jobs: ClaimJobs, tenant_id: str, ledger: Ledger) -> list[Ticket]:
    """Look up who holds the tickets that the rows leave out: in the gaps, and below the first.

    Unavailable where they are too many to be what died admissions leave behind.
    """
    if len(ledger.gaps) > MAX_GAPS:
        logger.error(
            "tickets do not add up",
            extra={"tenant": tenant_id, "last_ticket": ledger.last_ticket, "first_gap": ledger.gaps[0]},
        )
        raise Unavailable("too many tickets of this tenant have no run: its operator has been told")
    found = [ticket for gap in ledger.gaps if (ticket := look_up(jobs, tenant_id, gap))]
    # Tickets are claimed without gaps, so the first one that nobody holds ends the search.
    for number in range(ledger.first_ticket - 1, max(ledger.first_ticket - 1 - MAX_GAPS, 0), -1):
        ticket = look_up(jobs, tenant_id, number)
        if ticket is None:
            break
        found.append(ticket)
    return found


def gaps_between(tickets: Iterable[tuple[int, int]]) -> tuple[int, ...]:
    """List the numbers between pairs of tickets, but no more than it takes to see that they are too many."""
    numbers = (number for low, high in tickets for number in range(low + 1, high))
    return tuple(islice(numbers, MAX_GAPS + 1))


def by_schedule(running: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Read which runs of which schedules run, each told as "config run"."""
    pairs = [text.split(" ", 1) for text in running]
    return {config_id: tuple(run for other, run in pairs if other == config_id) for config_id, _ in pairs}


def with_ticket(ledger: Ledger, ticket: Ticket) -> Ledger:
    """Return a ledger as it stands once one more run has its ticket, for a filler that admits several."""
    if ticket.number <= ledger.last_ticket and ticket.number not in ledger.gaps:
        return ledger
    use = ledger.use
    skipped = gaps_between([(ledger.last_ticket, ticket.number)])
    running = {ticket.config_id: (*ledger.schedules.get(ticket.config_id, ()), ticket.run_id)}
    return replace(
        ledger,
        use=Use(
            today=use.today + 1,
            month=use.month + 1,
            running=use.running + 1,
            scheduled=use.scheduled + ticket.is_scheduled,
        ),
        last_ticket=max(ledger.last_ticket, ticket.number),
        gaps=tuple(number for number in (*ledger.gaps, *skipped) if number != ticket.number),
        backfills=Counter(ledger.backfills) + _one_of(ticket.backfill_id),
        schedules={**ledger.schedules, **running} if ticket.is_scheduled else ledger.schedules,
        spending={
            **ledger.spending,
            ticket.config_id: ledger.spending.get(ticket.config_id, Spending()) + spending_of(ticket),
        },
    )


def without_one(ledger: Ledger, run: Run) -> Ledger:
    """Return a ledger as it stands once a run has ended."""
    use = ledger.use
    return replace(
        ledger,
        use=replace(use, running=use.running - 1),
        backfills=Counter(ledger.backfills) - _one_of(run.trigger.backfill_id),
        schedules={
            config_id: tuple(run_id for run_id in run_ids if run_id != run.run_id)
            for config_id, run_ids in ledger.schedules.items()
        },
    )


def may_count_since(now: datetime) -> datetime:
    """Return the moment before which no ticket without a row counts any more, nor is one of ours unknown."""
    return min(start_of_month(now), now - CLOSED_AFTER)


def counted(use: Use, rowless: list[Ticket], now: datetime) -> Use:
    """Add tickets without rows: each counts for its day and month, and as running until it is orphaned."""
    return Use(
        today=use.today + sum(ticket.admitted_at >= start_of_day(now) for ticket in rowless),
        month=use.month + sum(ticket.admitted_at >= start_of_month(now) for ticket in rowless),
        running=use.running + sum(not ticket.is_orphaned(now) for ticket in rowless),
        scheduled=use.scheduled
        + sum(ticket.is_scheduled and ticket.admitted_at >= start_of_day(now) for ticket in rowless),
    )


def spending_of(ticket: Ticket) -> Spending:
    """Return what a run is to come to that has just got its ticket."""
    if ticket.bytes_held is None:
        return Spending(boundless=1)
    return Spending(held=ticket.bytes_held)


def running_of_backfill(backfill_id: str, ledger: Ledger, rowless: list[Ticket], now: datetime) -> int:
    """Count the runs of a backfill that have not ended, those whose tickets have no rows yet among them."""
    label = as_label(backfill_id)
    unwritten = sum(ticket.backfill_id == label and not ticket.is_orphaned(now) for ticket in rowless)
    return ledger.backfills.get(backfill_id, 0) + unwritten


def running_of_schedule(config_id: str, ledger: Ledger, rowless: list[Ticket], now: datetime) -> int:
    """Count the runs of a config's schedule that have not ended, those without rows yet among them."""
    label = as_label(config_id)
    unwritten = sum(
        ticket.is_scheduled and ticket.config_id == label and not ticket.is_orphaned(now)
        for ticket in rowless
    )
    return len(ledger.schedules.get(config_id, ())) + unwritten


def _one_of(backfill_id: str) -> Counter[str]:
    return Counter([backfill_id] if backfill_id else [])


def _ticket(holder: Claim, number: int) -> Ticket:
    labels = holder.labels
    return Ticket(
        number=number,
        run_id=labels["run"],
        config_id=labels["pipeline"],
        admitted_at=datetime.fromtimestamp(int(labels["admitted_us"]) / 1_000_000, UTC),
        backfill_id=labels.get("backfill", ""),
        is_scheduled=labels.get("trigger") == TriggerType.SCHEDULE,
        bytes_held=int(labels[HELD]) if HELD in labels else None,
    )


def _to_microseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond

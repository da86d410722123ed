"""Quotas are exact under any concurrency, and nothing that dies half-way makes them leak."""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from common.errors import Conflict, QuotaExceeded, Unavailable
from common.runs.admission import Admission
from common.runs.quotas import Limits
from common.runs.run import Run, RunStatus, Trigger, TriggerType
from common.runs.tickets import (
    ADMISSION_LIFETIME,
    CLOSED_AFTER,
    MAX_GAPS,
    Applicant,
    Ledger,
    Ticket,
    take,
    with_ticket,
)
from common.setup.readiness import MAX_HOLD
from tests.fakes.clock import VirtualClock
from tests.fakes.jobs import MemoryJobs
from tests.fakes.runs import MemoryRuns, MemoryTenant
from tests.unit.runs.examples import a_run

LIMITS = Limits(daily=6, monthly=180, concurrent=3)


def applicant(run_id: str) -> Applicant:
    return Applicant(tenant_id="acme", run_id=run_id, config_id="daily")


class Platform:
    """Enough of it to admit runs of one tenant."""

    def __init__(self, limits: Limits = LIMITS, now: datetime | None = None) -> None:
        self.clock = VirtualClock(now) if now else VirtualClock()
        self.jobs = MemoryJobs(self.clock)
        self.rows = MemoryRuns()
        self.rows.tenants["acme"] = MemoryTenant(limits=limits)

    def admit(self, run_id: str, *, by: Applicant | None = None, write_row: bool = True) -> Ticket:
        admission = Admission(
            applicant=by or applicant(run_id),
            jobs=self.jobs,
            read_ledger=self.read_ledger,
            clock=self.clock,
        )
        ticket = admission.admit(self.read_ledger())
        if write_row:
            self.write_row(ticket)
        return ticket

    def read_ledger(self) -> Ledger:
        return self.rows.read_admission("acme", "", "", self.clock()).ledger

    def write_row(self, ticket: Ticket, status: RunStatus = RunStatus.PENDING) -> Run:
        trigger = Trigger(type=TriggerType.API, by="api_user")
        if ticket.backfill_id:
            trigger = Trigger(type=TriggerType.BACKFILL, by=ticket.backfill_id)
        run = a_run(
            run_id=ticket.run_id, ticket=ticket.number, started_at=ticket.admitted_at, trigger=trigger
        )
        self.rows.append_run(run, status, self.clock())
        return run

    def end(self, ticket: Ticket) -> None:
        self.write_row(ticket, RunStatus.COMPLETED)


def test_a_run_over_the_concurrent_limit_is_refused_with_the_numbers() -> None:
    platform = Platform()
    for number in range(3):
        platform.admit(f"run-{number}")
    with pytest.raises(QuotaExceeded) as refused:
        platform.admit("run-3")
    assert (refused.value.limit_name, refused.value.used, refused.value.limit) == ("concurrent", 3, 3)
    assert refused.value.retry_after_seconds == 60


def test_numbers_go_on_where_old_ids_are_taken_and_their_jobs_forgotten() -> None:
    platform = Platform()
    platform.jobs.forgotten = {f"cvg-ticket-acme-{number}" for number in range(1, 250)}
    first = platform.admit("run-0")
    assert first.number > 249
    assert [platform.admit(f"run-{number}").number for number in (1, 2)] == [
        first.number + 1,
        first.number + 2,
    ]


def test_all_who_pass_forgotten_numbers_meet_at_the_first_that_is_free() -> None:
    platform = Platform()
    platform.jobs.forgotten = {f"cvg-ticket-acme-{number}" for number in range(1, 6)}
    died = platform.admit("died", write_row=False)
    assert platform.admit("next").number == died.number + 1
    assert platform.admit("died").number == died.number


def test_a_forgotten_number_among_known_ones_is_passed_and_counts_for_nobody() -> None:
    platform = Platform(Limits(daily=6, monthly=180, concurrent=2))
    platform.admit("run-1")
    platform.jobs.forgotten = {"cvg-ticket-acme-2"}
    assert platform.admit("run-3").number == 3
    with pytest.raises(QuotaExceeded):
        platform.admit("run-4")


def test_a_ticket_that_cannot_be_true_stops_its_tenant_alone_and_tells_the_operator(
    caplog: pytest.LogCaptureFixture,
) -> None:
    platform = Platform()
    platform.end(platform.admit("run-1"))
    forged = Ticket(number=50_000_000, run_id="forged", config_id="daily", admitted_at=platform.clock())
    platform.end(forged)
    with pytest.raises(Unavailable, match="too many tickets"):
        platform.admit("run-2")
    (record,) = caplog.records
    assert (record.message, record.levelname) == ("tickets do not add up", "ERROR")
    assert vars(record)["tenant"] == "acme"


def test_a_ledger_that_goes_along_names_no_more_gaps_than_it_takes() -> None:
    ledger = Platform().read_ledger()
    ahead = Ticket(number=10**9, run_id="r", config_id="daily", admitted_at=datetime.now(UTC))
    assert len(with_ticket(ledger, ahead).gaps) <= MAX_GAPS + 1


def test_an_ended_run_frees_its_slot_and_stays_counted_for_its_day() -> None:
    platform = Platform()
    for number in range(6):
        platform.end(platform.admit(f"run-{number}"))
    with pytest.raises(QuotaExceeded) as refused:
        platform.admit("run-6")
    assert (refused.value.limit_name, refused.value.used) == ("daily", 6)


def test_a_new_day_opens_the_daily_limit_and_a_run_across_midnight_still_runs() -> None:
    platform = Platform(now=datetime(2026, 3, 15, 23, 59, 59, tzinfo=UTC))
    tickets = [platform.admit(f"run-{number}") for number in range(3)]
    platform.clock.advance(timedelta(seconds=2))
    with pytest.raises(QuotaExceeded, match="concurrent"):
        platform.admit("run-3")
    platform.end(tickets[0])
    assert platform.admit("run-3").number == 4


def test_a_new_month_opens_the_monthly_limit() -> None:
    platform = Platform(
        Limits(daily=10, monthly=2, concurrent=10), now=datetime(2026, 2, 28, 23, 0, tzinfo=UTC)
    )
    platform.admit("run-0")
    platform.admit("run-1")
    with pytest.raises(QuotaExceeded) as refused:
        platform.admit("run-2")
    assert refused.value.resets_at == datetime(2026, 3, 1, tzinfo=UTC)
    platform.clock.advance(timedelta(hours=1))
    assert platform.admit("run-2").number == 3


def test_a_ticket_without_a_row_counts_as_running() -> None:
    platform = Platform()
    platform.admit("died", write_row=False)
    platform.admit("run-1")
    platform.admit("run-2")
    with pytest.raises(QuotaExceeded) as refused:
        platform.admit("run-3")
    assert refused.value.used == 3


def test_the_same_run_asked_again_after_a_crash_gets_its_own_ticket() -> None:
    platform = Platform()
    first = platform.admit("run-0", write_row=False)
    platform.admit("run-1")
    platform.clock.advance(timedelta(seconds=5))
    assert platform.admit("run-0", write_row=False) == first


def test_an_orphaned_ticket_keeps_no_slot_and_stays_counted_for_its_day() -> None:
    platform = Platform(Limits(daily=2, monthly=180, concurrent=1))
    platform.admit("died", write_row=False)
    with pytest.raises(QuotaExceeded, match="concurrent"):
        platform.admit("run-1")
    platform.clock.advance(timedelta(minutes=3))
    platform.end(platform.admit("run-1"))
    with pytest.raises(QuotaExceeded, match="daily"):
        platform.admit("run-2")


def test_a_run_whose_ticket_is_orphaned_does_not_go_on_without_a_slot() -> None:
    platform = Platform()
    platform.admit("died", write_row=False)
    platform.clock.advance(timedelta(minutes=3))
    with pytest.raises(Conflict, match="use a new key"):
        platform.admit("died")


def test_a_run_gets_no_second_ticket_in_the_month_after_its_first_was_orphaned() -> None:
    """Its ticket is below the first that has a row, of a month that counts for nothing any more."""
    platform = Platform(now=datetime(2026, 3, 31, 23, 58, tzinfo=UTC))
    platform.admit("died", write_row=False)
    platform.clock.advance(timedelta(seconds=110))
    platform.admit("run-1")
    platform.clock.advance(timedelta(minutes=3))
    with pytest.raises(Conflict, match="use a new key"):
        platform.admit("died")


def test_a_refusal_is_decided_on_rows_read_after_the_last_collision() -> None:
    """Three others were admitted since our read, and one of them has already ended again."""
    platform = Platform()
    stale = platform.read_ledger()
    others = [platform.admit(f"other-{number}") for number in range(3)]
    platform.end(others[0])
    admission = Admission(
        applicant=applicant("ours"),
        jobs=platform.jobs,
        read_ledger=platform.read_ledger,
        clock=platform.clock,
    )
    assert admission.admit(stale).number == 4


@pytest.mark.parametrize("has_late_rows", [False, True])
def test_admissions_at_once_never_pass_the_limit_and_never_share_a_ticket(has_late_rows: bool) -> None:
    platform = Platform(Limits(daily=6, monthly=180, concurrent=4))
    admitted: list[Ticket] = []
    barrier = threading.Barrier(12)

    def ask(number: int) -> None:
        barrier.wait()
        with suppress(QuotaExceeded):
            admitted.append(platform.admit(f"run-{number}", write_row=not has_late_rows))

    _in_threads([partial(ask, number) for number in range(12)])
    assert sorted(ticket.number for ticket in admitted) == [1, 2, 3, 4]


def test_tickets_are_exact_for_every_interleaving_of_read_and_claim() -> None:
    """Each of two callers reads before the other claims: without the claim both would take the last slot."""
    platform = Platform(Limits(daily=1, monthly=10, concurrent=10))
    stale = platform.read_ledger()
    taken = take(platform.jobs, applicant("first"), 1, platform.clock())
    assert taken is not None
    platform.write_row(taken)
    admission = Admission(
        applicant=applicant("second"),
        jobs=platform.jobs,
        read_ledger=platform.read_ledger,
        clock=platform.clock,
    )
    with pytest.raises(QuotaExceeded, match="daily"):
        admission.admit(stale)


# Backfills


def of_backfill(run_id: str, backfill_id: str = "backfill-1", most: int = 1) -> Applicant:
    return replace(applicant(run_id), backfill_id=backfill_id, max_parallel=most)


def test_a_backfill_runs_no_more_at_once_than_it_may_while_the_plan_has_room() -> None:
    platform = Platform()
    first = platform.admit("run-0", by=of_backfill("run-0"))
    with pytest.raises(QuotaExceeded, match="max_parallel limit of the backfill is reached: 1 of 1"):
        platform.admit("run-1", by=of_backfill("run-1"))
    platform.admit("run-2", by=of_backfill("run-2", "backfill-2"))
    platform.admit("run-3")
    platform.end(first)
    assert platform.admit("run-1", by=of_backfill("run-1")).number == 4


def test_a_run_of_a_backfill_counts_by_its_ticket_before_it_has_a_row() -> None:
    platform = Platform()
    platform.admit("run-0", by=of_backfill("run-0"), write_row=False)
    with pytest.raises(QuotaExceeded, match="max_parallel"):
        platform.admit("run-1", by=of_backfill("run-1"))
    platform.clock.advance(timedelta(minutes=3))
    assert platform.admit("run-1", by=of_backfill("run-1")).number == 2


def test_of_two_that_read_before_either_claims_one_run_of_a_backfill_is_admitted() -> None:
    platform = Platform()
    stale = platform.read_ledger()
    platform.admit("run-0", by=of_backfill("run-0"))
    admission = Admission(
        applicant=of_backfill("run-1"),
        jobs=platform.jobs,
        read_ledger=platform.read_ledger,
        clock=platform.clock,
    )
    with pytest.raises(QuotaExceeded, match="max_parallel"):
        admission.admit(stale)


def test_a_ticket_without_a_row_is_known_as_long_as_its_row_may_be_kept_from_the_table() -> None:
    assert ADMISSION_LIFETIME + MAX_HOLD + timedelta(minutes=1) < CLOSED_AFTER


def _in_threads(work: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=item) for item in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

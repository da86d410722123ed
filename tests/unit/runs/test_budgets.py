"""Budgets are exact under any concurrency, and a run stops before the step that would break one."""

import threading
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from common.costs.budgets import Budget, Owner
from common.errors import BudgetExceeded, Unavailable
from common.pipelines.pipeline import OnFailure, Retry
from common.runs.admission import Admission
from common.runs.allowances import BUDGET_EXCEEDED
from common.runs.attempts import bytes_billed
from common.runs.cancelling import flag
from common.runs.level_messages import LevelMessage, decode, encode
from common.runs.progress import OpenRun
from common.runs.quotas import Limits
from common.runs.run import RunStatus, StepRow, StepStatus
from common.runs.tickets import Applicant, Ticket, with_ticket
from tests.fakes.clock import START
from tests.fakes.jobs import Outcome
from tests.fakes.runs import MemoryProgress, MemoryTenant
from tests.unit.runs import test_admission, test_levels
from tests.unit.runs.examples import RUN_ID, a_message, a_pipeline, a_query, a_run, a_step

MIB = 2**20
WIDE = Limits(daily=100, monthly=1000, concurrent=50)


class Admissions(test_admission.Platform):
    """Admissions of a tenant whose plan is no matter."""

    def __init__(self, budget: Budget) -> None:
        super().__init__(WIDE)
        self.budget = budget

    def ask(self, run_id: str, *, config_id: str = "daily", has_row: bool = True) -> Ticket:
        applicant = Applicant(tenant_id="acme", run_id=run_id, config_id=config_id, budget=self.budget)
        admission = Admission(
            applicant=applicant, jobs=self.jobs, read_ledger=self.read_ledger, clock=self.clock
        )
        ticket = admission.admit(self.read_ledger())
        if has_row:
            self.row_of(ticket)
        return ticket

    def row_of(
        self, ticket: Ticket, status: RunStatus = RunStatus.PENDING, billed: int | None = None
    ) -> None:
        run = a_run(
            run_id=ticket.run_id,
            config_id=ticket.config_id,
            ticket=ticket.number,
            started_at=ticket.admitted_at,
            bytes_held=ticket.bytes_held,
        )
        self.rows.append_run(run, status, self.clock(), bytes_billed=billed)


THREE = Budget(max_bytes_per_run=100 * MIB, max_bytes_per_month=300 * MIB)


def test_runs_hold_what_they_may_be_billed_for_until_they_have_ended() -> None:
    platform = Admissions(THREE)
    tickets = [platform.ask(f"run-{number}") for number in range(3)]
    assert [ticket.bytes_held for ticket in tickets] == [100 * MIB] * 3
    with pytest.raises(BudgetExceeded) as refused:
        platform.ask("run-3")
    assert (refused.value.is_held, refused.value.held) == (True, 300 * MIB)
    platform.row_of(tickets[0], RunStatus.COMPLETED, 40 * MIB)
    with pytest.raises(BudgetExceeded):
        platform.ask("run-3")
    platform.row_of(tickets[1], RunStatus.COMPLETED, 60 * MIB)
    assert platform.ask("run-3").bytes_held == 100 * MIB


def test_a_run_of_which_nobody_knows_what_it_was_billed_for_counts_as_what_it_held() -> None:
    platform = Admissions(THREE)
    for number in range(3):
        platform.row_of(platform.ask(f"run-{number}"), RunStatus.CANCELLED, None)
    with pytest.raises(BudgetExceeded) as refused:
        platform.ask("run-3")
    assert (refused.value.is_held, refused.value.used) == (False, 300 * MIB)


def test_a_ticket_without_a_row_holds_what_it_says_until_it_is_orphaned() -> None:
    platform = Admissions(Budget(max_bytes_per_month=300 * MIB))
    assert platform.ask("died", has_row=False).bytes_held == 300 * MIB
    with pytest.raises(BudgetExceeded, match="held by runs under way"):
        platform.ask("run-1")
    platform.clock.advance(timedelta(minutes=3))
    assert platform.ask("run-1").bytes_held == 300 * MIB


def test_a_run_that_was_admitted_before_there_was_a_budget_is_waited_for() -> None:
    platform = Admissions(Budget())
    before = platform.ask("before")
    platform.budget = THREE
    with pytest.raises(BudgetExceeded, match="held by runs under way"):
        platform.ask("run-1")
    platform.row_of(before, RunStatus.COMPLETED, 250 * MIB)
    assert platform.ask("run-1").bytes_held == 50 * MIB


def test_a_pipelines_budget_is_none_of_another_pipelines() -> None:
    platform = Admissions(Budget(max_bytes_per_month=300 * MIB))
    platform.ask("run-1", has_row=False)
    assert platform.ask("run-2", config_id="other").bytes_held == 300 * MIB


def test_a_tenants_budget_is_for_all_of_its_pipelines() -> None:
    platform = Admissions(Budget(max_bytes_per_run=200 * MIB))
    platform.rows.tenants["acme"].budgets = {Owner.TENANT: Budget(max_bytes_per_month=300 * MIB)}
    platform.ask("run-1", has_row=False)
    with pytest.raises(BudgetExceeded) as refused:
        platform.ask("run-2", config_id="other")
    assert (refused.value.scope, refused.value.held) == ("tenant", 200 * MIB)


def test_a_new_month_has_its_own_budget() -> None:
    platform = Admissions(Budget(max_bytes_per_month=300 * MIB))
    platform.row_of(platform.ask("run-1"), RunStatus.COMPLETED, 300 * MIB)
    with pytest.raises(BudgetExceeded):
        platform.ask("run-2")
    platform.clock.advance(timedelta(days=31))
    assert platform.ask("run-2").bytes_held == 300 * MIB


def test_whoever_admits_several_in_a_row_counts_what_they_hold() -> None:
    platform = Admissions(THREE)
    ticket = platform.ask("run-1", has_row=False)
    ledger = with_ticket(platform.read_ledger(), ticket)
    assert ledger.spending["daily"].held == 100 * MIB


@pytest.mark.parametrize("has_row", [True, False])
def test_forty_at_once_never_hold_more_than_there_is(has_row: bool) -> None:
    platform = Admissions(Budget(max_bytes_per_run=30 * MIB, max_bytes_per_month=100 * MIB))
    admitted: list[Ticket] = []
    barrier = threading.Barrier(40)

    def ask(number: int) -> None:
        barrier.wait()
        with suppress(BudgetExceeded):
            admitted.append(platform.ask(f"run-{number}", has_row=has_row))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [ticket.bytes_held for ticket in admitted] == [30 * MIB] * 3


# Levels


def a_bounded_message(*steps: str, held: int, level_two: tuple[str, ...] = ()) -> LevelMessage:
    levels = [tuple(a_step(name) for name in steps)]
    if level_two:
        levels.append(tuple(a_step(name, 2) for name in level_two))
    return a_message(a_pipeline(*levels), run=a_run(bytes_held=held))


class Levels(test_levels.Platform):
    """One run whose steps read something."""

    def __init__(self, **bytes_of: int) -> None:
        super().__init__()
        self.jobs.bytes_of = bytes_of

    @property
    def end(self) -> tuple[RunStatus, int | None]:
        row = self.rows.current()[RUN_ID]
        return row.status, row.bytes_billed

    def caps(self) -> dict[str, int | None]:
        return {job.work.destination: report.most_billed for job, report in self.jobs.reports}


def test_a_run_says_in_the_end_what_it_was_billed_for_with_a_budget_or_without() -> None:
    for held in (None, 100 * MIB):
        platform = Levels(extract=20 * MIB, transform=30 * MIB)
        platform.run_to_end(a_message(run=a_run(bytes_held=held)))
        assert platform.end == (RunStatus.COMPLETED, 50 * MIB)


def test_a_run_stops_before_the_step_that_would_break_its_budget() -> None:
    platform = Levels(extract=20 * MIB, transform=81 * MIB)
    platform.run_to_end(a_message(run=a_run(bytes_held=100 * MIB)))
    assert platform.written == ["extract"]
    assert platform.end == (RunStatus.FAILED, 20 * MIB)
    failed = platform.rows.steps_of(RUN_ID)["transform"]
    assert (failed.status, failed.error_reason) == (StepStatus.FAILED, BUDGET_EXCEEDED)
    assert "would be billed for 84,934,656 bytes, and of the 104,857,600 that the run" in failed.error_message


def test_what_was_found_in_a_cache_is_left_to_the_next_level() -> None:
    platform = Levels(extract=90 * MIB, transform=90 * MIB)
    platform.jobs.billed_of = {"extract": 0}
    platform.run_to_end(a_message(run=a_run(bytes_held=100 * MIB)))
    assert platform.end == (RunStatus.COMPLETED, 90 * MIB)


def test_steps_that_run_at_once_stay_within_it_together() -> None:
    platform = Levels(a=40 * MIB, b=40 * MIB, c=40 * MIB)
    platform.run_to_end(a_bounded_message("a", "b", "c", held=100 * MIB))
    assert platform.written == ["a", "b"]
    refused = platform.rows.steps_of(RUN_ID)["c"]
    assert "0 are billed already, and 104,857,600 are kept for steps beside it" in refused.error_message
    assert platform.caps() == {"a": 50 * MIB, "b": 50 * MIB}
    assert platform.end == (RunStatus.FAILED, 80 * MIB)


def test_lanes_stay_within_it_together() -> None:
    platform = Levels(a=40 * MIB, b=40 * MIB, c=40 * MIB)
    message = a_bounded_message("a", "b", "c", held=100 * MIB)
    platform.run_to_end(replace(message, pipeline=replace(message.pipeline, max_parallel=1)))
    assert platform.end == (RunStatus.FAILED, 80 * MIB)


def test_what_grows_after_its_dry_run_is_refused_by_bigquery() -> None:
    platform = Levels(a=40 * MIB)
    platform.jobs.billed_of = {"a": 101 * MIB}
    platform.run_to_end(a_bounded_message("a", held=100 * MIB))
    assert platform.end == (RunStatus.FAILED, 0)
    assert platform.rows.steps_of(RUN_ID)["a"].error_reason == "bytesBilledLimitExceeded"


def test_a_steps_own_limit_stays_where_it_is_the_lower_one() -> None:
    platform = Levels(a=40 * MIB)
    step = a_step("a", jobs=(a_query("a", maximum_bytes_billed=60 * MIB),))
    platform.run_to_end(a_message(a_pipeline((step,)), run=a_run(bytes_held=100 * MIB)))
    assert platform.caps() == {"a": 60 * MIB}


def test_what_a_steps_first_job_takes_is_not_left_to_its_second() -> None:
    platform = Levels(beside=60 * MIB, main=50 * MIB)
    jobs = (a_query("beside"), a_query("main", name="publish"))
    platform.run_to_end(a_message(a_pipeline((a_step("main", jobs=jobs),)), run=a_run(bytes_held=100 * MIB)))
    assert platform.written == ["beside"]
    refused = platform.rows.steps_of(RUN_ID)["main"]
    assert "that the run may be billed for 41,943,040 are left to it" in refused.error_message
    assert platform.end == (RunStatus.FAILED, 60 * MIB)


def test_a_step_with_more_queries_gets_what_others_leave() -> None:
    platform = Levels(a=10 * MIB, beside=20 * MIB, main=70 * MIB)
    jobs = (a_query("beside"), a_query("main", name="publish"))
    message = a_message(a_pipeline((a_step("a"), a_step("main", jobs=jobs))), run=a_run(bytes_held=100 * MIB))
    platform.run_to_end(message)
    assert platform.end == (RunStatus.COMPLETED, 100 * MIB)


def test_a_step_in_a_project_of_the_tenants_own_takes_nothing_of_it() -> None:
    platform = Levels(a=500 * MIB)
    platform.run_to_end(
        a_message(a_pipeline((a_step("a", credential="ours"),)), run=a_run(bytes_held=100 * MIB))
    )
    assert platform.end == (RunStatus.COMPLETED, 0)


def test_a_step_that_may_fail_may_be_refused() -> None:
    platform = Levels(a=500 * MIB, b=10 * MIB)
    steps = (a_step("a", on_failure=OnFailure.CONTINUE), a_step("b"))
    platform.run_to_end(a_message(a_pipeline(steps), run=a_run(bytes_held=100 * MIB)))
    assert platform.end == (RunStatus.COMPLETED, 10 * MIB)


def test_a_level_that_is_handed_over_keeps_its_shares() -> None:
    platform = Levels(a=40 * MIB, b=20 * MIB)
    platform.jobs.outcomes["a"] = Outcome(takes=timedelta(minutes=30))
    message = a_bounded_message("a", "b", held=100 * MIB)
    platform.deliver(message)
    following = platform.levels.take()
    assert following.shares == {"a": 60 * MIB, "b": 40 * MIB}
    assert decode(encode(following)) == following
    dry_runs = len(platform.jobs.dry_runs)
    platform.run_to_end(following)
    assert len(platform.jobs.dry_runs) == dry_runs
    assert platform.end == (RunStatus.COMPLETED, 60 * MIB)


def test_nothing_is_begun_where_bigquery_does_not_say_what_a_step_reads() -> None:
    platform = Levels(a=40 * MIB, b=40 * MIB)
    platform.jobs.refusals["dry run", "b"] = (503, "backendError", "try again")
    with pytest.raises(Unavailable):
        platform.deliver(a_bounded_message("a", "b", held=100 * MIB))
    assert platform.jobs.submitted == []
    del platform.jobs.refusals["dry run", "b"]
    platform.run_to_end(a_bounded_message("a", "b", held=100 * MIB))
    assert platform.end == (RunStatus.COMPLETED, 80 * MIB)


def test_a_run_that_the_sweeper_continues_knows_what_it_was_billed_for() -> None:
    platform = Levels(extract=60 * MIB, transform=50 * MIB)
    message = a_message(run=a_run(bytes_held=100 * MIB))
    platform.rows.tenants["acme"] = MemoryTenant()
    platform.rows.append_run(message.run, RunStatus.PENDING, platform.clock())
    platform.deliver(message)
    platform.deliver(message)
    found = _found(platform)
    assert found._message(message.pipeline).bytes_billed == 60 * MIB
    platform.levels.sent.clear()
    platform.run_to_end(found._message(message.pipeline))
    assert platform.end == (RunStatus.FAILED, 60 * MIB)


def test_a_run_that_is_cancelled_counts_as_what_its_jobs_may_have_been_billed_for() -> None:
    platform = Levels(a=40 * MIB, b=10 * MIB)
    platform.jobs.outcomes["a"] = Outcome(takes=timedelta(hours=2))
    message = a_bounded_message("a", "b", held=1000 * MIB)
    platform.rows.append_run(message.run, RunStatus.PENDING, platform.clock())
    platform.deliver(message)
    flag(platform.jobs, "acme", RUN_ID)
    platform.run_to_end(platform.levels.take())
    row = platform.rows.current()[RUN_ID]
    assert (row.status, row.bytes_billed) == (RunStatus.CANCELLED, None)
    assert row.run.bytes_held == (40 + 950 // 2 + 10) * MIB


def test_a_run_that_is_cancelled_while_an_attempt_has_failed_counts_what_another_delivery_has_made() -> None:
    platform = Levels(a=40 * MIB)
    platform.jobs.outcomes["a"] = Outcome(errors=[("backendError", "try again")])
    step = a_step("a", retry=Retry(attempts=2, backoff_seconds=1))
    message = a_message(a_pipeline((step,)), run=a_run(bytes_held=100 * MIB))

    def overtake(point: str) -> None:
        if point.startswith("find claim cvg-cancel") and platform.jobs.reports:
            platform.disturb = die_after_the_second_attempt
            with pytest.raises(test_levels.ProcessKilled):
                platform.deliver(message)
            platform.disturb = lambda _: None
            flag(platform.jobs, "acme", RUN_ID)

    def die_after_the_second_attempt(point: str) -> None:
        if point.startswith("before step rows") and platform.jobs.effects:
            raise test_levels.ProcessKilled

    platform.disturb = overtake
    platform.run_to_end(message)
    assert platform.end == (RunStatus.CANCELLED, 40 * MIB)


def test_a_run_that_is_cancelled_before_it_begins_is_billed_nothing() -> None:
    platform = Levels(a=40 * MIB)
    flag(platform.jobs, "acme", RUN_ID)
    platform.run_to_end(a_bounded_message("a", held=100 * MIB))
    assert platform.end == (RunStatus.CANCELLED, 0)


def _found(platform: Levels) -> OpenRun:
    found = MemoryProgress(platform.rows).find("acme", RUN_ID, platform.clock())
    assert found
    return found


def a_row(status: StepStatus, job_id: str = "one", **changes: Any) -> StepRow:
    fields: dict[str, Any] = {
        "step_id": "a",
        "ps_type": "bq_etl.query",
        "index": 0,
        "level": 1,
        "attempt": 1,
        "status": status,
        "started_at": START,
        "job_id": job_id,
    }
    return StepRow(**fields | changes)


def test_what_jobs_were_billed_for_counts_each_job_once_and_nothing_that_nobody_is_billed_for() -> None:
    failed_by_checks = a_row(StepStatus.FAILED, "checks", bytes_billed=5)
    rows = [
        a_row(StepStatus.RUNNING, bytes_billed=10),
        a_row(StepStatus.CANCELLED, bytes_billed=10),  # Of a step that was to go on behind the same job.
        a_row(StepStatus.FAILED, "an-error"),
        a_row(StepStatus.COMPLETED, "theirs", bytes_billed=100, job_project="customer"),
        a_row(StepStatus.SKIPPED, ""),
        failed_by_checks,
    ]
    assert bytes_billed(rows) == 15
    assert bytes_billed([*rows, a_row(StepStatus.CANCELLED, "stopped")]) is None

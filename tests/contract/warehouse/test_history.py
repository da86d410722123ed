"""One contract for the history of runs, waiting ones among them, in memory and on the local BigQuery."""

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

import pytest

from common.pipelines.intervals import Interval
from common.queue.refusals import RefusalReader
from common.queue.run_queue import FiringStore, QueueStore
from common.queue.waiting import AdmissionResult, WaitingRun
from common.runs.ports import AdmissionReads, RunWrites
from common.runs.run import Run, RunStatus, StepRow, StepStatus, Trigger, TriggerType
from common.runs.run_queries import HistoryFilter, RunQueries
from common.runs.views import Figures, RunView
from common.warehouse.admissions import AdmissionRows
from common.warehouse.bigquery import Central, Queries
from common.warehouse.queue import FiringRows, QueueRows
from common.warehouse.refusals import RefusalRows
from common.warehouse.run_views import RunViewRows
from common.warehouse.runs import RunRows
from common.warehouse.streaming import Streaming
from tests.contract.warehouse.test_queue import a_waiting_run
from tests.fakes.clock import START, VirtualClock
from tests.fakes.history import MemoryHistory
from tests.fakes.jobs import MemoryJobs
from tests.fakes.runs import MemoryRuns
from tests.fakes.schedules import MemoryFirings, MemoryQueue, MemoryRefusals
from tests.unit.runs.examples import a_run

MINUTE = timedelta(minutes=1)
NOW = START + timedelta(hours=2)
_numbers = itertools.count()


class HistoryReader(Protocol):
    """What is under contract here."""

    def read_history(self, tenant_id: str, wanted: HistoryFilter) -> Sequence[RunView]: ...

    def read_figures(
        self, tenant_id: str, run_ids: Collection[str], since: datetime
    ) -> Mapping[str, Figures]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """Runs, the queue, firings, and the history of all."""

    runs: RunWrites
    facts: AdmissionReads
    queue: QueueStore
    firings: FiringStore
    refusals: RefusalReader
    history: HistoryReader


def in_memory() -> Backend:
    rows, queue, firings = MemoryRuns(), MemoryQueue(), MemoryFirings()
    refusals = MemoryRefusals(firings, queue, rows)
    history = MemoryHistory(rows, queue, refusals)
    return Backend(runs=rows, facts=rows, queue=queue, firings=firings, refusals=refusals, history=history)


def on_rows(central: Central) -> Backend:
    queries, streaming = Queries(central=central), Streaming(central=central)
    return Backend(
        runs=RunRows(streaming=streaming),
        facts=AdmissionRows(queries=queries),
        queue=QueueRows(queries=queries, streaming=streaming),
        firings=FiringRows(queries=queries, streaming=streaming),
        refusals=RefusalRows(queries=queries),
        history=RunViewRows(queries=queries),
    )


@pytest.fixture(scope="module", params=["memory", "bigquery"])
def backend(request: pytest.FixtureRequest) -> Backend:
    return in_memory() if request.param == "memory" else on_rows(request.getfixturevalue("bootstrapped"))


class Past:
    """The past of one new tenant, a run each ten minutes."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.tenant_id = f"remembers_{next(_numbers)}"
        self.runs = RunQueries(
            reads=backend.history,  # type: ignore[arg-type]
            facts=backend.facts,
            claims=MemoryJobs(VirtualClock()),
            clock=lambda: NOW,
        )

    def queue(
        self, number: int, status: RunStatus = RunStatus.QUEUED, error: str = "", **changes: Any
    ) -> WaitingRun:
        """Have a run join the queue, or leave it."""
        asked_at = START + 10 * number * MINUTE
        waiting = a_waiting_run(
            self.tenant_id, number, due_at=asked_at - MINUTE, added_at=asked_at, **changes
        )
        recorded_at = asked_at if status is RunStatus.QUEUED else asked_at + MINUTE
        self.backend.queue.append([AdmissionResult(waiting=waiting, status=status, error=error)], recorded_at)
        return waiting

    def begin(self, number: int, started_at: datetime | None = None, **changes: Any) -> Run:
        """Have a run begin: when it is asked for, or after it has waited."""
        asked_at = START + 10 * number * MINUTE
        run = a_run(
            tenant_id=self.tenant_id,
            run_id=f"{self.tenant_id}-run-{number}",
            ticket=number,
            started_at=started_at or asked_at,
            queued_at=asked_at if started_at else None,
            **changes,
        )
        self.backend.runs.append_run(run, RunStatus.PENDING, run.started_at)
        return run

    def page(self, **filters: Any) -> tuple[Sequence[RunView], str]:
        """Read a page."""
        return self.runs.history(self.tenant_id, **filters)

    def states(self, **filters: Any) -> list[str]:
        """Read a page as numbers and states."""
        return [f"{run.run_id[-1]} {run.status}" for run in self.page(**filters)[0]]


@pytest.fixture
def past(backend: Backend) -> Past:
    return Past(backend)


def test_runs_that_wait_are_in_the_history_where_they_were_asked_for(past: Past) -> None:
    past.begin(1)
    waiting = past.queue(2)
    past.begin(3)
    rows, cursor = past.page()
    assert past.states() == ["3 PENDING", "2 QUEUED", "1 PENDING"]
    assert cursor == ""
    found = rows[1]
    assert (found.config_id, found.config_version, found.trigger_type, found.trigger_by) == (
        "daily",
        1,
        "api",
        "api_user",
    )
    assert (found.queued_at, found.started_at) == (waiting.added_at, waiting.added_at)
    assert (found.run_date, found.ended_at, found.error_message) == (waiting.run_date, None, None)
    assert rows[0].queued_at is None


def test_a_run_keeps_its_place_when_it_leaves_the_queue_and_is_there_once(past: Past) -> None:
    past.begin(1)
    past.queue(2)
    past.begin(3)
    run = past.begin(2, started_at=NOW - MINUTE)
    assert past.states() == ["3 PENDING", "2 PENDING", "1 PENDING"]
    past.queue(2, RunStatus.PENDING)
    step = StepRow(
        step_id="extract",
        ps_type="bq_etl.query",
        index=0,
        level=1,
        attempt=1,
        status=StepStatus.RUNNING,
        started_at=run.started_at,
    )
    past.backend.runs.append_steps(run, [step], run.started_at)
    assert past.states() == ["3 PENDING", "2 RUNNING", "1 PENDING"]
    past.backend.runs.append_run(run, RunStatus.COMPLETED, NOW)
    assert past.states() == ["3 PENDING", "2 COMPLETED", "1 PENDING"]
    (found,) = past.page(status="COMPLETED")[0]
    assert (found.queued_at, found.started_at) == (START + 20 * MINUTE, NOW - MINUTE)


@pytest.mark.parametrize("when", [1, 2])
def test_a_run_that_begins_between_two_pages_is_neither_lost_nor_shown_twice(past: Past, when: int) -> None:
    """It begins later than all runs that were asked for after it: by its beginning it would go to the top."""
    for number in (1, 3, 5):
        past.begin(number)
    for number in (2, 4):
        past.queue(number)
    seen, cursor = [], ""
    for page in range(6):
        if page == when:
            for number in (2, 4):
                past.begin(number, started_at=NOW - MINUTE)
                past.queue(number, RunStatus.PENDING)
        rows, cursor = past.page(cursor=cursor, page_size=1)
        seen += [row.run_id[-1] for row in rows]
        if not cursor:
            break
    assert seen == ["5", "4", "3", "2", "1"]


def test_a_run_that_left_the_queue_without_having_begun_stays_with_its_reason(past: Past) -> None:
    past.queue(1)
    past.queue(1, RunStatus.FAILED, "the run waited too long")
    past.queue(2)
    past.queue(2, RunStatus.CANCELLED, "the run was cancelled")
    assert past.states() == ["2 CANCELLED", "1 FAILED"]
    (failed,) = past.page(status="FAILED")[0]
    assert (failed.error_message, failed.ended_at) == (
        "the run waited too long",
        START + 11 * MINUTE,
    )


def test_a_run_that_has_begun_and_has_no_row_yet_is_pending(past: Past) -> None:
    past.queue(1)
    past.queue(1, RunStatus.PENDING)
    assert past.states() == ["1 PENDING"]


def test_filters_hold_for_runs_that_wait_as_for_others(past: Past) -> None:
    past.begin(1)
    past.queue(2)
    past.queue(3)
    past.begin(4, config_id="other")
    assert past.states(status="QUEUED") == ["3 QUEUED", "2 QUEUED"]
    assert past.states(config_id="daily") == ["3 QUEUED", "2 QUEUED", "1 PENDING"]
    assert past.states(since=START + 20 * MINUTE, until=START + 40 * MINUTE) == ["3 QUEUED", "2 QUEUED"]
    past.begin(2, started_at=NOW - MINUTE)
    assert past.states(since=START + 20 * MINUTE, until=START + 30 * MINUTE) == ["2 PENDING"]
    assert past.states(since=START + 30 * MINUTE, config_id="daily") == ["3 QUEUED"]


def test_a_firing_that_waits_days_after_its_time_is_where_it_joined_the_queue(past: Past) -> None:
    trigger = Trigger(type=TriggerType.SCHEDULE, by="scheduler")
    waiting = a_waiting_run(
        past.tenant_id, 1, due_at=START - timedelta(days=6), added_at=START, trigger=trigger
    )
    past.backend.queue.append([AdmissionResult(waiting=waiting, status=RunStatus.QUEUED)], START)
    assert past.states(since=START) == ["1 QUEUED"]


def test_a_run_tells_what_it_retries_and_leaves_out_and_what_retries_it(past: Past) -> None:
    first = past.begin(1)
    again = [past.begin(number, retry_of=first.run_id, left_out=("load", "clean")) for number in (3, 2)]
    rows = {row.run_id: row for row in past.page()[0]}
    assert list(rows[first.run_id].retried_by) == [again[1].run_id, again[0].run_id]
    assert (rows[first.run_id].retry_of, rows[first.run_id].left_out) == (None, ())
    for run in again:
        told = rows[run.run_id]
        assert (told.retry_of, told.left_out) == (first.run_id, ("load", "clean"))
        assert not told.retried_by


def test_a_run_tells_of_a_retry_that_came_after_the_time_that_is_asked_for(past: Past) -> None:
    first = past.begin(1)
    later = past.begin(9, retry_of=first.run_id)
    (row,), _ = past.page(until=first.started_at + MINUTE)
    assert list(row.retried_by) == [later.run_id]


def test_a_run_that_waits_tells_what_it_leaves_out(past: Past) -> None:
    past.queue(1, left_out=("load",))
    (row,), _ = past.page()
    assert row.left_out == ("load",)


def test_another_tenants_runs_that_wait_are_not_in_the_history(past: Past, backend: Backend) -> None:
    past.queue(1)
    past.begin(2)
    other = Past(backend)
    other.queue(3)
    assert other.states() == ["3 QUEUED"]
    assert [row.tenant_id for row in other.page()[0]] == [other.tenant_id]
    # Not even where both tenants' runs had the same ID.
    twin = replace(a_waiting_run(other.tenant_id, 1), run_id=f"{past.tenant_id}-run-2")
    backend.queue.append([AdmissionResult(waiting=twin, status=RunStatus.QUEUED)], START)
    assert past.states() == ["2 PENDING", "1 QUEUED"]


def a_job(run: Run, step_id: str, status: StepStatus = StepStatus.COMPLETED, **changes: Any) -> StepRow:
    """Make a row of a step that has ended, or of one of its jobs."""
    return replace(
        StepRow(
            step_id=step_id,
            ps_type="bq_etl.query",
            index=0,
            level=1,
            attempt=1,
            status=status,
            started_at=run.started_at,
            ended_at=run.started_at + MINUTE,
        ),
        **changes,
    )


def test_runs_tell_what_their_steps_have_come_to_where_that_is_asked_for(past: Past) -> None:
    run, other, _ = past.begin(1), past.begin(2), past.begin(3)
    past.queue(4)
    main = a_job(run, "a", rows=5, bytes_billed=10)
    failed = a_job(run, "b", StepStatus.FAILED, bytes_billed=100)
    rows = [
        # A step of two jobs, whose rows are the last one's; told twice, they count once.
        replace(main, status=StepStatus.RUNNING),
        replace(main, status=StepStatus.RUNNING),
        replace(main, job_index=1, job_name="publish", rows=4, bytes_billed=1, bytes_processed=7),
        # A step that failed once, and one in a project of the tenant's own.
        failed,
        replace(failed, attempt=2, status=StepStatus.COMPLETED, rows=2, bytes_billed=1000),
        a_job(run, "c", bytes_billed=50, job_project="own-project"),
    ]
    past.backend.runs.append_steps(run, rows, run.started_at)
    past.backend.runs.append_steps(other, [a_job(other, "a", rows=70)], other.started_at)
    told = {row.run_id[-1]: row.figures for row in past.page(with_figures=True)[0]}
    assert told["1"] == Figures(
        rows_processed=6, bytes_processed=7, bytes_billed=1111, own_project_bytes_billed=50
    )
    assert told["2"] == Figures(rows_processed=70)
    assert told["3"] == told["4"] == Figures()
    assert all(run.figures is None for run in past.page()[0])


def test_another_tenants_figures_are_not_told(past: Past, backend: Backend) -> None:
    run = past.begin(1)
    past.backend.runs.append_steps(run, [a_job(run, "a", rows=5)], run.started_at)
    assert backend.history.read_figures(past.tenant_id, [run.run_id], START)
    assert not backend.history.read_figures("globex", [run.run_id], START)


def a_firing(past: Past, number: int) -> WaitingRun:
    """Make a firing that is due, a minute after the one before."""
    due_at = START + number * MINUTE
    return a_waiting_run(
        past.tenant_id,
        number,
        due_at=due_at,
        added_at=due_at,
        interval=Interval(start=due_at - MINUTE, end=due_at),
        trigger=Trigger(type=TriggerType.SCHEDULE, by="scheduler"),
        is_due=True,
    )


def refuse(past: Past, number: int, reason: str = "daily", now: datetime | None = None) -> AdmissionResult:
    """Have a firing be refused."""
    result = AdmissionResult(
        waiting=a_firing(past, number), status=RunStatus.FAILED, error=f"the {reason} limit", reason=reason
    )
    past.backend.firings.append_firings([result], now or result.waiting.due_at)
    return result


def refused(past: Past) -> list[tuple[str, int]]:
    """Read what is refused: the reason, and how many."""
    found = past.backend.refusals.read_refusals(past.tenant_id, START - MINUTE)
    return [(one.error, one.firings) for one in found]


def refused_counts(past: Past) -> list[int]:
    """Read the history's counts of refused firings, 0 for an entry that is a run."""
    return [run.refused_firings.count if run.refused_firings else 0 for run in past.page()[0]]


def test_firings_that_are_refused_for_one_reason_are_one_entry_with_a_count(past: Past) -> None:
    past.begin(0)
    first, *_, last = [refuse(past, number) for number in (1, 2, 3)]
    assert {one.entry_id for one in (first, last)} == {first.entry_id}
    entry, _ = past.page()[0]
    assert (entry.run_id, entry.status) == (first.entry_id, "FAILED")
    refused = entry.refused_firings
    assert refused is not None
    assert (refused.count, entry.error_message) == (3, "the daily limit")
    assert (refused.first_time, refused.last_time) == (START + MINUTE, START + 3 * MINUTE)
    assert (entry.started_at, entry.ended_at) == (START + MINUTE, START + 3 * MINUTE)
    assert (entry.interval_start, entry.config_version) == (START + 2 * MINUTE, 1)
    found = past.backend.refusals.find_refusal(past.tenant_id, first.entry_id, NOW)
    assert found is not None
    assert (found.firings, found.run_date, found.interval) == (
        3,
        last.waiting.run_date,
        last.waiting.interval,
    )
    assert past.backend.refusals.find_refusal("globex", first.entry_id, NOW) is None
    assert past.backend.refusals.find_refusal(past.tenant_id, "refused-another", NOW) is None


def test_a_firing_that_two_dispatchers_refuse_counts_once_by_what_was_said_first(past: Past) -> None:
    refuse(past, 1)
    refuse(past, 1)
    refuse(past, 1, "monthly", NOW)
    refuse(past, 2, "monthly", NOW)
    assert refused(past) == [("the monthly limit", 1), ("the daily limit", 1)]
    assert refused_counts(past) == [1, 1]


def test_a_firing_that_has_become_a_run_after_all_is_not_refused(past: Past) -> None:
    for number in (1, 2, 3):
        refuse(past, number)
    past.begin(1)
    waiting = replace(a_firing(past, 2), is_due=False)
    past.backend.queue.append([AdmissionResult(waiting=waiting, status=RunStatus.QUEUED)], NOW)
    assert refused(past) == [("the daily limit", 1)]
    assert sorted(refused_counts(past)) == [0, 0, 1]

"""Runs over the concurrent limit wait, begin in order as slots come free, can be cancelled, and expire."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

import pytest

from common.errors import Conflict, QuotaExceeded
from common.logs import MASK
from common.pipelines.pipeline import BoundParameter, SealedValue
from common.pipelines.secret_values import Owner
from common.quality.check_queries import CheckView
from common.queue.filling import LATEST_ROW, Filled
from common.queue.queued_runs import QueuedRunReads
from common.queue.run_queue import QueueEntry
from common.queue.waiting import MAX_WAIT, AdmissionResult, WaitingRun
from common.runs.quotas import Limits
from common.runs.run import RunStatus, Trigger, TriggerType
from common.runs.run_queries import HistoryFilter
from common.runs.tickets import Applicant, take
from common.runs.views import AttemptView, Figures, RunView
from tests.fakes.clock import START
from tests.fakes.jobs import nowhere
from tests.fakes.seals import a_seal
from tests.unit.schedules.platform import MINUTE, Platform


@pytest.fixture
def platform() -> Platform:
    """Return a platform whose tenant acme has used its three slots."""
    platform = Platform()
    platform.add_tenant()
    for number in range(3):
        platform.request(f"first-{number}")
    return platform


def entry_of(platform: Platform, run_id: str) -> QueueEntry:
    entry = platform.queue.find("acme", run_id)
    assert entry is not None
    return entry


def test_a_request_over_the_concurrent_limit_waits_if_it_may(platform: Platform) -> None:
    with pytest.raises(QuotaExceeded, match="concurrent"):
        platform.request("impatient", may_wait=False)
    assert platform.request("patient").status is RunStatus.QUEUED
    assert len(platform.running()) == 3


def test_a_request_over_the_daily_limit_is_refused_whether_it_may_wait_or_not() -> None:
    platform = Platform()
    platform.add_tenant(limits=Limits(daily=1, monthly=10, concurrent=3))
    platform.request("first")
    with pytest.raises(QuotaExceeded, match="daily"):
        platform.request("second")


def test_the_end_of_a_run_lets_the_next_begin_at_once(platform: Platform) -> None:
    queued = platform.request("patient").run.run_id
    platform.end(platform.running()[0])
    assert queued in platform.running()
    assert platform.runs()[queued].ticket == 4
    assert entry_of(platform, queued).status is RunStatus.PENDING
    begun = platform.messages()[-1].run
    assert (begun.run_id, begun.queued_at) == (queued, START)


def test_the_slot_of_a_run_whose_last_row_cannot_be_read_yet_is_filled_all_the_same(
    platform: Platform,
) -> None:
    queued = platform.request("patient").run.run_id
    platform.freed(platform.runs()[platform.running()[0]])
    assert queued in platform.running()


def test_an_end_that_is_told_five_times_begins_the_next_once(platform: Platform) -> None:
    queued = platform.request("patient").run.run_id
    ended = platform.runs()[platform.running()[0]]
    platform.messages()
    platform.rows.clock, platform.rows.lag = platform.clock, lambda: timedelta(seconds=15)
    platform.queue_rows.clock, platform.queue_rows.lag = platform.clock, lambda: timedelta(seconds=15)
    for _ in range(5):
        platform.freed(ended)
        platform.clock.advance(timedelta(seconds=1))
    assert [message.run.run_id for message in platform.messages()] == [queued]


def test_a_run_whose_filler_died_with_its_ticket_is_begun_by_the_next_after_a_while(
    platform: Platform,
) -> None:
    queued = platform.request("patient").run.run_id
    ended = platform.runs()[platform.running()[0]]
    platform.messages()
    applicant = Applicant(tenant_id="acme", run_id=queued, config_id="daily")
    take(platform.jobs, applicant, 4, platform.clock())
    platform.rows.append_run(ended, RunStatus.COMPLETED, platform.clock())
    platform.clock.advance(timedelta(seconds=19))
    platform.dispatcher.tick()
    platform.clock.advance(timedelta(seconds=1))
    platform.freed(ended)
    assert platform.messages() == []
    platform.dispatcher.tick()
    assert [message.run.run_id for message in platform.messages()] == [queued]
    assert platform.runs()[queued].ticket == 4


def test_a_lane_that_another_filler_is_at_work_in_is_left_to_it_whole(platform: Platform) -> None:
    first, second = (platform.request(key).run.run_id for key in ("first", "second"))
    ended = platform.running()[:2]
    for run_id in ended:
        platform.rows.append_run(platform.runs()[run_id], RunStatus.COMPLETED, platform.clock())
    platform.messages()
    take(platform.jobs, Applicant(tenant_id="acme", run_id=first, config_id="daily"), 4, platform.clock())
    platform.clock.advance(timedelta(seconds=5))
    platform.dispatcher.tick()
    assert platform.messages() == []
    assert second not in platform.runs()


def test_a_ticket_whose_row_would_be_readable_too_late_begins_nothing(platform: Platform) -> None:
    queued = platform.request("patient").run.run_id
    platform.rows.append_run(platform.runs()[platform.running()[0]], RunStatus.COMPLETED, platform.clock())
    platform.messages()

    def slowly[T, R](work: Callable[[T], R], items: Sequence[T]) -> list[R]:
        done = [work(item) for item in items]
        platform.clock.advance(LATEST_ROW)
        return done

    filler = replace(platform.filler, at_once=slowly)
    filler.fill(platform.queue.waiting(), platform.clock() + timedelta(minutes=10))
    assert queued not in platform.runs()
    assert platform.messages() == []
    assert entry_of(platform, queued).status is RunStatus.QUEUED


@pytest.mark.parametrize(("held_up", "state"), [(19, RunStatus.FAILED), (20, RunStatus.QUEUED)])
def test_nobody_is_refused_by_rows_that_were_read_so_long_ago_that_another_filler_may_have_begun_it(
    platform: Platform, held_up: int, state: RunStatus
) -> None:
    queued = platform.request("patient").run.run_id
    platform.clock.advance(MAX_WAIT + 3 * MINUTE)

    def slowly[T, R](work: Callable[[T], R], items: Sequence[T]) -> list[R]:
        done = [work(item) for item in items]
        platform.clock.advance(timedelta(seconds=held_up))
        return done

    filler = replace(platform.filler, at_once=slowly)
    filler.fill(platform.queue.waiting(), platform.clock() + timedelta(minutes=10))
    assert entry_of(platform, queued).status is state


@pytest.mark.parametrize(("seconds", "state"), [(39, RunStatus.FAILED), (40, RunStatus.QUEUED)])
def test_nobody_is_refused_so_late_in_a_day_that_the_next_days_filler_may_not_have_read_it(
    seconds: int, state: RunStatus
) -> None:
    platform = Platform()
    midnight = datetime.combine(START.date() + timedelta(days=1), time(), START.tzinfo)
    platform.clock.advance(midnight - MINUTE - platform.clock())
    platform.add_tenant(limits=Limits(daily=2, monthly=9, concurrent=1))
    platform.request("first")
    waiting = [platform.request(key).run.run_id for key in ("second", "third")]
    platform.clock.advance(timedelta(seconds=seconds))
    platform.end(platform.running()[0])
    (queued,) = {*waiting} - {*platform.running()}
    assert entry_of(platform, queued).status is state
    platform.clock.advance(MINUTE)
    platform.end(platform.running()[0])
    begins = state is RunStatus.QUEUED
    assert entry_of(platform, queued).status is (RunStatus.PENDING if begins else RunStatus.FAILED)


def test_who_has_a_ticket_already_is_not_refused_with_those_that_have_none() -> None:
    """The one whose turn is next finds the day's last ticket taken: by one that comes after it."""
    platform = Platform()
    platform.add_tenant(limits=Limits(daily=2, monthly=9, concurrent=1))
    platform.request("first")
    waiting = [platform.request(key).run.run_id for key in ("second", "third")]
    next_one, holder = [one.run_id for one in platform.queue.waiting("acme")]
    assert {next_one, holder} == set(waiting)
    take(platform.jobs, Applicant(tenant_id="acme", run_id=holder, config_id="daily"), 2, platform.clock())
    platform.clock.advance(timedelta(seconds=5))
    platform.end(platform.running()[0])
    assert entry_of(platform, next_one).status is RunStatus.FAILED
    assert entry_of(platform, holder).status is RunStatus.QUEUED
    platform.clock.advance(MINUTE)
    platform.dispatcher.tick()
    assert platform.running() == [holder]


def test_a_repeat_with_the_same_idempotency_key_waits_once(platform: Platform) -> None:
    first = platform.request("patient")
    platform.clock.advance(MINUTE)
    second = platform.request("patient")
    assert (first.is_repeat, second.is_repeat) == (False, True)
    assert second.run.run_id == first.run.run_id
    assert len(platform.queue.waiting("acme")) == 1


def test_the_queue_is_in_the_order_of_priority_then_age(platform: Platform) -> None:
    for number in range(2):
        platform.request(f"patient-{number}")
        platform.clock.advance(MINUTE)
    platform.schedule("2 12 * * *", config_id="urgent", priority=1)
    assert platform.dispatcher.tick().filled == Filled(queued=1)
    for run_id in platform.running():
        platform.end(run_id)
    begun = [platform.runs()[run_id] for run_id in platform.running()]
    assert [run.config_id for run in begun] == ["urgent", "daily", "daily"]
    assert platform.states()[begun[0].run_id] == ["QUEUED"]


def test_a_waiting_run_goes_before_a_firing_that_is_younger(platform: Platform) -> None:
    queued = platform.request("patient").run.run_id
    run_id = platform.running()[0]
    platform.rows.append_run(platform.runs()[run_id], RunStatus.COMPLETED, platform.clock())
    platform.clock.advance(MINUTE)
    platform.schedule("1 12 * * *")
    assert platform.dispatcher.tick().filled == Filled(begun=1, queued=1)
    assert queued in platform.running()


def test_a_minute_in_which_no_slot_is_free_changes_nothing(platform: Platform) -> None:
    platform.request("patient")
    rows = len(platform.queue_rows.rows)
    assert platform.dispatcher.tick().filled == Filled()
    assert len(platform.queue_rows.rows) == rows


def test_a_run_that_has_waited_for_a_day_expires_with_the_reason(platform: Platform) -> None:
    queued = platform.request("patient").run.run_id
    platform.clock.advance(MAX_WAIT + MINUTE)
    assert platform.dispatcher.tick().filled == Filled()  # Its ticket may have been taken at the last moment.
    platform.clock.advance(2 * MINUTE)
    assert platform.dispatcher.tick().filled == Filled(refused=1)
    entry = entry_of(platform, queued)
    assert (entry.status, "24 hours" in entry.error) == (RunStatus.FAILED, True)


def test_a_waiting_run_meets_the_daily_limit_when_its_turn_comes() -> None:
    platform = Platform()
    platform.add_tenant(limits=Limits(daily=2, monthly=10, concurrent=1))
    for number in range(3):
        platform.request(f"run-{number}")
    platform.end(platform.running()[0])
    platform.end(platform.running()[0])
    assert platform.running() == []
    states = sorted(entry.status.value for entry in platform.queue_rows.entries().values())
    assert states == ["FAILED", "PENDING"]


def test_a_waiting_run_can_be_cancelled_and_never_begins(platform: Platform) -> None:
    queued = platform.request("patient").run.run_id
    assert platform.queue.cancel(entry_of(platform, queued)).status is RunStatus.CANCELLED
    platform.end(platform.running()[0])
    assert queued not in platform.running()
    assert platform.queue.cancel(entry_of(platform, queued)).status is RunStatus.CANCELLED


def test_a_cancelled_run_whose_row_cannot_be_read_yet_does_not_begin_either(platform: Platform) -> None:
    queued = platform.request("patient").run.run_id
    entry = entry_of(platform, queued)
    platform.queue.cancel(entry)
    platform.queue_rows.rows.pop()
    platform.end(platform.running()[0])
    assert queued not in platform.running()
    assert entry_of(platform, queued).status is RunStatus.CANCELLED


def test_a_run_that_expired_cannot_be_cancelled(platform: Platform) -> None:
    queued = platform.request("patient").run.run_id
    platform.clock.advance(MAX_WAIT + 3 * MINUTE)
    platform.dispatcher.tick()
    with pytest.raises(Conflict, match="FAILED"):
        platform.queue.cancel(entry_of(platform, queued))


def test_a_tenant_that_never_queues_pays_no_query_at_the_end_of_a_run(platform: Platform) -> None:
    reads = platform.queue_rows.reads
    platform.end(platform.running()[0])
    assert platform.queue_rows.reads == reads
    platform.request("patient-0")
    platform.request("patient-1")
    platform.clock.advance(timedelta(hours=23))
    platform.end(platform.running()[0])
    assert platform.queue_rows.reads == reads + 1


def test_one_tenants_burst_delays_no_other() -> None:
    platform = Platform()
    for number in range(20):
        platform.add_tenant(f"quiet_{number:02}")
        platform.schedule("0 12 * * *", f"quiet_{number:02}")
    platform.add_tenant("noisy")
    for number in range(2000):
        platform.schedule("0 12 * * *", "noisy", config_id=f"burst-{number}")
    filled = platform.dispatcher.tick().filled
    # 2,000 firings of a day are more than the plan's 100 runs: a fifth of these is kept, three have begun.
    assert filled == Filled(begun=23, queued=77, refused=1920)
    assert all(platform.running(f"quiet_{number:02}") for number in range(20))
    # The burst is compiled as far as it has slots, and once more in each portion to see that it has none.
    assert len(platform.compiled) < 20 + 2000 / 50 + 4


def test_a_burst_of_one_tenant_waits_behind_the_first_of_all_others() -> None:
    platform = Platform()
    platform.jobs.at = lambda point: platform.clock.sleep(0.5 if point.startswith("before claim") else 0)
    platform.add_tenant("noisy", Limits(daily=1000, monthly=1000, concurrent=1000))
    for number in range(1000):
        platform.schedule("0 12 * * *", "noisy", config_id=f"burst-{number}")
    for number in range(20):
        platform.add_tenant(f"quiet_{number:02}")
        platform.schedule("0 12 * * *", f"quiet_{number:02}")
    platform.dispatcher.tick()
    order = [message.run.tenant_id for message in platform.messages()]
    assert max(order.index(f"quiet_{number:02}") for number in range(20)) < 70
    assert 100 < order.count("noisy") < 1000


def test_tickets_that_have_just_been_taken_count_when_the_rows_are_read_afresh() -> None:
    """A request takes the ticket after another's: the filler reads again, and its own row is to come."""
    platform = Platform()
    platform.add_tenant(limits=Limits(daily=9, monthly=9, concurrent=2))
    for number in range(2):
        platform.schedule("0 12 * * *", config_id=f"config-{number}")
    rival = Applicant(tenant_id="acme", run_id="rival", config_id="daily")

    def overtake(point: str) -> None:
        if point == "before claim cvg-ticket-acme-2":
            platform.jobs.at = nowhere
            take(platform.jobs, rival, 2, platform.clock())

    platform.jobs.at = overtake
    assert platform.dispatcher.tick().filled == Filled(begun=1, queued=1)


def test_a_secret_waits_and_begins_as_it_was_sealed(platform: Platform) -> None:
    run_id = platform.request("patient", token="s3cr3t").run.run_id
    waiting = entry_of(platform, run_id).waiting
    sealed = waiting.parameters["token"]
    assert isinstance(sealed, SealedValue)
    assert "s3cr3t" not in repr(waiting)
    reader = QueuedRunReads(reads=NoRuns(), queue=platform.queue_rows, refusals=platform.refused)
    shown = reader.read_run("acme", run_id, platform.clock())
    assert shown is not None
    assert shown.parameters == {"token": MASK}
    platform.end(platform.running()[0])
    assert platform.runs()[run_id].parameters == (BoundParameter(name="token", type="STRING", value=sealed),)
    owner = Owner(tenant_id="acme", config_id="daily", parameter="token")
    assert a_seal().open(owner, sealed) == "s3cr3t"


def test_a_repeat_that_waits_is_told_by_all_but_the_secret(platform: Platform) -> None:
    first = platform.request("patient", token="s3cr3t").run
    assert platform.request("patient", token="another").run.run_id == first.run_id
    with pytest.raises(Conflict):
        platform.request("patient")


class NoRuns:
    """A `RunReads` of a tenant none of whose runs has begun."""

    def read_run(self, tenant_id: str, run_id: str, now: datetime) -> None:
        return None

    def read_receipt(self, tenant_id: str, run_id: str, since: datetime) -> Sequence[AttemptView]:
        return []

    def read_checks(self, tenant_id: str, run_id: str, since: datetime) -> Sequence[CheckView]:
        return []

    def read_figures(
        self, tenant_id: str, run_ids: Collection[str], since: datetime
    ) -> Mapping[str, Figures]:
        return {}

    def read_history(self, tenant_id: str, wanted: HistoryFilter) -> Sequence[RunView]:
        return []


def backfill(platform: Platform, count: int, max_parallel: int) -> list[WaitingRun]:
    """Put runs of one backfill into acme's queue."""
    runs = [
        WaitingRun(
            tenant_id="acme",
            run_id=f"interval-{number}",
            config_id="daily",
            config_version=1,
            priority=5,
            due_at=START,
            added_at=START,
            run_date=START.date(),
            trigger=Trigger(type=TriggerType.BACKFILL, by="backfill-1"),
            max_parallel=max_parallel,
        )
        for number in range(count)
    ]
    platform.queue.record([AdmissionResult(waiting=run, status=RunStatus.QUEUED) for run in runs], START)
    return [replace(run, is_queued=True) for run in runs]


def test_two_fillers_at_once_start_no_more_of_a_backfill_than_may_run() -> None:
    """The second fills when the first has read everything and taken no ticket."""
    platform = Platform()
    platform.add_tenant(limits=Limits(daily=99, monthly=99, concurrent=99))
    runs = backfill(platform, count=6, max_parallel=2)
    read = platform.all_admissions.read_tenant_admissions

    def overtake(*args: Any) -> Any:
        facts = read(*args)
        platform.all_admissions.read_tenant_admissions = read  # type: ignore[method-assign]
        platform.filler.fill(runs[3:], platform.clock() + MINUTE)
        return facts

    platform.all_admissions.read_tenant_admissions = overtake  # type: ignore[assignment]
    platform.filler.fill(runs[:3], platform.clock() + MINUTE)
    assert len(platform.running()) == 2


def test_a_backfill_that_runs_as_much_as_it_may_holds_nobody_else_back() -> None:
    platform = Platform()
    platform.add_tenant()
    backfill(platform, count=3, max_parallel=1)
    platform.schedule("0 12 * * *", priority=6)
    assert platform.dispatcher.tick().filled == Filled(begun=2)
    assert [platform.runs()[run_id].trigger.type for run_id in platform.running()] == [
        TriggerType.BACKFILL,
        TriggerType.SCHEDULE,
    ]
    platform.end("interval-0")
    assert "interval-1" in platform.running()

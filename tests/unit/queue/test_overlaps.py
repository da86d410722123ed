"""A schedule takes no more than its share: of its own runs at once, of the day, and of the history."""

from datetime import timedelta

import pytest

from common.errors import QuotaExceeded
from common.queue.filling import Filled
from common.queue.firings import run_id_of
from common.runs.quotas import Limits
from common.runs.run import RunStatus
from tests.fakes.clock import START
from tests.unit.schedules.platform import MINUTE, Platform

ROOMY = Limits(daily=5000, monthly=50_000, concurrent=10)


@pytest.fixture
def platform() -> Platform:
    platform = Platform()
    platform.add_tenant(limits=ROOMY)
    return platform


def firing(minutes: int) -> str:
    return run_id_of("acme", "daily", START + minutes * MINUTE)


def tick(platform: Platform, minutes: int = 1) -> list[Filled]:
    """Let minutes pass, each with a call of the dispatcher."""
    found = []
    for _ in range(minutes):
        found.append(platform.dispatcher.tick().filled)
        platform.clock.advance(MINUTE)
    return found


def queued(platform: Platform) -> list[str]:
    return [one.run_id for one in platform.queue.waiting("acme")]


def test_a_schedule_runs_once_at_a_time_and_what_it_asks_for_meanwhile_waits_in_order(
    platform: Platform,
) -> None:
    platform.schedule("* * * * *")
    assert tick(platform, 3) == [Filled(begun=1), Filled(queued=1), Filled(queued=1)]
    assert platform.running() == [firing(0)]
    platform.end(firing(0))
    assert platform.running() == [firing(1)]
    platform.end(firing(1))
    assert platform.running() == [firing(2)]


def test_a_schedule_may_run_as_often_at_once_as_its_file_says(platform: Platform) -> None:
    platform.schedule("* * * * *", declared={"max_active_runs": 2})
    assert tick(platform, 3) == [Filled(begun=1), Filled(begun=1), Filled(queued=1)]


def test_runs_by_hand_and_of_backfills_do_not_count_and_are_not_held_back(platform: Platform) -> None:
    platform.request("by hand")
    platform.schedule("* * * * *")
    tick(platform, 2)
    assert firing(0) in platform.running()
    assert platform.request("by hand, too").status is RunStatus.PENDING
    platform.end(firing(0))
    assert firing(1) in platform.running()


def test_schedules_of_other_pipelines_and_tenants_are_none_of_its_business(platform: Platform) -> None:
    platform.add_tenant("globex", ROOMY)
    platform.schedule("0 12 * * *")
    platform.schedule("0 12 * * *", config_id="other")
    platform.schedule("0 12 * * *", "globex")
    assert tick(platform) == [Filled(begun=3)]


def test_what_is_made_up_for_after_an_outage_runs_one_after_another(platform: Platform) -> None:
    platform.schedule("0 * * * *", catch_up="all")
    platform.clock.advance(timedelta(hours=2))
    assert tick(platform) == [Filled(begun=1, queued=2)]
    order = []
    while running := platform.running():
        order += running
        platform.end(running[0])
    assert order == [firing(0), firing(60), firing(120)]


def test_a_file_may_say_that_a_firing_is_skipped_while_the_run_before_is_under_way(
    platform: Platform,
) -> None:
    platform.schedule("* * * * *", declared={"overlap": "skip"})
    assert tick(platform, 4) == [Filled(begun=1), *[Filled(refused=1)] * 3]
    ((status, count, reason),) = platform.refusals()
    assert (status, count) == ("CANCELLED", 3)
    assert "skipped" in reason
    platform.end(firing(0))
    assert tick(platform) == [Filled(begun=1)]
    assert platform.running() == [firing(4)]


def test_a_firing_that_waits_for_a_slot_of_the_plan_counts_as_the_run_before(platform: Platform) -> None:
    platform.rows.tenants["acme"].limits = Limits(daily=5000, monthly=50_000, concurrent=1)
    platform.request("by hand")
    platform.schedule("* * * * *", declared={"overlap": "skip"})
    assert tick(platform, 2) == [Filled(queued=1), Filled(refused=1)]
    assert queued(platform) == [firing(0)]


def test_a_file_may_say_that_a_later_firing_cancels_the_run_before(platform: Platform) -> None:
    platform.schedule("* * * * *", declared={"overlap": "cancel_older"})
    assert tick(platform, 2) == [Filled(begun=1), Filled(queued=1)]
    assert platform.cancelled == [firing(0)]
    assert tick(platform) == [Filled(queued=1, refused=1)]
    assert platform.cancelled == [firing(0)]
    assert queued(platform) == [firing(2)]
    overtaken = platform.queue.find("acme", firing(1))
    assert overtaken is not None
    assert (overtaken.status, "taken its place" in overtaken.error) == (RunStatus.CANCELLED, True)
    platform.end(firing(0))
    assert platform.running() == [firing(2)]


def test_of_many_that_are_made_up_for_the_latest_alone_runs_where_it_cancels_older_ones(
    platform: Platform,
) -> None:
    platform.schedule("0 * * * *", catch_up="all", declared={"overlap": "cancel_older"})
    platform.clock.advance(timedelta(hours=5))
    assert tick(platform) == [Filled(begun=1, refused=5)]
    assert platform.running() == [firing(300)]
    assert [(status, count) for status, count, _ in platform.refusals()] == [("CANCELLED", 5)]


def test_two_dispatchers_at_once_start_no_more_of_a_schedule_than_may_run(platform: Platform) -> None:
    """The second fills when the first has read everything and taken no ticket."""
    platform.schedule("* * * * *", catch_up="all", declared={"max_active_runs": 2})
    platform.clock.advance(5 * MINUTE)
    due = platform.dispatcher.due()
    read = platform.all_admissions.read_tenant_admissions

    def overtake(*args):  # type: ignore[no-untyped-def]
        facts = read(*args)
        platform.all_admissions.read_tenant_admissions = read  # type: ignore[method-assign]
        platform.filler.fill(due[3:], platform.clock() + MINUTE)
        return facts

    platform.all_admissions.read_tenant_admissions = overtake  # type: ignore[method-assign]
    platform.filler.fill(due[:3], platform.clock() + MINUTE)
    assert len(platform.running()) == 2


def test_a_firing_that_one_dispatcher_skips_and_another_has_begun_is_a_run_and_no_refusal(
    platform: Platform,
) -> None:
    platform.schedule("* * * * *", declared={"overlap": "skip"})
    tick(platform)
    due = platform.dispatcher.due()
    platform.end(firing(0))
    assert platform.dispatcher.tick().filled == Filled(begun=1)
    stale = platform.rows.current()
    stale[firing(0)] = next(row for row in platform.rows.run_rows if row.run.run_id == firing(0))
    del stale[firing(1)]
    current = platform.rows.current
    platform.rows.current = lambda: stale  # type: ignore[method-assign]
    assert platform.filler.fill(due, platform.clock() + MINUTE) == Filled(refused=1)
    platform.rows.current = current  # type: ignore[method-assign]
    assert platform.running() == [firing(1)]
    assert platform.refusals() == []


def test_a_firing_waits_only_where_the_day_still_has_a_run_for_it(platform: Platform) -> None:
    platform.rows.tenants["acme"].limits = Limits(daily=5, monthly=50, concurrent=3)
    platform.schedule("* * * * *", declared={"reserve": 0})
    found = tick(platform, 8)
    assert found == [Filled(begun=1), *[Filled(queued=1)] * 4, *[Filled(refused=1)] * 3]
    for minutes in range(5):
        platform.end(firing(minutes))
    assert [entry.status.value for entry in platform.queue_rows.entries().values()] == ["PENDING"] * 4


def test_schedules_leave_what_is_kept_for_requests_by_hand(platform: Platform) -> None:
    platform.rows.tenants["acme"].limits = Limits(daily=5, monthly=50, concurrent=5)
    platform.schedule("* * * * *", declared={"max_active_runs": 5, "reserve": 40})
    assert sum((one.begun for one in tick(platform, 10)), 0) == 3
    ((status, count, reason),) = platform.refusals()
    assert (status, count) == ("FAILED", 7)
    assert reason == (
        "the schedules' daily limit of your plan is reached: 3 of 3 runs; "
        "2 of 5 a day are kept for requests by hand"
    )
    for key in ("first", "second"):
        assert platform.request(key).status is RunStatus.PENDING
    with pytest.raises(QuotaExceeded, match="daily limit of your plan is reached: 5 of 5"):
        platform.request("third")


def test_requests_by_hand_use_what_is_kept_first_and_then_what_schedules_have_not(platform: Platform) -> None:
    platform.rows.tenants["acme"].limits = Limits(daily=5, monthly=50, concurrent=5)
    for key in ("first", "second"):
        platform.request(key)
    platform.schedule("* * * * *", declared={"max_active_runs": 5, "reserve": 40})
    assert sum((one.begun for one in tick(platform, 10)), 0) == 3


def test_a_fifth_is_kept_by_itself_where_schedules_ask_for_more_than_the_plan_has(platform: Platform) -> None:
    platform.rows.tenants["acme"].limits = Limits(daily=10, monthly=50, concurrent=10)
    platform.schedule("* * * * *", declared={"max_active_runs": 10})
    assert sum((one.begun for one in tick(platform, 12)), 0) == 8


def test_nothing_is_kept_by_itself_where_the_plan_has_a_run_for_each_firing(platform: Platform) -> None:
    platform.rows.tenants["acme"].limits = Limits(daily=6, monthly=50, concurrent=6)
    platform.schedule("0 */4 * * *")
    for _ in range(6):
        (filled,) = tick(platform)
        assert filled == Filled(begun=1)
        platform.end(platform.running()[0])
        platform.clock.advance(timedelta(hours=4) - MINUTE)


def test_a_plan_of_one_run_a_day_leaves_it_to_whoever_comes_first(platform: Platform) -> None:
    platform.rows.tenants["acme"].limits = Limits(daily=1, monthly=50, concurrent=1)
    platform.schedule("* * * * *", declared={"reserve": 90})
    assert tick(platform) == [Filled(begun=1)]


def test_a_schedule_that_the_plan_refuses_each_minute_is_one_entry_a_day_and_is_told_once(
    platform: Platform,
) -> None:
    platform.rows.tenants["acme"].limits = Limits(daily=2, monthly=50, concurrent=2)
    platform.schedule("* * * * *", declared={"max_active_runs": 2, "reserve": 0})
    tick(platform, 62)
    ((status, count, reason),) = platform.refusals()
    assert (status, count) == ("FAILED", 60)
    assert "daily limit of your plan is reached: 2 of 2" in reason
    assert platform.queue_rows.entries() == {}
    failed = [event for event in platform.events.sent if event.status is RunStatus.FAILED]
    assert len(failed) == 1
    found = platform.refused.find_refusal("acme", failed[0].run.run_id, platform.clock())
    assert found is not None
    assert (found.first_time, found.last_time) == (START + 2 * MINUTE, START + 61 * MINUTE)


def test_another_day_or_another_reason_is_another_entry(platform: Platform) -> None:
    platform.rows.tenants["acme"].limits = Limits(daily=1, monthly=3, concurrent=2)
    platform.schedule("0 4,12,20 * * *", declared={"reserve": 0})
    for _ in range(9):
        tick(platform)
        for run_id in platform.running():
            platform.end(run_id)
        platform.clock.advance(timedelta(hours=8) - MINUTE)
    found = [(count, reason.partition(" of ")[0]) for _, count, reason in reversed(platform.refusals())]
    assert found == [
        (1, "the daily limit"),
        (2, "the daily limit"),
        (2, "the monthly limit"),
        (1, "the monthly limit"),
    ]


def test_another_tenant_cannot_see_what_was_refused(platform: Platform) -> None:
    platform.rows.tenants["acme"].limits = Limits(daily=0, monthly=2, concurrent=2)
    platform.schedule("* * * * *")
    tick(platform)
    assert platform.refusals("globex") == []
    assert len(platform.refusals()) == 1

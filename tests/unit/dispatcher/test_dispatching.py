"""The dispatcher starts what is due, once, whoever calls it, however often, and wherever it dies."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from common.errors import Unavailable
from common.pipelines.pipeline import Pipeline
from common.pipelines.schedule import Schedule
from common.queue.filling import Filled
from common.queue.firings import run_id_of
from common.runs.ports import ConfigText
from common.runs.quotas import Limits
from common.runs.run import RunStatus, TriggerType
from tests.fakes.clock import START
from tests.unit.schedules.platform import LIMITS, MINUTE, Platform


class Killed(BaseException):
    """The process dies here."""


AT_WILL = {"max_active_runs": 100, "reserve": 0}
"""What lets a schedule take all of its tenant's plan."""


@pytest.fixture
def platform() -> Platform:
    platform = Platform()
    platform.add_tenant()
    return platform


def test_a_due_schedule_becomes_a_run_with_its_first_message(platform: Platform) -> None:
    platform.schedule("*/5 * * * *")
    assert platform.dispatcher.tick().filled == Filled(begun=1)
    (run,) = platform.runs().values()
    assert (run.run_id, run.ticket) == (run_id_of("acme", "daily", START), 1)
    assert (run.trigger.type, run.trigger.by) == (TriggerType.SCHEDULE, "scheduler")
    (message,) = platform.messages()
    assert (message.run, message.level) == (run, 1)
    assert platform.states() == {run.run_id: ["PENDING"]}


def test_the_day_of_a_run_is_the_day_where_its_schedule_is(platform: Platform) -> None:
    platform.schedule("0 12 * * *")
    config = platform.timetable.configs["acme", "daily"]
    kiritimati = replace(
        config.schedule, cron="0 2 * * *", timezone="Pacific/Kiritimati", is_date_of_firing=True
    )
    platform.timetable.add(replace(config, schedule=kiritimati))
    platform.dispatcher.tick()
    (run,) = platform.runs().values()
    assert (run.started_at.day, run.run_date.day) == (15, 16)


def test_a_second_call_in_the_same_minute_starts_nothing_more(platform: Platform) -> None:
    platform.schedule("*/5 * * * *")
    ticks = [platform.dispatcher.tick().filled for _ in range(3)]
    assert ticks == [Filled(begun=1), Filled(), Filled()]


def test_a_day_of_calls_at_odd_times_fires_each_time_once(platform: Platform) -> None:
    platform.schedule("*/10 * * * *", declared=AT_WILL | {"max_active_runs": 1000})
    platform.rows.tenants["acme"].limits = Limits(daily=1000, monthly=10_000, concurrent=1000)
    for seconds in [7, 61, 60, 59, 200] * 225:
        platform.dispatcher.tick()
        platform.clock.advance(timedelta(seconds=seconds))
    platform.dispatcher.tick()
    times = (platform.clock() - START) / timedelta(minutes=10)
    assert len(platform.runs()) == int(times) + 1


def test_two_dispatchers_at_once_fire_a_schedule_once(platform: Platform) -> None:
    """The second calls when the first has read everything and written nothing."""
    platform.schedule("*/5 * * * *")
    waiting = platform.dispatcher.due()
    assert platform.dispatcher.tick().filled == Filled(begun=1)
    platform.filler.fill(waiting, platform.clock() + MINUTE)
    assert len(platform.runs()) == 1
    assert len([job for job in platform.jobs.claims if "ticket" in job]) == 1


@pytest.mark.parametrize("dies_at", range(1, 28))
def test_a_dispatcher_killed_at_any_point_leaves_it_to_the_next(dies_at: int) -> None:
    points = iter(range(1, 10_000))

    def perhaps_die(point: str) -> None:
        if next(points) == dies_at:
            raise Killed(point)

    platform = Platform(perhaps_die)
    platform.add_tenant(limits=replace(LIMITS, concurrent=2))
    for number in range(3):
        platform.schedule("0 12 * * *", config_id=f"config-{number}")
    was_killed = False
    for _ in range(3):
        try:
            platform.dispatcher.tick()
        except Killed:
            was_killed = True
        platform.clock.advance(timedelta(seconds=20))
    assert was_killed
    tickets = [claim.labels["run"] for job_id, claim in platform.jobs.claims.items() if "ticket" in job_id]
    assert len(tickets) == len(set(tickets)) == 2
    assert sorted(platform.running()) == sorted(tickets)
    waiting = [e for e in platform.queue_rows.entries().values() if e.status is RunStatus.QUEUED]
    assert len(waiting) == 1
    assert {message.run.run_id for message in platform.messages()} >= set()
    assert set(platform.states()) == {*tickets, waiting[0].waiting.run_id}


def test_one_read_finds_what_is_due_and_one_more_of_each_kind_starts_it(platform: Platform) -> None:
    for number in range(40):
        platform.add_tenant(f"tenant_{number:02}")
        platform.schedule("*/5 * * * *", f"tenant_{number:02}")
    assert platform.dispatcher.tick().filled == Filled(begun=40)
    assert (platform.timetable.reads, platform.all_admissions.reads) == (1, 1)
    assert (platform.rows.calls, platform.firings.calls, platform.queue_rows.calls) == (1, 1, 0)


def test_after_an_outage_all_are_made_up_for_in_order_where_the_file_says_so(platform: Platform) -> None:
    platform.schedule("0 * * * *", catch_up="all", declared=AT_WILL)
    platform.clock.advance(timedelta(hours=2, minutes=30))
    platform.dispatcher.tick()
    runs = sorted(platform.runs().values(), key=lambda run: run.ticket)
    assert [run.run_id for run in runs] == [
        run_id_of("acme", "daily", START + hours * timedelta(hours=1)) for hours in range(3)
    ]


def test_a_firing_over_the_daily_limit_is_recorded_as_failed_with_the_numbers(platform: Platform) -> None:
    platform.rows.tenants["acme"].limits = Limits(daily=1, monthly=10, concurrent=3)
    platform.schedule("0 * * * *", catch_up="all", declared=AT_WILL)
    platform.clock.advance(timedelta(hours=1))
    assert platform.dispatcher.tick().filled == Filled(begun=1, refused=1)
    refused = platform.firings.rows[-1].result
    told = "the daily limit of your plan is reached: 1 of 1 runs"
    assert (refused.status, refused.error) == (RunStatus.FAILED, told)
    assert platform.dispatcher.tick().filled == Filled()
    found = platform.refused.find_refusal("acme", refused.entry_id, platform.clock())
    assert found is not None
    assert (found.status, found.error, found.firings) == (RunStatus.FAILED, told, 1)


def test_a_schedule_whose_config_no_longer_compiles_fails_with_the_reason_and_alone(
    platform: Platform,
) -> None:
    platform.schedule("*/5 * * * *", config_id="broken", priority=1)
    platform.schedule("*/5 * * * *", config_id="sound")
    platform.broken.add("broken")
    assert platform.dispatcher.tick().filled == Filled(begun=1, refused=1)
    assert [run.config_id for run in platform.runs().values()] == ["sound"]
    assert "a rule was added since" in platform.firings.rows[0].result.error


def test_a_suspended_tenant_starts_nothing_and_goes_on_when_it_is_active_again(platform: Platform) -> None:
    platform.schedule("*/5 * * * *")
    platform.rows.tenants["acme"].status = "SUSPENDED"
    assert platform.dispatcher.tick().filled == Filled(left=1)
    platform.rows.tenants["acme"].status = "ACTIVE"
    assert platform.dispatcher.tick().filled == Filled(begun=1)


def test_what_there_is_no_time_for_is_left_to_the_next_call() -> None:
    platform = Platform(budget=timedelta(seconds=30))
    platform.jobs.at = lambda point: platform.clock.sleep(1 if point.startswith("before claim") else 0)
    for number in range(50):
        platform.add_tenant(f"tenant_{number:02}")
        platform.schedule("*/5 * * * *", f"tenant_{number:02}")
    first = platform.dispatcher.tick().filled
    assert first == Filled(begun=30, left=20)
    assert platform.dispatcher.tick().filled == Filled(begun=20)


def test_nobody_overtakes_a_firing_that_was_left() -> None:
    """Whoever records a firing has seen to all before it: else the ones before would be lost."""
    platform = Platform()
    platform.add_tenant(limits=Limits(daily=1000, monthly=1000, concurrent=1000))
    platform.schedule("* * * * *", catch_up="all", declared=AT_WILL)
    platform.clock.advance(timedelta(minutes=99))
    claims = 0

    def fail_once(point: str) -> None:
        nonlocal claims
        claims += point.startswith("before claim cvg-ticket")
        if claims == 10 and point.startswith("before claim cvg-ticket"):
            raise Unavailable(point)

    platform.jobs.at = fail_once
    assert platform.dispatcher.tick().filled == Filled(begun=9, left=91)
    assert platform.dispatcher.tick().filled == Filled(begun=91)
    assert len(platform.runs()) == 100


def test_a_fault_in_one_part_keeps_the_dispatcher_from_no_other(platform: Platform) -> None:
    class Broken:
        def sweep(self) -> None:
            raise Unavailable("no answer")

    platform.schedule("*/5 * * * *")
    dispatcher = replace(platform.dispatcher, sweeper=Broken())  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        dispatcher.tick()
    assert len(platform.runs()) == 1


@pytest.mark.parametrize(
    "broken",
    [
        {"error": "'61' is no minute"},
        {"schedule": Schedule(cron="61 5 * * *")},
        {"schedule": Schedule(cron="0 5 * * *", timezone="Mars/Olympus")},
        {"schedule": Schedule(cron="0 5 * * *", delay=timedelta.max)},
    ],
)
def test_a_schedule_that_cannot_be_followed_is_its_tenants_error_once_and_the_rest_fires(
    platform: Platform, caplog: pytest.LogCaptureFixture, broken: dict[str, Any]
) -> None:
    platform.add_tenant("globex")
    platform.schedule("*/5 * * * *", "globex", **broken)
    platform.schedule("*/5 * * * *")
    for _ in range(3):
        platform.dispatcher.tick()
        platform.clock.advance(MINUTE)
    assert [run.tenant_id for run in platform.runs().values()] == ["acme"]
    (entry,) = platform.queue_rows.entries().values()
    assert (entry.waiting.tenant_id, entry.status) == ("globex", RunStatus.FAILED)
    assert entry.error.startswith("the schedule cannot be followed: ")
    assert [record.message for record in caplog.records].count("schedule cannot be followed") == 1


def test_a_new_version_of_a_schedule_that_could_not_be_followed_is_told_of_anew(platform: Platform) -> None:
    for version in (1, 2):
        platform.schedule("*/5 * * * *", version=version, error="'61' is no minute")
        platform.dispatcher.tick()
    assert [e.waiting.config_version for e in platform.queue_rows.entries().values()] == [1, 2]


@pytest.mark.parametrize("end", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-04-04T14:15:00Z"])
def test_no_end_of_a_schedule_stops_those_of_others(platform: Platform, end: str) -> None:
    body = {"cron": "0 */2 * * *", "timezone": "Pacific/Chatham", "end": end, "catch_up": "all"}
    platform.add_tenant("globex")
    platform.schedule("*/5 * * * *", "globex", schedule=Schedule.declared(body, "globex/daily"))
    platform.schedule("*/5 * * * *")
    platform.dispatcher.tick()
    assert "acme" in {run.tenant_id for run in platform.runs().values()}


def test_a_defect_that_one_tenants_file_brings_out_is_that_tenants_failure(platform: Platform) -> None:
    def compile_or_break(tenant_id: str, config: ConfigText) -> Pipeline:
        if tenant_id == "globex":
            raise RecursionError("too deep")
        return platform.compile(tenant_id, config)

    platform.add_tenant("globex")
    platform.schedule("*/5 * * * *", "globex")
    platform.schedule("*/5 * * * *")
    filler = replace(platform.filler, compile=compile_or_break)
    assert replace(platform.dispatcher, filler=filler).tick().filled == Filled(begun=1, refused=1)
    assert (
        "cannot be compiled" in platform.firings.rows[-1].result.error + platform.firings.rows[0].result.error
    )


def test_a_defect_in_one_lane_leaves_that_lane_alone(platform: Platform) -> None:
    def perhaps_break(point: str) -> None:
        if point.startswith("before claim cvg-ticket-globex"):
            raise ZeroDivisionError(point)

    platform.add_tenant("globex")
    platform.schedule("*/5 * * * *", "globex")
    platform.schedule("*/5 * * * *")
    platform.jobs.at = perhaps_break
    assert platform.dispatcher.tick().filled == Filled(begun=1, left=1)


def test_a_defect_in_one_part_of_the_minute_keeps_it_from_no_other(platform: Platform) -> None:
    class Broken:
        def sweep(self) -> None:
            raise ZeroDivisionError

    platform.schedule("*/5 * * * *")
    dispatcher = replace(platform.dispatcher, sweeper=Broken())  # type: ignore[arg-type]
    with pytest.raises(ZeroDivisionError):
        dispatcher.tick()
    assert len(platform.runs()) == 1

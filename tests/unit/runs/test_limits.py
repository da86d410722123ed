"""BigQuery's limits are waited out: they take no attempt of a step, and no effect happens twice."""

from datetime import timedelta
from itertools import pairwise

import pytest

from common.claims import last_in_order
from common.pipelines.pipeline import Retry
from common.runs.cancelling import flag
from common.runs.level_messages import LevelMessage
from common.runs.ports import JobReport
from common.runs.retries import LIMIT_WINDOW_SECONDS, is_limit, pause_for_limit
from common.runs.run import RunStatus, StepStatus
from tests.fakes.jobs import Outcome
from tests.unit.runs.examples import RUN_ID, a_message, a_pipeline, a_run, a_step
from tests.unit.runs.test_levels import Platform, ProcessKilled

UPDATES = (
    "rateLimitExceeded",
    "Exceeded rate limits: too many table update operations for this table. For more information, see https://x",
)
WINDOW = timedelta(seconds=LIMIT_WINDOW_SECONDS)
JOB = f"cvg-step-{RUN_ID}-a-1"
LIMITS = [
    UPDATES,
    ("jobRateLimitExceeded", "Exceeded rate limits"),
    ("rateLimitExceeded", "Exceeded rate limits: too many concurrent queries for this project_and_region"),
    ("rateLimitExceeded", "Exceeded rate limits: too many table dml insert operations for this table"),
    (
        "resourcesExceeded",
        "Resources exceeded during query execution: Too many DML statements outstanding against table a:b.c",
    ),
    (
        "quotaExceeded",
        "Quota exceeded: Your project exceeded quota for max number of jobs that can be queued per project.",
    ),
    ("quotaExceeded", "Quota exceeded: Your project exceeded quota for concurrent queries."),
]


def limited_level(times: int, *limits: tuple[str, str], **changes: object) -> tuple[Platform, LevelMessage]:
    platform = Platform(**changes)  # type: ignore[arg-type]
    platform.jobs.outcomes["a"] = Outcome(limited=list(limits or [UPDATES]) * times)
    return platform, a_message(a_pipeline((a_step("a", retry=Retry(attempts=1)),)))


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit[1][:60])
def test_a_job_that_fails_by_a_limit_is_no_attempt_and_runs_again_after_the_window(
    limit: tuple[str, str],
) -> None:
    platform, message = limited_level(1, limit)
    began = platform.clock()
    platform.run_to_end(message)
    assert platform.status is RunStatus.COMPLETED
    assert platform.jobs.submitted == [JOB, f"{JOB}-w1"]
    assert platform.written == ["a"]
    assert WINDOW <= platform.clock() - began <= 2 * WINDOW
    (row,) = [row for _, row in platform.rows.step_rows if row.ended_at]
    assert (row.attempt, row.status, row.job_id) == (1, StepStatus.COMPLETED, f"{JOB}-w1")


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        (
            "quotaExceeded",
            "Quota exceeded: Your table exceeded quota for imports or query appends per table.",
        ),
        ("quotaExceeded", "Custom quota exceeded: Your usage exceeded the custom quota for QueryUsagePerDay"),
        ("resourcesExceeded", "Resources exceeded during query execution: The query could not be executed"),
        ("invalidQuery", "Unrecognized name: a"),
        ("backendError", "try again"),
    ],
)
def test_what_lasts_is_no_limit_that_is_waited_for(reason: str, message: str) -> None:
    assert not is_limit(reason, message)


@pytest.mark.parametrize("call", ["dry run", "prepare", "submit"])
@pytest.mark.parametrize("reason", ["rateLimitExceeded", "quotaExceeded"])
def test_a_limit_that_refuses_the_call_itself_is_waited_out_too(call: str, reason: str) -> None:
    platform, message = limited_level(0)
    limit = (403, reason, "Exceeded rate limits: too many concurrent queries")
    platform.jobs.refusals[call, "a"] = limit
    until = platform.clock() + timedelta(seconds=95)

    def relent(_: str) -> None:
        if platform.clock() > until:
            platform.jobs.refusals.clear()

    platform.disturb = relent
    platform.run_to_end(message)
    assert platform.status is RunStatus.COMPLETED
    assert platform.jobs.submitted == [JOB]


def test_a_limit_that_keeps_others_from_looking_starts_nothing_a_second_time() -> None:
    platform, message = limited_level(0)
    platform.jobs.outcomes["a"] = Outcome(takes=timedelta(seconds=30))
    platform.jobs.refusals["find", "a"] = (403, *UPDATES)
    with pytest.raises(Exception, match="too many table update operations"):
        platform.deliver(message)
    platform.jobs.refusals.clear()
    platform.run_to_end(message)
    assert platform.jobs.submitted == [JOB]
    assert platform.written == ["a"]


def test_waiting_goes_on_over_many_calls_and_is_heard_of_at_each() -> None:
    platform, message = limited_level(40, budget=timedelta(seconds=45))
    platform.run_to_end(message, most=200)
    assert platform.status is RunStatus.COMPLETED
    assert platform.jobs.submitted == [JOB, *(f"{JOB}-w{waits}" for waits in range(1, 41))]
    heard = platform.rows.heard_of[RUN_ID]
    assert max(later - earlier for earlier, later in pairwise(heard)) <= timedelta(seconds=60)


def test_a_step_that_waits_is_running_and_says_for_what() -> None:
    platform, message = limited_level(40, budget=timedelta(seconds=45))
    platform.deliver(message)
    row = platform.rows.steps_of(RUN_ID)["a"]
    assert (row.status, row.ended_at) == (StepStatus.RUNNING, None)
    assert row.error_message == f"waits for a limit of BigQuery: {UPDATES[1]}"


def test_it_waits_as_long_as_its_run_has_time() -> None:
    platform, _ = limited_level(1000, budget=timedelta(seconds=60))
    pipeline = a_pipeline((a_step("a", retry=Retry(attempts=1)),), timeout_minutes=30)
    platform.run_to_end(a_message(pipeline), most=100)
    assert platform.status is RunStatus.FAILED
    assert "timeout of 30 minutes" in platform.rows.current()[RUN_ID].error
    assert "too many table update operations" in platform.rows.steps_of(RUN_ID)["a"].error_message
    assert platform.clock() - a_run().started_at >= timedelta(minutes=30)


def test_a_run_that_is_cancelled_while_it_waits_starts_nothing_more() -> None:
    platform, message = limited_level(5)

    def cancel_in_the_pause(point: str) -> None:
        if point == f"find {JOB}-w1":
            platform.disturb = lambda point: None
            flag(platform.jobs, "acme", RUN_ID)

    platform.disturb = cancel_in_the_pause
    platform.run_to_end(message)
    assert platform.status is RunStatus.CANCELLED
    assert platform.jobs.submitted == [JOB, f"{JOB}-w1"]
    assert platform.step_states() == {"a": StepStatus.CANCELLED}


def test_cancelling_finds_the_job_that_runs_after_waits() -> None:
    platform, message = limited_level(3, budget=timedelta(seconds=120))
    platform.jobs.outcomes["a"].takes = timedelta(seconds=30)
    platform.deliver(message)
    flag(platform.jobs, "acme", RUN_ID)
    platform.deliver(platform.levels.take())
    last = platform.jobs.submitted[-1]
    assert last.startswith(f"{JOB}-w")
    assert f"cancel {last}" in platform.points
    assert platform.status is RunStatus.CANCELLED


def test_an_attempt_that_fails_after_waiting_is_followed_by_the_next() -> None:
    platform, _ = limited_level(2)
    platform.jobs.outcomes["a"].errors = [("backendError", "try again")]
    platform.run_to_end(a_message(a_pipeline((a_step("a", retry=Retry(attempts=2)),))))
    assert platform.jobs.submitted == [JOB, f"{JOB}-w1", f"{JOB}-w2", f"cvg-step-{RUN_ID}-a-2"]
    assert platform.status is RunStatus.COMPLETED


def test_a_repeated_message_attaches_to_the_last_job_and_looks_at_few() -> None:
    platform, message = limited_level(100, budget=timedelta(hours=3))
    platform.run_to_end(message)
    asked = len(platform.points)
    platform.deliver(message)
    assert len(platform.jobs.submitted) == 101
    assert platform.written == ["a"]
    assert len(platform.points) - asked < 40


@pytest.mark.parametrize("fatal", range(2, 40))
def test_a_process_killed_in_the_middle_of_waiting_leaves_the_effect_exactly_once(fatal: int) -> None:
    platform, message = limited_level(3, budget=timedelta(seconds=30))

    def kill(_: str) -> None:
        if len(platform.points) > fatal:
            raise ProcessKilled

    platform.disturb = kill
    pending = [message]
    while pending:
        current = pending.pop(0)
        try:
            platform.deliver(current)
        except ProcessKilled:
            platform.disturb = lambda point: None
            pending.append(current)
        pending += [platform.levels.take() for _ in range(len(platform.levels.sent))]
    assert platform.written == ["a"]
    assert platform.status is RunStatus.COMPLETED


@pytest.mark.parametrize("last", [0, 1, 2, 3, 4, 5, 6, 7, 8, 50, 255, 256])
def test_the_last_of_many_jobs_is_found(last: int) -> None:
    looked: list[int] = []

    def find(waits: int) -> JobReport | None:
        looked.append(waits)
        return JobReport(job_id=f"job-{waits}", is_done=True) if waits <= last else None

    found = last_in_order(find, 1)
    assert (found[0], found[1].job_id) == (last, f"job-{last}") if found else last == 0
    assert len(looked) <= 20


def test_who_waits_longer_waits_in_longer_pauses_up_to_a_bound_and_no_two_alike() -> None:
    pauses = [pause_for_limit(waits, "a").total_seconds() for waits in range(12)]
    assert all(LIMIT_WINDOW_SECONDS <= pause <= 90 for pause in pauses)
    assert pauses[0] <= 15
    assert pauses[-1] >= 60
    assert pause_for_limit(0, "a") != pause_for_limit(0, "b")

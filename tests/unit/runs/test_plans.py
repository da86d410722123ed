"""A step of several jobs: each runs once, in order, and the step is done with the last one."""

import json
from datetime import timedelta
from typing import Any

import pytest

from common.pipelines.pipeline import Retry
from common.pipelines.plans import QueryJob
from common.runs.cancelling import flag
from common.runs.level_messages import LevelMessage, decode, encode
from common.runs.run import RunStatus, StepOutline, StepRow, StepStatus
from common.runs.step_jobs import Position, attempts_of, job_id, latest_job
from tests.fakes.jobs import Outcome
from tests.unit.runs.examples import RUN_ID, a_message, a_pipeline, a_query, a_run, a_step, a_step_of_two_jobs
from tests.unit.runs.test_levels import Platform, ProcessKilled

FIRST, SECOND = f"cvg-step-{RUN_ID}-a-1", f"cvg-step-{RUN_ID}-a-1-publish"
JOBS = ("main", "publish")


def of_two_jobs(**changes: Any) -> LevelMessage:
    pipeline = a_pipeline((a_step_of_two_jobs("a", **changes),), (a_step("b", 2),))
    outlines = (StepOutline(step_id="a", jobs=JOBS), StepOutline(step_id="b"))
    return a_message(pipeline, run=a_run(levels=(("a",), ("b",)), steps=outlines))


def rows_of(platform: Platform, step_id: str = "a") -> list[StepRow]:
    return [row for _, row in platform.rows.step_rows if row.step_id == step_id and row.ended_at]


def test_the_jobs_of_a_step_run_one_after_the_other_and_then_the_next_level() -> None:
    platform = Platform()
    platform.run_to_end(of_two_jobs())
    assert platform.status is RunStatus.COMPLETED
    assert [job.work.destination for job in platform.jobs.effects] == ["a_beside", "a", "b"]
    assert platform.jobs.submitted == [FIRST, SECOND, f"cvg-step-{RUN_ID}-b-1"]


def test_a_step_is_running_until_its_last_job_is_done() -> None:
    platform = Platform()
    platform.run_to_end(of_two_jobs())
    told = [(row.job_name, row.job_index, row.status) for row in rows_of(platform)]
    assert told == [("main", 0, StepStatus.RUNNING), ("publish", 1, StepStatus.COMPLETED)]


def test_a_job_that_fails_for_a_while_is_tried_again_and_those_before_it_are_not() -> None:
    platform = Platform()
    platform.jobs.outcomes["a"] = Outcome(errors=[("backendError", "try again")])
    platform.run_to_end(of_two_jobs())
    assert platform.jobs.submitted[:3] == [FIRST, SECOND, f"cvg-step-{RUN_ID}-a-2-publish"]
    assert platform.written == ["a", "a_beside", "b"]


def test_each_job_of_a_step_has_attempts_of_its_own() -> None:
    platform = Platform()
    for table in ("a_beside", "a"):
        platform.jobs.outcomes[table] = Outcome(errors=[("backendError", "try again")])
    platform.run_to_end(of_two_jobs(retry=Retry(attempts=2)))
    assert platform.status is RunStatus.COMPLETED


def test_a_job_that_fails_for_good_keeps_those_after_it_from_beginning() -> None:
    platform = Platform()
    platform.jobs.outcomes["a_beside"] = Outcome(errors=[("invalidQuery", "no such column")])
    platform.run_to_end(of_two_jobs())
    assert platform.jobs.submitted == [FIRST]
    assert platform.step_states() == {"a": StepStatus.FAILED, "b": StepStatus.SKIPPED}


def test_a_job_that_the_guard_refuses_fails_the_step_after_those_before_it() -> None:
    platform = Platform()
    platform.refusals["a"] = "reads what is not yours"
    platform.run_to_end(of_two_jobs())
    assert platform.written == ["a_beside"]
    assert platform.step_states()["a"] is StepStatus.FAILED


def test_a_limit_at_a_later_job_is_waited_out_under_names_of_its_own() -> None:
    platform = Platform()
    platform.jobs.outcomes["a"] = Outcome(limited=[("rateLimitExceeded", "too many table updates")])
    platform.run_to_end(of_two_jobs())
    assert platform.jobs.submitted[:3] == [FIRST, SECOND, f"{SECOND}-w1"]
    assert platform.status is RunStatus.COMPLETED


def test_jobs_that_outlive_the_function_are_handed_over_and_never_started_again() -> None:
    platform = Platform(budget=timedelta(seconds=60))
    for table in ("a_beside", "a"):
        platform.jobs.outcomes[table] = Outcome(takes=timedelta(hours=1))
    platform.run_to_end(of_two_jobs(), most=500)
    assert platform.jobs.submitted == [FIRST, SECOND, f"cvg-step-{RUN_ID}-b-1"]
    assert platform.status is RunStatus.COMPLETED


def test_a_cancel_between_two_jobs_ends_the_step_and_starts_no_other() -> None:
    platform = Platform()

    def cancel(point: str) -> None:
        if point == f"find {FIRST}" and platform.clock() >= a_run().started_at + timedelta(seconds=1):
            platform.disturb = lambda _: None
            flag(platform.jobs, "acme", RUN_ID)

    platform.disturb = cancel
    platform.run_to_end(of_two_jobs())
    assert platform.status is RunStatus.CANCELLED
    assert platform.jobs.submitted == [FIRST]
    assert platform.step_states() == {"a": StepStatus.CANCELLED, "b": StepStatus.SKIPPED}


@pytest.mark.parametrize("minutes", [0, 90])
def test_a_run_that_is_stopped_stops_the_job_that_its_step_is_at(minutes: int) -> None:
    platform = Platform(budget=timedelta(minutes=1))
    platform.jobs.outcomes["a_beside"] = Outcome(takes=timedelta(minutes=minutes))
    platform.jobs.outcomes["a"] = Outcome(takes=timedelta(hours=3))
    message = of_two_jobs()
    platform.deliver(message)
    flag(platform.jobs, "acme", RUN_ID)
    platform.run_to_end(message)
    row = rows_of(platform)[-1]
    assert (row.status, row.job_id) == (StepStatus.CANCELLED, FIRST if minutes else SECOND)
    assert platform.status is RunStatus.CANCELLED
    assert "a" not in platform.written


def test_a_step_whose_first_job_alone_is_done_is_cancelled_and_not_completed() -> None:
    platform = Platform()

    def die(point: str) -> None:
        if point.startswith("before submit") and point.endswith("publish"):
            raise ProcessKilled

    platform.disturb = die
    with pytest.raises(ProcessKilled):
        platform.deliver(of_two_jobs())
    platform.disturb = lambda _: None
    flag(platform.jobs, "acme", RUN_ID)
    platform.deliver(of_two_jobs())
    assert platform.step_states() == {"a": StepStatus.CANCELLED, "b": StepStatus.SKIPPED}


def points_of_a_run() -> list[int]:
    platform = Platform()
    platform.run_to_end(of_two_jobs())
    return list(range(len(platform.points)))


@pytest.mark.parametrize("fatal", points_of_a_run())
def test_a_process_killed_at_any_point_repeats_no_job_of_a_step(fatal: int) -> None:
    platform = Platform()

    def kill(_: str) -> None:
        if len(platform.points) > fatal:
            raise ProcessKilled

    platform.disturb = kill
    pending = [of_two_jobs()]
    while pending:
        current = pending.pop(0)
        try:
            platform.deliver(current)
        except ProcessKilled:
            platform.disturb = lambda point: None
            pending.append(current)
        pending += [platform.levels.take() for _ in range(len(platform.levels.sent))]
    assert [job.work.destination for job in platform.jobs.effects] == ["a_beside", "a", "b"]
    assert platform.status is RunStatus.COMPLETED


def test_the_attempts_of_a_step_are_looked_for_from_the_last_job_on() -> None:
    step = a_step_of_two_jobs("a", retry=Retry(attempts=2))
    assert [(at.job, at.attempt) for at in attempts_of(step)] == [(1, 2), (1, 1), (0, 2), (0, 1)]


def test_the_latest_job_of_a_step_is_found_with_its_waits() -> None:
    platform = Platform()
    platform.jobs.outcomes["a"] = Outcome(limited=[("rateLimitExceeded", "too many table updates")])
    message = of_two_jobs()
    platform.run_to_end(message)
    found = latest_job(platform.jobs, message.run, message.pipeline.levels[0][0])
    assert found is not None
    assert (found[0], found[1].job_id) == (Position(job=1, attempt=1, waits=1), f"{SECOND}-w1")


def test_the_main_job_of_a_step_has_the_id_that_it_always_had() -> None:
    assert job_id("r", "s", 2) == "cvg-step-r-s-2"
    assert job_id("r", "s", 2, 3) == "cvg-step-r-s-2-w3"
    assert job_id("r", "s", 2, 3, "publish") == "cvg-step-r-s-2-publish-w3"


# Messages


PLAIN = {"sql": "SELECT 1 AS a", "write_disposition": "WRITE_APPEND"}


def test_a_step_of_one_plain_query_travels_as_steps_did_before_they_had_plans() -> None:
    message = a_message(a_pipeline((a_step("a"),)))
    (step,) = json.loads(encode(message))["pipeline"]["levels"][0]
    assert step == {
        "id": "a",
        "ps_type": "bq_etl.query",
        "index": 0,
        "level": 1,
        "target_table": "a",
        **PLAIN,
    }
    assert decode(encode(message)) == message


@pytest.mark.parametrize(
    "jobs",
    [
        (a_query("a"), a_query("a", name="publish")),
        (a_query("a", name="publish"),),
        (a_query("elsewhere"),),
    ],
)
def test_any_other_plan_travels_as_a_plan(jobs: tuple[QueryJob, ...]) -> None:
    message = a_message(a_pipeline((a_step("a", jobs=jobs),)))
    (step,) = json.loads(encode(message))["pipeline"]["levels"][0]
    assert "sql" not in step
    assert decode(encode(message)) == message


def test_a_step_that_is_stopped_tells_of_all_its_jobs_though_nobody_wrote_them_down() -> None:
    platform = Platform()
    platform.jobs.outcomes["a"] = Outcome(takes=timedelta(hours=1))

    def die(point: str) -> None:
        if point == f"after submit {SECOND}":
            raise ProcessKilled

    platform.disturb = die
    with pytest.raises(ProcessKilled):
        platform.deliver(of_two_jobs())
    assert rows_of(platform) == []
    platform.disturb = lambda _: None
    flag(platform.jobs, "acme", RUN_ID)
    platform.deliver(of_two_jobs())
    told = [(row.job_name, row.status) for row in rows_of(platform)]
    assert told == [("main", StepStatus.RUNNING), ("publish", StepStatus.CANCELLED)]

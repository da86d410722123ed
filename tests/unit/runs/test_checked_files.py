"""Files whose rows are checked first are published once and none is missed, whoever dies meanwhile."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from common.pipelines.candidates import CANDIDATE
from common.pipelines.pipeline import Retry
from common.pipelines.plans import CheckJob, CopyJob, FilesLoadedJob, LoadJob, LoadMode
from common.quality.checks import Check
from common.runs.cancelling import flag
from common.runs.files import PATIENCE, PUBLISHED_BY, BatchState
from common.runs.level_messages import LevelMessage
from common.runs.run import RunStatus, StepStatus
from tests.fakes.files import in_ledger
from tests.fakes.jobs import Outcome
from tests.unit.runs.examples import RUN_ID, a_message, a_pipeline, a_query, a_run, a_step
from tests.unit.runs.test_files import OTHER_RUN, A, B, C, a_load, kill_at, ledger, platform  # noqa: F401
from tests.unit.runs.test_levels import Platform, ProcessKilled

NOT_NULL = Check(name="not_null_id", type="not_null", expected="have no id")
FAILING = {"row_count": 10, "failed_0": 3}
PASSING = {"row_count": 10, "failed_0": 0}


def a_checked_load(run_id: str = RUN_ID, **changes: Any) -> LevelMessage:
    """Make the message of a run of one load whose rows are checked before a copy publishes them."""
    candidate = f"p.acme.{CANDIDATE}"
    jobs = (
        a_load(destination=CANDIDATE, candidate_for="orders", **changes),
        a_query("dq_failing_rows", name="failing_rows"),
        CheckJob(
            sql=f"SELECT COUNT(*) FROM `{candidate}`", checks=(NOT_NULL,), table="orders", checked=candidate
        ),
        CopyJob(name="publish", sources=(candidate,), destination="orders"),
        FilesLoadedJob(destination="orders"),
    )
    step = a_step("load", jobs=jobs, ps_type="bq_etl.load", retry=Retry(attempts=3))
    return a_message(a_pipeline((step,)), run=a_run(run_id=run_id, levels=(("load",),)))


def published(platform: Platform) -> Counter[str]:  # noqa: F811
    """Count how often each file has been published."""
    loads = {
        job.labels["run"]: job.work.uris for job in platform.jobs.effects if isinstance(job.work, LoadJob)
    }
    runs = [job.labels["run"] for job in platform.jobs.effects if job.work.name == "publish"]
    return Counter(uri for run_id in runs for uri in loads[run_id])


def points_of_a_run() -> list[str]:
    made = Platform()
    made.jobs.buckets.put(A)
    made.run_to_end(a_checked_load())
    return made.points


POINTS = range(len(points_of_a_run()))


def test_a_load_says_by_which_jobs_its_rows_are_published(platform: Platform) -> None:  # noqa: F811
    platform.run_to_end(a_checked_load())
    load, *_ = platform.jobs.effects
    assert load.labels[PUBLISHED_BY] == "failing_rows-checks-publish"
    assert in_ledger(ledger(platform), "orders", BatchState.LOADED) == [A, B]
    assert platform.rows.steps_of(RUN_ID)["load"].status is StepStatus.COMPLETED


@pytest.mark.parametrize("number", POINTS)
def test_a_run_that_dies_anywhere_and_comes_again_publishes_each_file_once(
    platform: Platform,  # noqa: F811
    number: int,
) -> None:
    kill_at(platform, number)
    with pytest.raises(ProcessKilled):
        platform.run_to_end(a_checked_load())
    platform.run_to_end(a_checked_load())
    platform.jobs.buckets.put(C)
    platform.run_to_end(a_checked_load(OTHER_RUN))
    assert published(platform) == {A: 1, B: 1, C: 1}


@pytest.mark.parametrize("minutes", [0, 5])
@pytest.mark.parametrize("number", POINTS)
def test_what_a_run_leaves_that_dies_for_good_another_one_publishes_once(
    platform: Platform,  # noqa: F811
    number: int,
    minutes: int,
) -> None:
    kill_at(platform, number)
    with pytest.raises(ProcessKilled):
        platform.run_to_end(a_checked_load())
    platform.clock.sleep(minutes * 60)
    platform.run_to_end(a_checked_load(OTHER_RUN), most=500)
    assert published(platform) == {A: 1, B: 1}
    # The first one was not dead, but held up all that time.
    platform.run_to_end(a_checked_load(), most=500)
    assert published(platform) == {A: 1, B: 1}


@pytest.mark.parametrize("number", POINTS)
def test_two_runs_at_once_publish_each_file_once(platform: Platform, number: int) -> None:  # noqa: F811
    passed = iter(range(10_000))

    def let_another_run(_point: str) -> None:
        if next(passed) == number:
            platform.disturb = lambda _: None
            platform.run_to_end(a_checked_load(OTHER_RUN), most=500)

    platform.disturb = let_another_run
    platform.run_to_end(a_checked_load(), most=500)
    assert published(platform) == {A: 1, B: 1}


def test_files_whose_rows_fail_are_new_to_the_next_run(platform: Platform) -> None:  # noqa: F811
    platform.jobs.counts["orders"] = FAILING
    platform.run_to_end(a_checked_load())
    assert (platform.status, published(platform)) == (RunStatus.FAILED, {})
    platform.jobs.counts["orders"] = PASSING
    platform.run_to_end(a_checked_load(OTHER_RUN), most=500)
    assert published(platform) == {A: 1, B: 1}
    assert in_ledger(ledger(platform), "orders", BatchState.VOID) == [A, B]


def test_a_run_does_not_wait_for_files_whose_rows_have_failed(platform: Platform) -> None:  # noqa: F811
    platform.jobs.counts["orders"] = FAILING
    platform.run_to_end(a_checked_load())
    platform.jobs.counts["orders"] = PASSING
    began = platform.clock()
    platform.run_to_end(a_checked_load(OTHER_RUN))
    assert platform.clock() - began < PATIENCE
    assert published(platform) == {A: 1, B: 1}


@pytest.mark.parametrize("target", ["dq_failing_rows", "orders"])
def test_a_run_does_not_wait_for_files_of_a_step_that_bigquery_has_failed(
    platform: Platform,  # noqa: F811
    target: str,
) -> None:
    platform.jobs.outcomes[target] = Outcome(errors=[("invalidQuery", "no")])
    platform.run_to_end(a_checked_load())
    assert platform.status is RunStatus.FAILED
    platform.jobs.outcomes.clear()
    began = platform.clock()
    platform.run_to_end(a_checked_load(OTHER_RUN))
    assert platform.clock() - began < PATIENCE
    assert published(platform) == {A: 1, B: 1}


def test_a_run_does_not_wait_for_files_of_a_run_that_is_cancelled_before_their_rows_are_published(
    platform: Platform,  # noqa: F811
) -> None:
    def cancel(point: str) -> None:
        if "read counts" in point:
            platform.disturb = lambda _: None
            flag(platform.jobs, "acme", RUN_ID)

    platform.disturb = cancel
    platform.run_to_end(a_checked_load())
    assert platform.status is RunStatus.CANCELLED
    began = platform.clock()
    platform.run_to_end(a_checked_load(OTHER_RUN))
    assert platform.clock() - began < PATIENCE
    assert published(platform) == {A: 1, B: 1}


def test_a_run_whose_files_were_taken_over_says_so_and_is_not_tried_again(
    platform: Platform,  # noqa: F811
) -> None:
    def die(point: str) -> None:
        if "read counts" in point:
            platform.disturb = lambda _: None
            raise ProcessKilled

    platform.disturb = die
    with pytest.raises(ProcessKilled):
        platform.run_to_end(a_checked_load())
    platform.clock.sleep(600)
    platform.run_to_end(a_checked_load(OTHER_RUN))
    platform.run_to_end(a_checked_load())
    row = platform.rows.steps_of(RUN_ID)["load"]
    assert (row.status, row.error_reason, row.job_name) == (StepStatus.FAILED, "filesTakenOver", "publish")
    assert published(platform) == {A: 1, B: 1}


@pytest.mark.parametrize("error", [("backendError", "try again"), ("rateLimitExceeded", "too many updates")])
def test_a_publication_that_is_tried_again_is_waited_for(
    platform: Platform,  # noqa: F811
    error: tuple[str, str],
) -> None:
    is_limit = error[0] == "rateLimitExceeded"
    platform.jobs.outcomes["orders"] = (
        Outcome(limited=[error, error]) if is_limit else Outcome(errors=[error, error])
    )
    platform.worker = replace(platform.worker, budget=timedelta(seconds=5))
    platform.deliver(a_checked_load())
    platform.run_to_end(a_checked_load(OTHER_RUN), most=500)
    assert published(platform) == {A: 1, B: 1}


def test_all_files_are_checked_each_time(platform: Platform) -> None:  # noqa: F811
    for run_id in (RUN_ID, OTHER_RUN):
        platform.run_to_end(a_checked_load(run_id, mode=LoadMode.ALL))
    assert published(platform) == {A: 2, B: 2}

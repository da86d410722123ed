"""What the file says of failures and conditions holds for every delivery, and whoever continues the run."""

from datetime import timedelta

import pytest

from common.pipelines.pipeline import BoundParameter, OnFailure, Pipeline
from common.runs.level_messages import decode, encode
from common.runs.ports import ConfigText
from common.runs.progress import OpenRun
from common.runs.quotas import Limits
from common.runs.run import EndReason, RunStatus, StepStatus
from tests.fakes.jobs import Outcome
from tests.fakes.runs import MemoryProgress, MemoryTenant
from tests.unit.runs.examples import RUN_ID, a_message, a_pipeline, a_run, a_step
from tests.unit.runs.test_levels import Platform, ProcessKilled

FAILS = Outcome(errors=[("invalidQuery", "no such column")])
COMPLETED, FAILED, SKIPPED = StepStatus.COMPLETED, StepStatus.FAILED, StepStatus.SKIPPED


def three_levels(on_failure: OnFailure, run_if: str = "") -> Pipeline:
    """Load fails; sums and report build upon it, other does not; mend may ask for its state."""
    return a_pipeline(
        (a_step("load", on_failure=on_failure), a_step("aside")),
        (a_step("sums", 2, depends_on=("load",)), a_step("other", 2, depends_on=("aside",))),
        (a_step("report", 3, depends_on=("sums",)), a_step("mend", 3, depends_on=("load",), run_if=run_if)),
    )


def run_through(pipeline: Pipeline, platform: Platform | None = None) -> Platform:
    platform = platform or Platform()
    platform.jobs.outcomes["load"] = FAILS
    run = a_run(parameters=(BoundParameter(name="full", type="BOOL", value=True),))
    platform.run_to_end(a_message(pipeline, run=run))
    return platform


def test_a_failure_that_may_be_lets_all_go_on_and_the_run_complete() -> None:
    platform = run_through(three_levels(OnFailure.CONTINUE))
    assert platform.status is RunStatus.COMPLETED
    assert platform.step_states() == {
        "load": FAILED,
        **dict.fromkeys(["aside", "sums", "other", "report", "mend"], COMPLETED),
    }


def test_what_depends_on_a_failure_is_skipped_and_the_run_fails_in_the_end() -> None:
    platform = run_through(three_levels(OnFailure.SKIP_DEPENDENTS, "steps.load == 'FAILED' and ${full}"))
    assert platform.step_states() == {
        "load": FAILED,
        "aside": COMPLETED,
        "sums": SKIPPED,
        "other": COMPLETED,
        "report": SKIPPED,
        "mend": COMPLETED,
    }
    row = platform.rows.current()[RUN_ID]
    assert (row.status, row.reason) == (RunStatus.FAILED, EndReason.STEP_FAILED)
    assert row.error == "step load failed: what depends on it was skipped"


def test_a_step_whose_condition_does_not_hold_is_skipped_with_what_depends_on_it() -> None:
    pipeline = a_pipeline(
        (a_step("load", run_if="not ${full}"), a_step("aside")), (a_step("sums", 2, depends_on=("load",)),)
    )
    platform = run_through(pipeline)
    assert platform.step_states() == {"load": SKIPPED, "aside": COMPLETED, "sums": SKIPPED}
    assert platform.status is RunStatus.COMPLETED
    assert platform.written == ["aside"]


def test_a_run_of_nothing_but_skipped_steps_completes() -> None:
    pipeline = a_pipeline((a_step("load", run_if="false"),), (a_step("sums", 2, depends_on=("load",)),))
    platform = run_through(pipeline)
    assert (platform.status, platform.written) == (RunStatus.COMPLETED, [])


def test_a_job_that_somebody_stopped_ends_the_run_whatever_the_file_says() -> None:
    platform = Platform()
    pipeline = a_pipeline((a_step("load", on_failure=OnFailure.CONTINUE),), (a_step("sums", 2),))
    platform.jobs.outcomes["load"] = Outcome(errors=[("stopped", "Job execution was cancelled")])
    platform.run_to_end(a_message(pipeline))
    assert platform.status is RunStatus.FAILED
    assert platform.step_states()["sums"] is SKIPPED


def points_of(pipeline: Pipeline) -> list[str]:
    return run_through(pipeline).points


TOLERANT = three_levels(OnFailure.SKIP_DEPENDENTS, "steps.load == 'FAILED'")


def known_to_sweeper(platform: Platform) -> OpenRun:
    config = ConfigText(config_id="daily", version=1, text="")
    limits = Limits(daily=9, monthly=9, concurrent=9)
    platform.rows.tenants["acme"] = MemoryTenant(limits=limits, configs={"daily": config})
    found = MemoryProgress(platform.rows).find("acme", RUN_ID, platform.clock())
    assert found is not None
    return found


@pytest.mark.parametrize("place", range(len(points_of(TOLERANT))))
def test_a_run_that_died_anywhere_is_continued_to_the_same_end(place: int) -> None:
    whole = run_through(TOLERANT)
    platform = Platform()
    platform.jobs.outcomes["load"] = FAILS
    run = a_run(
        levels=tuple(tuple(step.id for step in level) for level in TOLERANT.levels),
        parameters=(BoundParameter(name="full", type="BOOL", value=True),),
    )
    platform.rows.append_run(run, RunStatus.PENDING, platform.clock())
    first = len(platform.points)

    def die(point: str) -> None:
        if len(platform.points) == first + place + 1:
            raise ProcessKilled

    platform.disturb = die
    with pytest.raises(ProcessKilled):
        platform.run_to_end(a_message(TOLERANT, run=run))
    platform.disturb = lambda point: None
    platform.levels.sent.clear()  # Nothing of what was under way is delivered again.
    for _ in range(5):
        if platform.status is not RunStatus.PENDING:
            break
        platform.clock.sleep(600)
        platform.run_to_end(known_to_sweeper(platform).message(lambda tenant_id, config: TOLERANT))
    assert (platform.status, platform.step_states()) == (whole.status, whole.step_states())
    assert platform.written == whole.written


def test_each_level_delivered_three_times_comes_to_the_same() -> None:
    platform = Platform()
    platform.jobs.outcomes["load"] = FAILS
    waiting = [a_message(TOLERANT)]
    for _ in range(30):
        if not waiting:
            break
        message = waiting.pop(0)
        for _ in range(3):
            platform.deliver(message)
        waiting += [platform.levels.take() for _ in range(len(platform.levels.sent))]
    assert platform.written == ["aside", "mend", "other"]
    assert not waiting


def test_states_travel_with_the_message() -> None:
    message = a_message(TOLERANT, level=2, states={"load": "FAILED"})
    assert decode(encode(message)) == message


@pytest.mark.parametrize("most", [1, 2, 3])
def test_no_more_steps_of_a_level_run_at_once_than_may(most: int) -> None:
    platform = Platform()
    names = "abcde"
    for name in names:
        platform.jobs.outcomes[name] = Outcome(takes=timedelta(seconds=30))
    pipeline = a_pipeline(tuple(a_step(name) for name in names), max_parallel=most)
    running: list[int] = []
    platform.disturb = lambda point: running.append(
        sum(not report.is_done for _, report in platform.jobs.reports)
    )
    platform.run_to_end(a_message(pipeline))
    assert platform.written == list(names)
    assert max(running) <= most


def test_a_lane_stops_at_a_failure_and_the_rest_of_it_is_skipped() -> None:
    platform = Platform()
    platform.jobs.outcomes["load"] = FAILS
    pipeline = a_pipeline((a_step("load"), a_step("b"), a_step("c")), max_parallel=1)
    platform.run_to_end(a_message(pipeline))
    assert platform.status is RunStatus.FAILED
    assert platform.step_states() == {"load": FAILED, "b": SKIPPED, "c": SKIPPED}


def test_lanes_are_handed_over_and_go_on() -> None:
    platform = Platform(budget=timedelta(seconds=60))
    for name in "abc":
        platform.jobs.outcomes[name] = Outcome(takes=timedelta(minutes=2))
    pipeline = a_pipeline(tuple(a_step(name) for name in "abc"), max_parallel=1)
    platform.run_to_end(a_message(pipeline))
    assert (platform.status, platform.written) == (RunStatus.COMPLETED, ["a", "b", "c"])

"""Steps with checks: what fails is not published, what warns is, and no delivery tells anything twice."""

from typing import Any

import pytest

from common.pipelines.plans import CheckJob, CopyJob
from common.quality.checks import Bounds, Check, Judgement, Severity
from common.quality.contracts import FoundColumn
from common.quality.verdicts import CheckStatus
from common.runs.level_messages import LevelMessage, decode, encode
from common.runs.run import RunStatus, StepOutline, StepStatus
from tests.unit.runs.examples import RUN_ID, a_checked_step, a_message, a_pipeline, a_run, a_step
from tests.unit.runs.test_levels import Platform, ProcessKilled

CANDIDATE_OF_RUN = f"_cvg_{RUN_ID}_a"
NOT_NULL = Check(name="not_null_id", type="not_null", expected="have no id")
WARNING = Check(name="unique_id", type="unique", severity=Severity.WARN, expected="repeat id of another")


def checked(*checks: Check) -> LevelMessage:
    pipeline = a_pipeline((a_checked_step("a", checks=checks),), (a_step("b", 2),))
    outlines = (StepOutline(step_id="a", jobs=("main", "checks", "publish")), StepOutline(step_id="b"))
    return a_message(pipeline, run=a_run(levels=(("a",), ("b",)), steps=outlines))


def counts(*failed: int) -> dict[str, Any]:
    return {"row_count": 10} | {f"failed_{number}": rows for number, rows in enumerate(failed)}


def results(platform: Platform) -> dict[str, CheckStatus]:
    return {one.verdict.check.name: one.verdict.status for _, one in platform.rows.results}


def test_rows_that_pass_are_published_from_the_candidate_of_the_run() -> None:
    platform = Platform()
    platform.run_to_end(checked(NOT_NULL, WARNING))
    assert platform.status is RunStatus.COMPLETED
    main, check, publish = (job.work for job in platform.jobs.effects[:3])
    assert main.destination == CANDIDATE_OF_RUN
    assert isinstance(check, CheckJob)
    assert CANDIDATE_OF_RUN in check.sql
    assert isinstance(publish, CopyJob)
    assert (publish.sources, publish.destination) == ((f"p.acme.{CANDIDATE_OF_RUN}",), "a")
    assert results(platform) == {"not_null_id": CheckStatus.PASSED, "unique_id": CheckStatus.PASSED}


def test_an_error_stops_a_step_before_it_publishes_and_says_which_check() -> None:
    platform = Platform()
    platform.jobs.counts["a"] = counts(3, 0)
    platform.run_to_end(checked(NOT_NULL, WARNING))
    assert platform.step_states() == {"a": StepStatus.FAILED, "b": StepStatus.SKIPPED}
    assert "a" not in [job.work.destination for job in platform.jobs.effects]
    row = platform.rows.steps_of(RUN_ID)["a"]
    assert (row.error_reason, row.attempt) == ("checksFailed", 1)
    assert "not_null_id: 3 of 10 rows (30 %) have no id, expected no row" in row.error_message
    assert results(platform) == {"not_null_id": CheckStatus.FAILED, "unique_id": CheckStatus.PASSED}


def test_a_warning_publishes_and_is_told() -> None:
    platform = Platform()
    platform.jobs.counts["a"] = counts(0, 2)
    platform.run_to_end(checked(NOT_NULL, WARNING))
    assert platform.status is RunStatus.COMPLETED
    assert "a" in platform.written
    assert results(platform)["unique_id"] is CheckStatus.WARNED


def test_counts_that_cannot_be_read_any_more_publish_nothing() -> None:
    platform = Platform()
    platform.jobs.refusals["read counts", "a"] = (404, "notFound", "Not found: the result is gone")
    platform.run_to_end(checked(NOT_NULL))
    assert platform.step_states()["a"] is StepStatus.FAILED
    assert "a" not in platform.written


def test_a_value_is_held_against_what_earlier_runs_of_the_pipeline_have_passed() -> None:
    bounds = Bounds(max_change_percent=50, earlier_runs=7)
    usual = Check(name="usual", type="row_count", judgement=Judgement.VALUE, bounds=bounds)
    platform = Platform()
    message = checked(usual)
    platform.jobs.counts["a"] = counts() | {"observed_0": "100"}
    platform.run_to_end(message)
    (result,) = [one for _, one in platform.rows.results]
    assert result.verdict.value == 100.0
    assert "any value until 3 earlier runs have one (0 so far)" in result.verdict.expected


def test_a_contract_is_held_against_the_columns_of_the_candidate() -> None:
    contract = Check(name="schema", type="schema", judgement=Judgement.COLUMNS)
    platform = Platform()
    columns = [FoundColumn(name="id", type="INTEGER", mode="NULLABLE")]
    platform.jobs.found[f"p.acme.{CANDIDATE_OF_RUN}"] = columns
    platform.run_to_end(checked(contract))
    assert platform.status is RunStatus.COMPLETED


def points_of_a_run() -> list[int]:
    platform = Platform()
    platform.run_to_end(checked(NOT_NULL, WARNING))
    return list(range(len(platform.points)))


@pytest.mark.parametrize("failed", [0, 3])
@pytest.mark.parametrize("fatal", points_of_a_run())
def test_a_process_killed_at_any_point_publishes_once_or_not_at_all(fatal: int, failed: int) -> None:
    platform = Platform()
    platform.jobs.counts["a"] = counts(failed, 0)

    def kill(_: str) -> None:
        if len(platform.points) > fatal:
            raise ProcessKilled

    platform.disturb = kill
    pending = [checked(NOT_NULL, WARNING)]
    while pending:
        current = pending.pop(0)
        try:
            platform.deliver(current)
        except ProcessKilled:
            platform.disturb = lambda point: None
            pending.append(current)
        pending += [platform.levels.take() for _ in range(len(platform.levels.sent))]
    written = [job.work.destination for job in platform.jobs.effects if job.work.destination == "a"]
    assert written == ([] if failed else ["a"])
    assert len({one.key for _, one in platform.rows.results}) == 2
    assert platform.status is (RunStatus.FAILED if failed else RunStatus.COMPLETED)


def test_a_plan_with_checks_travels_whole() -> None:
    message = checked(NOT_NULL, WARNING)
    assert decode(encode(message)) == message

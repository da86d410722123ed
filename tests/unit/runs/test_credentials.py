"""Steps under a tenant's own credential: what becomes of them when it opens, and when it does not."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from common.pipelines.pipeline import Pipeline, Retry
from common.runs.cancelling import flag
from common.runs.run import RunStatus, StepRow, StepStatus
from tests.fakes.jobs import Outcome
from tests.unit.runs.examples import RUN_ID, a_message, a_pipeline, a_step
from tests.unit.runs.test_levels import Platform

MISSING = "does not exist, or was deleted"
JOB = f"cvg-step-{RUN_ID}-extract-1"


def a_pipeline_with(**changes: Any) -> Pipeline:
    return a_pipeline((a_step("extract", credential="gcp", **changes),), (a_step("transform", 2),))


def row_of(platform: Platform, step_id: str = "extract") -> StepRow:
    return platform.rows.steps_of(RUN_ID)[step_id]


def test_a_step_runs_under_its_credential_and_its_row_says_in_which_project() -> None:
    platform = Platform()
    platform.run_to_end(a_message(a_pipeline_with()))
    assert platform.status is RunStatus.COMPLETED
    assert row_of(platform).job_project == "customer-project"
    assert row_of(platform, "transform").job_project == ""
    assert [job.credential for job in platform.jobs.effects] == ["gcp", ""]


def test_a_credential_is_opened_once_for_all_steps_of_a_level() -> None:
    platform = Platform()
    names = ["gcp", "gcp", "other", ""]
    steps = tuple(a_step(f"s{number}", credential=name) for number, name in enumerate(names))
    platform.run_to_end(a_message(a_pipeline(steps)))
    assert sorted(platform.jobs.opened) == ["gcp", "other"]


def test_a_target_is_made_ready_once_the_statement_is_judged() -> None:
    platform = Platform()
    platform.refusals["extract"] = "reads what it must not"
    platform.run_to_end(a_message(a_pipeline_with()))
    assert platform.jobs.prepared == []
    platform = Platform()
    platform.run_to_end(a_message(a_pipeline_with()))
    assert platform.jobs.prepared == ["extract", "transform"]


def test_a_credential_of_no_use_fails_its_step_at_once_with_the_reason() -> None:
    platform = Platform()
    platform.jobs.unusable["gcp"] = MISSING
    platform.run_to_end(a_message(a_pipeline_with(retry=Retry(attempts=5))))
    assert platform.status is RunStatus.FAILED
    assert platform.rows.current()[RUN_ID].error == f"step extract: the credential gcp {MISSING}"
    assert row_of(platform).error_reason == "credential"
    assert platform.step_states()["transform"] is StepStatus.SKIPPED
    assert platform.jobs.submitted == []


def test_the_other_steps_of_its_level_run() -> None:
    platform = Platform()
    platform.jobs.unusable["gcp"] = MISSING
    platform.run_to_end(a_message(a_pipeline((a_step("a", credential="gcp"), a_step("b")))))
    assert platform.step_states() == {"a": StepStatus.FAILED, "b": StepStatus.COMPLETED}


def test_a_credential_that_is_deleted_while_its_job_runs_fails_the_step() -> None:
    platform = Platform(budget=timedelta(seconds=30))
    platform.jobs.outcomes["extract"] = Outcome(takes=timedelta(minutes=5))
    platform.deliver(a_message(a_pipeline_with()))
    platform.jobs.unusable["gcp"] = MISSING
    platform.deliver(platform.levels.take())
    assert platform.status is RunStatus.FAILED
    assert platform.jobs.submitted == [JOB]


def test_an_account_that_may_no_longer_look_at_its_job_fails_the_step() -> None:
    platform = Platform()
    platform.jobs.outcomes["extract"] = Outcome(takes=timedelta(minutes=5))

    def lock_out(point: str) -> None:
        if point == f"find {JOB}":
            platform.jobs.unreadable = "Access Denied"

    platform.disturb = lock_out
    platform.run_to_end(a_message(a_pipeline_with()))
    assert platform.status is RunStatus.FAILED
    assert row_of(platform).error_message.startswith("Access Denied.")
    assert row_of(platform).job_id == JOB


def test_a_job_of_the_same_id_that_cannot_be_looked_at_is_not_run_a_second_time() -> None:
    platform = Platform()
    platform.deliver(a_message(a_pipeline_with()))
    platform.jobs.unreadable = "Access Denied"
    platform.deliver(a_message(a_pipeline_with()))
    assert platform.jobs.submitted == [JOB]
    assert platform.status is RunStatus.FAILED


def test_a_cancelled_run_has_its_job_in_the_tenants_project_stopped() -> None:
    platform = Platform(budget=timedelta(seconds=30))
    platform.jobs.outcomes["extract"] = Outcome(takes=timedelta(hours=2))
    platform.deliver(a_message(a_pipeline_with()))
    flag(platform.jobs, "acme", RUN_ID)
    platform.deliver(platform.levels.take())
    assert platform.status is RunStatus.CANCELLED
    assert f"cancel {JOB}" in platform.points
    assert platform.step_states()["extract"] is StepStatus.CANCELLED


def test_a_run_that_is_given_up_where_nobody_opens_credentials_says_what_it_does_not_know() -> None:
    platform = Platform(budget=timedelta(seconds=30))
    platform.jobs.outcomes["extract"] = Outcome(takes=timedelta(hours=2))
    platform.deliver(a_message(a_pipeline_with()))
    platform.jobs.unusable["gcp"] = "is opened to run steps alone"
    platform.worker.give_up(replace(platform.levels.take(), end_reason="tried ten times"))
    assert platform.status is RunStatus.FAILED
    assert platform.step_states()["extract"] is StepStatus.CANCELLED
    assert "its job could not be looked at" in row_of(platform).error_message


def test_a_level_delivered_five_times_appends_once() -> None:
    platform = Platform()
    message = a_message(a_pipeline_with())
    for _ in range(5):
        platform.deliver(message)
    while platform.levels.sent:
        platform.deliver(platform.levels.take())
    assert platform.written == ["extract", "transform"]


def test_the_next_level_is_started_where_its_credential_does_not_tell_whether_it_has_begun() -> None:
    platform = Platform()
    pipeline = a_pipeline((a_step("extract"),), (a_step("transform", 2, credential="gcp"),))
    platform.deliver(a_message(pipeline))
    platform.levels.take()
    platform.jobs.unusable["gcp"] = MISSING
    platform.deliver(a_message(pipeline))
    assert len(platform.levels.sent) == 1

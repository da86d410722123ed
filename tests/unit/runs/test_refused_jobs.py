"""Whatever BigQuery answers to a step's own job ends the step, at once and in BigQuery's words."""

import logging
from datetime import timedelta

import pytest

from common.errors import Unavailable
from common.pipelines.pipeline import Retry
from common.runs.cancelling import flag
from common.runs.run import RunStatus, StepStatus
from tests.fakes.jobs import Outcome
from tests.unit.runs.examples import RUN_ID, a_message, a_pipeline, a_step
from tests.unit.runs.test_levels import Platform

JOB = f"cvg-step-{RUN_ID}-extract-1"
REFUSALS = [
    (404, "notFound", "Not found: Table p:acme.ordres was not found in location US"),
    (404, "notFound", "Not found: Dataset p:acme was not found in location US"),
    (404, "notFound", "Not found: Routine p:acme.to_euro was not found in location US"),
    (404, "", "Not found"),
    (400, "invalidQuery", "Unrecognized name: pric at [1:8]"),
    (400, "invalid", "Incompatible table partitioning specification"),
    (400, "resourcesExceeded", "Resources exceeded during query execution"),
    (401, "authError", "Request had invalid authentication credentials"),
    (403, "accessDenied", "Access Denied: Table p:x.y: User does not have permission"),
    (
        403,
        "quotaExceeded",
        "Quota exceeded: Your table exceeded quota for imports or query appends per table",
    ),
    (403, "billingNotEnabled", "Billing has not been enabled for this project"),
    (409, "duplicate", "Already Exists: Table p:acme.extract"),
    (410, "gone", "Gone"),
    (412, "conditionNotMet", "Precondition check failed"),
    (413, "uploadTooLarge", "Request Entity Too Large"),
]
ANSWERS = [
    pytest.param(call, refusal, id=f"{call} {refusal[0]} {refusal[1]}")
    for call in ("dry run", "prepare", "submit", "find")
    for refusal in REFUSALS
    if (call, refusal[1])
    not in {
        ("prepare", "duplicate"),  # The target is there already.
        ("submit", "duplicate"),  # The job's ID is taken.
        ("find", "quotaExceeded"),  # What is looked at too often can be looked at later.
    }
]


@pytest.mark.parametrize(("call", "refusal"), ANSWERS)
def test_a_refusal_of_any_status_at_any_call_fails_the_step_with_bigquerys_sentence(
    call: str, refusal: tuple[int, str, str]
) -> None:
    platform = Platform()
    platform.jobs.refusals[call, "extract"] = refusal
    platform.deliver(a_message(a_pipeline((a_step("extract", retry=Retry(attempts=5)),), (a_step("b", 2),))))
    _, reason, message = refusal
    row = platform.rows.steps_of(RUN_ID)["extract"]
    assert platform.status is RunStatus.FAILED
    assert (row.status, row.error_reason) == (StepStatus.FAILED, reason or "invalid")
    assert row.error_message.startswith(message)
    assert platform.rows.current()[RUN_ID].error == f"step extract: {row.error_message}"
    assert platform.step_states()["b"] is StepStatus.SKIPPED
    assert platform.levels.sent == []
    assert platform.written == []


def test_a_refused_step_is_told_in_one_line_of_the_log_without_a_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    platform = Platform()
    platform.jobs.refusals["dry run", "extract"] = REFUSALS[0]
    with caplog.at_level(logging.WARNING):
        platform.deliver(a_message())
    (line,) = caplog.records
    assert (line.levelname, line.message, line.exc_info) == ("WARNING", "step failed", None)


def test_a_step_whose_job_may_not_be_looked_at_is_not_started_a_second_time() -> None:
    platform = Platform()
    platform.jobs.outcomes["extract"] = Outcome(takes=timedelta(minutes=5))
    limit = (403, "accessDenied", "Access Denied: too many concurrent changes of the policy")
    platform.jobs.refusals["find", "extract"] = limit
    platform.deliver(a_message(a_pipeline((a_step("extract", retry=Retry(attempts=5)),))))
    assert platform.status is RunStatus.FAILED
    assert platform.jobs.submitted == [JOB]


@pytest.mark.parametrize("call", ["dry run", "prepare", "submit", "find"])
def test_what_may_pass_is_delivered_again_and_the_step_says_meanwhile_what_it_waits_for(call: str) -> None:
    platform = Platform()
    platform.jobs.refusals[call, "extract"] = (503, "backendError", "Visibility check was unavailable")
    message = a_message(a_pipeline((a_step("extract"), a_step("other"))))
    with pytest.raises(Unavailable, match="step extract: Visibility check was unavailable"):
        platform.deliver(message)
    row = platform.rows.steps_of(RUN_ID)["extract"]
    assert (row.status, row.error_reason) == (StepStatus.RUNNING, "backendError")
    assert row.error_message == "is tried again: Visibility check was unavailable"
    platform.jobs.refusals.clear()
    platform.run_to_end(message)
    assert platform.status is RunStatus.COMPLETED
    assert platform.written == ["extract", "other"]


def test_what_keeps_a_level_from_being_looked_at_takes_nothing_back() -> None:
    platform = Platform()
    flag(platform.jobs, "acme", RUN_ID)
    platform.run_to_end(a_message())
    assert set(platform.step_states().values()) == {StepStatus.SKIPPED}

    def fail(point: str) -> None:
        if point.startswith("find claim"):
            raise Unavailable("no answer")

    platform.disturb = fail
    with pytest.raises(Unavailable):
        platform.deliver(a_message())
    (_, trouble) = platform.rows.step_rows[-1]
    assert (trouble.status, trouble.error_message) == (StepStatus.RUNNING, "is tried again: no answer")
    assert platform.rows.last_trouble(RUN_ID) == "is tried again: no answer"
    assert set(platform.step_states().values()) == {StepStatus.SKIPPED}


def test_a_cancelled_run_ends_though_its_job_may_not_be_looked_at() -> None:
    platform = Platform(budget=timedelta(seconds=30))
    platform.jobs.outcomes["extract"] = Outcome(takes=timedelta(hours=2))
    platform.deliver(a_message())
    flag(platform.jobs, "acme", RUN_ID)
    platform.jobs.unreadable = "Access Denied"
    platform.deliver(platform.levels.take())
    assert platform.status is RunStatus.CANCELLED

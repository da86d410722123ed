"""A level has the effect of one delivery, however often, late or broken off its message is delivered."""

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import pytest

from common.errors import Unavailable
from common.pipelines.pipeline import Retry
from common.runs.cancelling import flag
from common.runs.level_messages import LevelMessage
from common.runs.levels import LevelWorker
from common.runs.ports import DryRun, StepJob
from common.runs.run import EndReason, RunStatus, StepStatus
from tests.fakes.clock import VirtualClock
from tests.fakes.jobs import MemoryJobs, Outcome
from tests.fakes.runs import MemoryLevels, MemoryRuns
from tests.unit.runs.examples import RUN_ID, a_message, a_pipeline, a_run, a_step


class ProcessKilled(BaseException):
    """The function's process dies: nothing in the code may catch it."""


class Platform:
    """One run on in-memory ports; `at` can be set to kill or disturb."""

    def __init__(self, budget: timedelta = timedelta(seconds=480)) -> None:
        self.clock = VirtualClock()
        self.points: list[str] = []
        self.disturb: Callable[[str], None] = lambda point: None
        self.jobs = MemoryJobs(self.clock, self._at)
        self.rows = MemoryRuns(self._at)
        self.levels = MemoryLevels(self._at)
        self.refusals: dict[str, str] = {}
        self.worker = LevelWorker(
            store=self.rows,
            checks=self.rows,
            earlier=self.rows,
            claims=self.jobs,
            identities=self.jobs,
            levels=self.levels,
            guard=self._guard,
            clock=self.clock,
            sleep=self.clock.sleep,
            budget=budget,
        )

    def deliver(self, message: LevelMessage) -> None:
        self.worker.carry_out(message)

    def run_to_end(self, message: LevelMessage, most: int = 50) -> None:
        self.deliver(message)
        for _ in range(most):
            if not self.levels.sent:
                return
            self.deliver(self.levels.take())
        pytest.fail("the run does not come to an end")

    @property
    def status(self) -> RunStatus | None:
        row = self.rows.current().get(RUN_ID)
        return row.status if row else None

    @property
    def written(self) -> list[str]:
        return sorted(job.work.destination for job in self.jobs.effects)

    def step_states(self) -> dict[str, StepStatus]:
        return {step_id: row.status for step_id, row in self.rows.steps_of(RUN_ID).items()}

    def _at(self, point: str) -> None:
        self.points.append(point)
        self.disturb(point)

    def _guard(self, job: StepJob, dry_run: DryRun | None) -> str:
        return self.refusals.get(job.work.destination, "")


def test_two_levels_run_in_order_to_completed() -> None:
    platform = Platform()
    platform.run_to_end(a_message())
    assert platform.status is RunStatus.COMPLETED
    assert [job.work.destination for job in platform.jobs.effects] == ["extract", "transform"]
    assert platform.step_states() == {"extract": StepStatus.COMPLETED, "transform": StepStatus.COMPLETED}


def test_all_steps_of_a_level_are_submitted_before_any_is_waited_for() -> None:
    platform = Platform()
    platform.run_to_end(a_message(a_pipeline(tuple(a_step(name) for name in "abc"))))
    first_wait = next(
        index for index, point in enumerate(platform.points) if point.startswith("wait cvg-step")
    )
    submitted = [point for point in platform.points[:first_wait] if point.startswith("after submit")]
    assert len(submitted) == 3


def test_a_run_costs_as_many_streaming_calls_and_messages_as_the_design_says() -> None:
    platform = Platform()
    platform.run_to_end(a_message())
    publishes = [point for point in platform.points if point.startswith("before publish")]
    assert platform.rows.calls <= 2 * 2 + 1
    assert len(publishes) == 1
    assert len(platform.jobs.submitted) == 2


def test_a_level_delivered_five_times_appends_once_and_starts_the_next_level_once() -> None:
    platform = Platform()
    message = a_message()
    for _ in range(5):
        platform.deliver(message)
    while platform.levels.sent:
        platform.deliver(platform.levels.take())
    for _ in range(3):
        platform.deliver(message)
    assert platform.written == ["extract", "transform"]
    assert platform.levels.sent == []
    assert platform.status is RunStatus.COMPLETED


def test_a_failed_step_stops_later_levels_and_skips_their_steps() -> None:
    platform = Platform()
    platform.jobs.outcomes["extract"] = Outcome(errors=[("invalidQuery", "Unrecognized name: pric")])
    platform.run_to_end(a_message())
    assert platform.status is RunStatus.FAILED
    assert platform.step_states() == {"extract": StepStatus.FAILED, "transform": StepStatus.SKIPPED}
    assert platform.written == []
    assert platform.rows.current()[RUN_ID].error.startswith("step extract: Unrecognized name: pric.")


def test_the_other_steps_of_a_level_come_to_their_end_when_one_fails() -> None:
    platform = Platform()
    platform.jobs.outcomes["a"] = Outcome(errors=[("accessDenied", "no")])
    platform.jobs.outcomes["b"] = Outcome(takes=timedelta(minutes=5))
    platform.run_to_end(a_message(a_pipeline((a_step("a"), a_step("b")))))
    assert platform.step_states() == {"a": StepStatus.FAILED, "b": StepStatus.COMPLETED}
    assert platform.status is RunStatus.FAILED


def test_a_passing_error_is_tried_again_under_a_new_attempt_after_a_pause() -> None:
    platform = Platform()
    platform.jobs.outcomes["a"] = Outcome(
        errors=[("backendError", "try again"), ("internalError", "slow down")]
    )
    platform.run_to_end(a_message(a_pipeline((a_step("a", retry=Retry(attempts=3, backoff_seconds=10)),))))
    assert platform.jobs.submitted == [f"cvg-step-{RUN_ID}-a-{attempt}" for attempt in (1, 2, 3)]
    assert platform.written == ["a"]
    assert platform.status is RunStatus.COMPLETED
    assert [row.status for _, row in platform.rows.step_rows if row.ended_at] == [
        StepStatus.FAILED,
        StepStatus.FAILED,
        StepStatus.COMPLETED,
    ]


def test_attempts_end_where_the_policy_says_so() -> None:
    platform = Platform()
    platform.jobs.outcomes["a"] = Outcome(errors=[("backendError", "try again")] * 9)
    platform.run_to_end(a_message(a_pipeline((a_step("a", retry=Retry(attempts=2)),))))
    assert len(platform.jobs.submitted) == 2
    assert platform.status is RunStatus.FAILED


def test_a_permanent_error_is_not_tried_again() -> None:
    platform = Platform()
    platform.jobs.outcomes["a"] = Outcome(errors=[("bytesBilledLimitExceeded", "over the cap")])
    platform.run_to_end(a_message(a_pipeline((a_step("a"),))))
    assert len(platform.jobs.submitted) == 1


def test_a_step_that_the_guard_refuses_never_becomes_a_job() -> None:
    platform = Platform()
    platform.refusals["extract"] = "reads other.secrets, which is not yours"
    platform.run_to_end(a_message())
    assert platform.jobs.submitted == []
    assert platform.status is RunStatus.FAILED
    assert "reads other.secrets" in platform.rows.current()[RUN_ID].error


def test_a_step_that_ran_before_its_source_vanished_stays_completed_on_redelivery() -> None:
    platform = Platform()
    platform.deliver(a_message())
    platform.refusals["extract"] = "its source is gone"
    platform.deliver(a_message())
    assert platform.step_states()["extract"] is StepStatus.COMPLETED
    assert platform.status is None


def test_a_job_that_outlives_the_function_is_handed_over_and_never_started_again() -> None:
    platform = Platform(budget=timedelta(seconds=60))
    platform.jobs.outcomes["extract"] = Outcome(takes=timedelta(hours=3))
    platform.run_to_end(a_message(), most=500)
    assert platform.jobs.submitted == [f"cvg-step-{RUN_ID}-extract-1", f"cvg-step-{RUN_ID}-transform-1"]
    assert platform.status is RunStatus.COMPLETED


def test_a_level_that_takes_hours_is_heard_of_at_every_handover() -> None:
    platform = Platform(budget=timedelta(seconds=60))
    platform.jobs.outcomes["extract"] = Outcome(takes=timedelta(hours=3))
    platform.run_to_end(a_message(), most=500)
    heard = platform.rows.heard_of[RUN_ID]
    assert max(later - earlier for earlier, later in pairwise(heard)) <= timedelta(seconds=60)


def test_a_pause_that_outlives_the_function_goes_on_in_the_next_one() -> None:
    platform = Platform(budget=timedelta(seconds=30))
    platform.jobs.outcomes["a"] = Outcome(errors=[("backendError", "try again")])
    step = a_step("a", retry=Retry(attempts=2, backoff_seconds=100))
    platform.run_to_end(a_message(a_pipeline((step,))))
    assert len(platform.jobs.submitted) == 2
    assert platform.status is RunStatus.COMPLETED


def test_a_cancelled_run_starts_nothing_more_and_skips_the_rest() -> None:
    platform = Platform()
    platform.deliver(a_message())
    flag(platform.jobs, "acme", RUN_ID)
    platform.deliver(platform.levels.take())
    assert platform.written == ["extract"]
    assert platform.status is RunStatus.CANCELLED
    assert platform.step_states()["transform"] is StepStatus.SKIPPED


def test_cancelling_while_a_job_runs_ends_the_run_as_cancelled() -> None:
    platform = Platform()
    platform.jobs.outcomes["extract"] = Outcome(takes=timedelta(minutes=5))
    job_id = f"cvg-step-{RUN_ID}-extract-1"

    def cancel_meanwhile(point: str) -> None:
        if point == f"find {job_id}" and platform.clock() > a_run().started_at + timedelta(seconds=20):
            platform.disturb = lambda point: None
            flag(platform.jobs, "acme", RUN_ID)
            platform.jobs.cancel(job_id)

    platform.disturb = cancel_meanwhile
    platform.run_to_end(a_message())
    assert platform.status is RunStatus.CANCELLED
    assert platform.step_states() == {"extract": StepStatus.CANCELLED, "transform": StepStatus.SKIPPED}
    assert platform.written == []


def test_a_run_past_its_timeout_is_failed_with_the_reason_and_its_jobs_are_stopped() -> None:
    platform = Platform(budget=timedelta(minutes=1))
    platform.jobs.outcomes["extract"] = Outcome(takes=timedelta(hours=3))
    platform.run_to_end(a_message(a_pipeline(timeout_minutes=30)), most=500)
    assert platform.status is RunStatus.FAILED
    assert "timeout of 30 minutes" in platform.rows.current()[RUN_ID].error
    assert platform.step_states()["extract"] is StepStatus.CANCELLED


def test_a_run_that_did_not_complete_says_why_in_one_word() -> None:
    failing, cancelled, late, given_up, well = (Platform() for _ in range(5))
    failing.jobs.outcomes["extract"] = Outcome(errors=[("invalidQuery", "no such column")])
    failing.run_to_end(a_message())
    flag(cancelled.jobs, "acme", RUN_ID)
    cancelled.run_to_end(a_message())
    late.clock.sleep(31 * 60)
    late.run_to_end(a_message(a_pipeline(timeout_minutes=30)))
    given_up.worker.give_up(a_message(end_reason="level 1 could not be carried out: no answer"))
    well.run_to_end(a_message())
    ended = {
        "failing": failing,
        "cancelled": cancelled,
        "late": late,
        "given up": given_up,
        "well": well,
    }
    reasons = {name: platform.rows.current()[RUN_ID].reason for name, platform in ended.items()}
    assert reasons == {
        "failing": EndReason.STEP_FAILED,
        "cancelled": EndReason.CANCELLED,
        "late": EndReason.TIMEOUT,
        "given up": EndReason.GIVEN_UP,
        "well": None,
    }


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (["backendError"], EndReason.BIGQUERY_FAILED),
        (["backendError", "internalError"], EndReason.BIGQUERY_FAILED),
        (["backendError", "invalidQuery"], EndReason.STEP_FAILED),
        (["aNewWord"], EndReason.STEP_FAILED),
    ],
)
def test_a_run_that_failed_by_bigquerys_fault_alone_says_so(said: list[str], reason: EndReason) -> None:
    platform = Platform()
    steps = tuple(a_step(f"step{number}", retry=Retry(attempts=1)) for number in range(len(said)))
    for step, word in zip(steps, said, strict=True):
        platform.jobs.outcomes[step.target_table].errors = [(word, "it broke")]
    platform.run_to_end(a_message(a_pipeline(steps)))
    assert platform.rows.current()[RUN_ID].reason is reason


def test_a_job_id_held_by_somebody_else_is_not_mistaken_for_ours() -> None:
    platform = Platform()
    stranger = a_message(run=a_run(tenant_id="globex"))
    platform.deliver(stranger)
    with pytest.raises(Exception, match="is not this step's"):
        platform.deliver(a_message())


def test_bigquery_out_of_reach_leaves_the_message_to_be_redelivered() -> None:
    platform = Platform()

    def out_of_reach(point: str) -> None:
        if point.startswith("before submit"):
            raise Unavailable("BigQuery did not answer")

    platform.disturb = out_of_reach
    with pytest.raises(Unavailable):
        platform.deliver(a_message())
    platform.disturb = lambda point: None
    platform.run_to_end(a_message())
    assert platform.status is RunStatus.COMPLETED


def points_of_a_run() -> list[int]:
    platform = Platform()
    platform.run_to_end(a_message(a_pipeline((a_step("a"), a_step("b")), (a_step("c", 2),))))
    return list(range(len(platform.points)))


@pytest.mark.parametrize("fatal", points_of_a_run())
def test_a_process_killed_at_any_point_leaves_each_effect_exactly_once_after_redelivery(fatal: int) -> None:
    platform = Platform()
    message = a_message(a_pipeline((a_step("a"), a_step("b")), (a_step("c", 2),)))

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
            pending.append(current)  # not acknowledged: Pub/Sub delivers it again
        pending += [platform.levels.take() for _ in range(len(platform.levels.sent))]
    assert platform.written == ["a", "b", "c"]
    assert platform.status is RunStatus.COMPLETED


def test_a_cancel_before_the_end_is_written_ends_a_run_that_has_done_all_its_work() -> None:
    platform = Platform()

    def cancel(point: str) -> None:
        if point.startswith("after step rows") and platform.jobs.effects:
            platform.disturb = lambda _: None
            flag(platform.jobs, "acme", RUN_ID)

    platform.disturb = cancel
    platform.run_to_end(a_message(a_pipeline((a_step("extract"),))))
    assert platform.written == ["extract"]
    assert platform.status is RunStatus.CANCELLED


def test_the_next_level_is_sent_once_the_rows_of_this_one_are_written() -> None:
    platform = Platform()

    def die(point: str) -> None:
        if point.startswith("before step rows") and platform.jobs.effects:
            raise ProcessKilled

    platform.disturb = die
    with pytest.raises(ProcessKilled):
        platform.deliver(a_message())
    assert platform.written == ["extract"]
    assert platform.levels.sent == []

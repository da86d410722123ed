"""A run can be stopped at any moment and made up for later, and nothing that succeeded is done again."""

from datetime import timedelta
from typing import Any

import pytest

from common.errors import Conflict, InvalidInput, NotFound
from common.pipelines.intervals import of_day
from common.pipelines.pipeline import Pipeline, Retry
from common.runs.beginning import ReadyRun, RunAdmission
from common.runs.cancelling import RunCanceller
from common.runs.level_messages import LevelMessage
from common.runs.levels import LevelWorker
from common.runs.ports import ConfigText
from common.runs.retrying import RetryRequest, RunRetrier
from common.runs.run import RunStatus, StepStatus, Trigger, TriggerType
from common.runs.starting import StartedRun
from tests.fakes.clock import VirtualClock
from tests.fakes.jobs import MemoryJobs, Outcome
from tests.fakes.runs import MemoryLevels, MemoryProgress, MemoryRuns, MemoryTenant
from tests.unit.runs.examples import RUN_ID, a_message, a_pipeline, a_run, a_step

TRIGGER = Trigger(type=TriggerType.API, by="api_user")


class Platform:
    """One admitted run of two levels, and all that can happen to it."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.jobs = MemoryJobs(self.clock)
        self.rows = MemoryRuns()
        self.levels = MemoryLevels()
        self.rows.tenants["acme"] = MemoryTenant(
            configs={"daily": ConfigText(config_id="daily", version=1, text="…")}
        )
        self.rows.append_run(a_run(), RunStatus.PENDING, self.clock())
        self.credential = ""
        self.worker = LevelWorker(
            store=self.rows,
            checks=self.rows,
            earlier=self.rows,
            claims=self.jobs,
            identities=self.jobs,
            levels=self.levels,
            guard=lambda job, dry_run: "",
            clock=self.clock,
            sleep=self.clock.sleep,
            budget=timedelta(minutes=8),
        )

    def compile(self, tenant_id: str, config: ConfigText) -> Pipeline:
        extract = a_step("extract", retry=Retry(attempts=1), credential=self.credential)
        transform = a_step("transform", 2, depends_on=("extract",))
        if config.version == 2:
            return a_pipeline((extract, a_step("other")), (transform,), (a_step("report", 3),), version=2)
        return a_pipeline((extract, a_step("other")), (transform,))

    def cancel(self, tenant_id: str = "acme") -> None:
        RunCanceller(
            reader=MemoryProgress(self.rows),
            claims=self.jobs,
            identities=self.jobs,
            levels=self.levels,
            clock=self.clock,
        ).cancel(tenant_id, RUN_ID)

    def retry(self, run_id: str = RUN_ID, tenant_id: str = "acme", **more: Any) -> StartedRun:
        return RunRetrier(
            run_admission=self.run_admission(),
            reader=MemoryProgress(self.rows),
            compile=self.compile,
            clock=self.clock,
        ).retry(RetryRequest(tenant_id=tenant_id, run_id=run_id, trigger=TRIGGER, **more))

    def run_admission(self) -> RunAdmission:
        return RunAdmission(
            facts=self.rows, store=self.rows, claims=self.jobs, levels=self.levels, clock=self.clock
        )

    def work(self) -> None:
        while self.levels.sent:
            self.worker.carry_out(self.levels.take())

    def run(self) -> None:
        self.worker.carry_out(self.first_message())
        self.work()

    def first_message(self) -> LevelMessage:
        run = a_run(levels=(("extract", "other"), ("transform",)))
        self.rows.append_run(run, RunStatus.PENDING, self.clock())
        return a_message(self.compile("acme", self.rows.tenants["acme"].configs["daily"]), run=run)

    def status(self, run_id: str = RUN_ID) -> RunStatus:
        return self.rows.current()[run_id].status


def test_a_run_that_has_not_begun_is_cancelled_before_its_first_job() -> None:
    platform = Platform()
    platform.cancel()
    platform.work()
    assert platform.status() is RunStatus.CANCELLED
    assert platform.jobs.submitted == []


def test_a_run_is_stopped_whatever_has_become_of_its_config() -> None:
    platform = Platform()
    platform.jobs.outcomes["extract"] = Outcome(takes=timedelta(hours=1))
    platform.jobs.outcomes["other"] = Outcome(takes=timedelta(hours=1))
    platform.worker.carry_out(platform.first_message())
    platform.rows.tenants["acme"].configs.clear()
    platform.cancel()
    platform.work()
    assert platform.status() is RunStatus.CANCELLED
    states = {step_id: row.status for step_id, row in platform.rows.steps_of(RUN_ID).items()}
    assert states["extract"] is states["other"] is StepStatus.CANCELLED
    assert states["transform"] is StepStatus.SKIPPED
    assert platform.jobs.effects == []


def test_a_run_that_cannot_go_on_ends_with_its_jobs_and_says_why() -> None:
    platform = Platform()
    platform.jobs.outcomes["extract"] = Outcome(takes=timedelta(hours=1))
    platform.worker.carry_out(platform.first_message())
    platform.levels.sent.clear()
    found = MemoryProgress(platform.rows).find("acme", RUN_ID, platform.clock())
    assert found is not None
    platform.worker.carry_out(found.ending_message("the source is not allowed any more"))
    row = platform.rows.current()[RUN_ID]
    assert (row.status, row.error) == (RunStatus.FAILED, "the source is not allowed any more")
    assert platform.rows.steps_of(RUN_ID)["extract"].status is StepStatus.CANCELLED


def test_a_step_is_stopped_under_the_credential_that_it_ran_under() -> None:
    platform = Platform()
    platform.credential = "gcp"
    platform.jobs.outcomes["extract"] = Outcome(takes=timedelta(hours=1))
    pipeline = platform.compile("acme", platform.rows.tenants["acme"].configs["daily"])
    run_admission = platform.run_admission()
    facts = run_admission.read("acme", "daily", "another")
    today = of_day(platform.clock().date(), "UTC")
    ready = ReadyRun(
        run_id="another",
        pipeline=pipeline,
        parameters=(),
        run_date=today.date,
        interval=today.interval,
        trigger=TRIGGER,
    )
    run = run_admission.begin(ready, facts)
    platform.worker.carry_out(platform.levels.take())
    found = MemoryProgress(platform.rows).find("acme", run.run_id, platform.clock())
    assert found is not None
    message = found.ending_message("ended")
    assert [(step.id, step.credential, step.retry.attempts) for step in message.pipeline.levels[0]] == [
        ("extract", "gcp", 1),
        ("other", "", 3),
    ]
    platform.jobs.opened.clear()
    platform.worker.carry_out(message)
    assert platform.jobs.opened == ["gcp"]
    assert platform.rows.steps_of(run.run_id)["extract"].status is StepStatus.CANCELLED


def test_a_step_whose_credential_is_opened_elsewhere_is_stopped_by_the_levels_worker() -> None:
    platform = Platform()
    platform.jobs.unusable["gcp"] = "is opened to run steps alone"
    platform.credential = "gcp"
    platform.cancel()
    platform.jobs.unusable.clear()
    platform.work()
    assert platform.status() is RunStatus.CANCELLED
    assert platform.jobs.submitted == []


def test_cancelling_twice_is_cancelling_once() -> None:
    platform = Platform()
    platform.cancel()
    platform.cancel()
    platform.work()
    platform.cancel()
    assert platform.status() is RunStatus.CANCELLED


def test_a_run_that_has_completed_cannot_be_cancelled() -> None:
    platform = Platform()
    platform.run()
    with pytest.raises(Conflict, match="COMPLETED"):
        platform.cancel()
    assert platform.status() is RunStatus.COMPLETED


def test_another_tenants_run_is_not_there_to_cancel_or_retry() -> None:
    platform = Platform()
    with pytest.raises(NotFound):
        platform.cancel("globex")
    with pytest.raises(NotFound):
        platform.retry(tenant_id="globex")


def test_a_cancel_that_comes_after_the_last_check_does_not_undo_completion() -> None:
    """The level's worker had written COMPLETED when the flag came: the first terminal row counts."""
    platform = Platform()
    stale = MemoryProgress(platform.rows).find("acme", RUN_ID, platform.clock())
    assert stale is not None
    platform.run()
    platform.worker.carry_out(stale.message(platform.compile))
    platform.work()
    assert platform.status() is RunStatus.COMPLETED


def test_a_retry_runs_only_what_did_not_complete_under_the_same_config_version() -> None:
    platform = Platform()
    platform.jobs.outcomes["extract"] = Outcome(errors=[("invalidQuery", "no such column")])
    platform.run()
    assert platform.status() is RunStatus.FAILED
    platform.jobs.outcomes["extract"] = Outcome()
    retried = platform.retry()
    platform.work()
    assert platform.status(retried.run.run_id) is RunStatus.COMPLETED
    assert sorted(job.work.destination for job in platform.jobs.effects) == ["extract", "other", "transform"]
    assert retried.run.retry_of == RUN_ID
    assert platform.rows.steps_of(retried.run.run_id).keys() == {"extract", "transform"}


def test_retrying_twice_starts_one_run() -> None:
    platform = Platform()
    platform.jobs.outcomes["extract"] = Outcome(errors=[("invalidQuery", "no such column")])
    platform.run()
    first, second = platform.retry(), platform.retry()
    assert (first.run.run_id, second.is_repeat) == (second.run.run_id, True)


def test_a_repeat_tells_that_the_retry_is_running() -> None:
    platform = Platform()
    platform.jobs.outcomes["extract"] = Outcome(errors=[("invalidQuery", "no such column")])
    platform.run()
    platform.jobs.outcomes["extract"] = Outcome(takes=timedelta(hours=1))
    platform.retry()
    platform.worker.carry_out(platform.levels.take())
    assert platform.retry().status is RunStatus.RUNNING


def test_a_run_is_retried_again_after_a_retry_that_failed_and_never_after_one_that_came_right() -> None:
    platform = Platform()
    platform.jobs.outcomes["transform"] = Outcome(errors=[("invalidQuery", "no such column")])
    platform.run()
    first = platform.retry()
    platform.work()
    assert platform.status(first.run.run_id) is RunStatus.FAILED
    platform.jobs.outcomes["transform"] = Outcome()
    second = platform.retry()
    assert (second.is_repeat, second.run.retry_of, second.run.levels) == (False, RUN_ID, (("transform",),))
    platform.work()
    assert platform.status(second.run.run_id) is RunStatus.COMPLETED
    assert (platform.retry().run.run_id, platform.retry().is_repeat) == (second.run.run_id, True)


def test_what_a_retry_has_completed_the_next_does_not_do_again() -> None:
    platform = Platform()
    platform.jobs.outcomes["extract"] = Outcome(errors=[("invalidQuery", "no such column")])
    platform.jobs.outcomes["transform"] = Outcome(errors=[("invalidQuery", "no such column")])
    platform.run()
    platform.jobs.outcomes["extract"] = Outcome()
    platform.retry()
    platform.work()
    assert platform.retry().run.levels == (("transform",),)


def test_a_retry_from_a_step_runs_it_again_with_all_that_depend_on_it() -> None:
    platform = Platform()
    platform.jobs.outcomes["transform"] = Outcome(errors=[("invalidQuery", "no such column")])
    platform.run()
    retried = platform.retry(from_step="extract")
    assert retried.run.levels == (("extract",), ("transform",))


def test_a_retry_from_a_step_that_there_is_not_is_refused() -> None:
    platform = Platform()
    platform.jobs.outcomes["extract"] = Outcome(errors=[("invalidQuery", "no such column")])
    platform.run()
    with pytest.raises(InvalidInput, match="/from: is no step of version 1"):
        platform.retry(from_step="load")


def test_a_retry_by_the_latest_version_takes_the_mended_file() -> None:
    platform = Platform()
    platform.jobs.outcomes["transform"] = Outcome(errors=[("invalidQuery", "no such column")])
    platform.run()
    platform.rows.tenants["acme"].configs["daily"] = ConfigText(config_id="daily", version=2, text="mended")
    retried = platform.retry(takes_latest=True)
    assert (retried.run.config_version, retried.run.levels) == (2, (("transform",), ("report",)))


def test_a_run_of_chosen_steps_is_retried_in_those_alone_by_whichever_version() -> None:
    platform = Platform()
    platform.jobs.outcomes["extract"] = Outcome(errors=[("invalidQuery", "no such column")])
    run = a_run(levels=(("extract",),), left_out=("other", "transform"))
    platform.rows.append_run(run, RunStatus.PENDING, platform.clock())
    pipeline = platform.compile("acme", platform.rows.tenants["acme"].configs["daily"])
    platform.worker.carry_out(a_message(pipeline.restricted_to({"extract"}), run=run))
    platform.rows.tenants["acme"].configs["daily"] = ConfigText(config_id="daily", version=2, text="mended")
    retried = platform.retry(takes_latest=True)
    assert retried.run.levels == (("extract",),)
    assert sorted(retried.run.left_out) == ["other", "report", "transform"]


def test_a_retry_from_a_step_that_a_choice_has_left_out_runs_what_leads_from_it() -> None:
    platform = Platform()
    platform.jobs.outcomes["transform"] = Outcome(errors=[("invalidQuery", "no such column")])
    run = a_run(levels=(("transform",),), left_out=("extract", "other"))
    platform.rows.append_run(run, RunStatus.PENDING, platform.clock())
    pipeline = platform.compile("acme", platform.rows.tenants["acme"].configs["daily"])
    platform.worker.carry_out(a_message(pipeline.restricted_to({"transform"}), run=run))
    retried = platform.retry(from_step="extract")
    assert (retried.run.levels, retried.run.left_out) == ((("extract",), ("transform",)), ("other",))


def test_a_retry_of_a_retry_begins_at_any_step_of_the_run() -> None:
    platform = Platform()
    platform.jobs.outcomes["transform"] = Outcome(errors=[("invalidQuery", "no such column")])
    platform.run()
    first = platform.retry()
    platform.work()
    assert first.run.left_out == ("extract", "other")
    again = platform.retry(run_id=first.run.run_id, from_step="extract")
    assert (again.run.levels, again.run.left_out) == ((("extract",), ("transform",)), ("other",))


def test_a_retry_says_which_steps_it_leaves_out() -> None:
    platform = Platform()
    platform.jobs.outcomes["transform"] = Outcome(errors=[("invalidQuery", "no such column")])
    platform.run()
    assert platform.retry().run.left_out == ("extract", "other")


def test_a_run_whose_steps_have_begun_is_told_to_be_running() -> None:
    platform = Platform()
    platform.jobs.outcomes["extract"] = Outcome(takes=timedelta(hours=1))
    platform.worker.carry_out(platform.first_message())
    with pytest.raises(Conflict, match="it is RUNNING"):
        platform.retry()


def test_a_run_that_goes_well_cannot_be_retried() -> None:
    platform = Platform()
    platform.run()
    with pytest.raises(Conflict, match="it is COMPLETED"):
        platform.retry()


def test_a_cancelled_run_is_made_up_for_from_where_it_stopped() -> None:
    platform = Platform()
    run = a_run(levels=(("extract", "other"), ("transform",)))
    platform.rows.append_run(run, RunStatus.PENDING, platform.clock())
    pipeline = platform.compile("acme", platform.rows.tenants["acme"].configs["daily"])
    platform.worker.carry_out(a_message(pipeline, run=run))
    platform.cancel()
    platform.work()
    assert platform.rows.steps_of(RUN_ID)["transform"].status is StepStatus.SKIPPED
    retried = platform.retry()
    platform.work()
    assert platform.status(retried.run.run_id) is RunStatus.COMPLETED
    assert [job.work.destination for job in platform.jobs.effects].count("extract") == 1

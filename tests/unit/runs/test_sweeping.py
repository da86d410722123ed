"""What died half-way is found within the sweeper's minute, and what is alive is left alone."""

from dataclasses import replace
from datetime import datetime, timedelta

from common.errors import InvalidInput, Unavailable
from common.pipelines.pipeline import Pipeline
from common.runs.ports import ConfigText
from common.runs.progress import OpenRun, Progress
from common.runs.run import EndReason, RunStatus
from common.runs.sweeping import MAX_CONTINUED, MAX_UNBEGUN, Findings, Gap, Sweeper, Swept
from common.runs.tickets import Applicant, take
from tests.fakes.clock import VirtualClock
from tests.fakes.jobs import MemoryJobs
from tests.fakes.runs import MemoryLevels, MemoryRuns
from tests.unit.runs.examples import RUN_ID, a_pipeline, a_run

CONFIG = ConfigText(config_id="daily", version=1, text="…")


class Platform:
    """A sweeper over hand-made findings."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.jobs = MemoryJobs(self.clock)
        self.rows = MemoryRuns()
        self.levels = MemoryLevels()
        self.open: list[OpenRun] = []
        self.gaps: list[Gap] = []
        self.broken: set[str] = set()
        self.failing: set[str] = set()

    def look(self, quiet_before: datetime, now: datetime) -> Findings:
        found = [run for run in self.open if run.progress.last_activity < quiet_before]
        return Findings(open_runs=found, gaps=self.gaps, last_recorded_at=None)

    def compile(self, tenant_id: str, config: ConfigText) -> Pipeline:
        if tenant_id in self.failing:
            raise Unavailable("no answer")
        if tenant_id in self.broken:
            raise InvalidInput([], "a rule was added since")
        return a_pipeline()

    def sweep(self) -> Swept:
        return Sweeper(
            reader=self,
            store=self.rows,
            claims=self.jobs,
            levels=self.levels,
            compile=self.compile,
            clock=self.clock,
            quiet_after=timedelta(minutes=10),
        ).sweep()

    def found(self, age: timedelta, *completed: str, has_begun: bool = True) -> OpenRun:
        progress = Progress(
            completed=frozenset(completed),
            has_begun=has_begun,
            last_activity=self.clock() - age,
        )
        found = OpenRun(run=a_run(), status=RunStatus.PENDING, config=CONFIG, progress=progress)
        self.open.append(found)
        return found


def test_a_run_whose_first_message_got_lost_is_started_after_a_minute() -> None:
    platform = Platform()
    platform.found(timedelta(minutes=1, seconds=1), has_begun=False)
    assert platform.sweep() == Swept(continued=1, tickets_closed=0)
    message = platform.levels.take()
    assert (message.run.run_id, message.level) == (RUN_ID, 1)


def test_a_run_that_a_worker_is_busy_with_is_left_alone() -> None:
    platform = Platform()
    platform.found(timedelta(minutes=9))
    assert platform.sweep() == Swept(continued=0, tickets_closed=0)


def test_a_quiet_run_goes_on_with_the_level_that_has_not_ended() -> None:
    platform = Platform()
    platform.found(timedelta(minutes=11), "extract")
    platform.sweep()
    message = platform.levels.take()
    assert (message.level, message.continuation) == (2, 1)


def test_a_run_of_which_only_the_end_is_missing_gets_its_last_level_again() -> None:
    platform = Platform()
    platform.found(timedelta(minutes=11), "extract", "transform")
    platform.sweep()
    assert platform.levels.take().level == 2


def test_one_broken_run_does_not_keep_the_sweeper_from_the_others() -> None:
    platform = Platform()
    broken = platform.found(timedelta(minutes=11))
    platform.found(timedelta(minutes=11))
    platform.open[0] = replace(broken, run=a_run(tenant_id="globex", run_id="other"))
    platform.failing.add("globex")
    assert platform.sweep() == Swept(continued=1, tickets_closed=0)


def test_a_run_that_todays_rules_refuse_ends_with_what_they_say() -> None:
    platform = Platform()
    platform.found(timedelta(minutes=11), "extract")
    platform.broken.add("acme")
    assert platform.sweep() == Swept(continued=1, tickets_closed=0)
    message = platform.levels.take()
    assert (message.level, "a rule was added since" in message.end_reason) == (2, True)
    assert [step.id for step in message.pipeline.steps] == ["extract", "transform"]


def test_a_run_whose_version_of_the_config_is_gone_ends() -> None:
    platform = Platform()
    platform.open.append(replace(platform.found(timedelta(minutes=11)), config=None))
    del platform.open[0]
    assert platform.sweep() == Swept(continued=1, tickets_closed=0)
    assert "there is no version 1 of daily any more" in platform.levels.take().end_reason


def test_where_very_many_runs_are_quiet_each_minute_continues_others_until_all_had_their_turn() -> None:
    platform = Platform()
    for number in range(2 * MAX_CONTINUED + 1):
        found = platform.found(timedelta(hours=1))
        platform.open[-1] = replace(found, run=replace(found.run, run_id=f"run-{number}"))
    continued: set[str] = set()
    for _ in range(3):
        assert platform.sweep().continued == MAX_CONTINUED
        continued |= {platform.levels.take().run.run_id for _ in range(MAX_CONTINUED)}
        platform.clock.advance(timedelta(minutes=1))
    assert len(continued) == len(platform.open)


def test_where_very_many_runs_have_not_begun_their_messages_wait_and_get_no_company() -> None:
    platform = Platform()
    for number in range(MAX_UNBEGUN + 1):
        found = platform.found(timedelta(minutes=2), has_begun=False)
        platform.open[-1] = replace(found, run=replace(found.run, run_id=f"run-{number}"))
    assert platform.sweep().continued == 0
    platform.open.pop()
    assert platform.sweep().continued == MAX_UNBEGUN
    platform.found(timedelta(minutes=2), has_begun=False)
    platform.clock.advance(timedelta(minutes=10))
    assert platform.sweep().continued == MAX_UNBEGUN + 1


def test_an_orphaned_ticket_gets_a_failed_row_with_the_reason_once_it_is_surely_orphaned() -> None:
    platform = Platform()
    applicant = Applicant(tenant_id="acme", run_id="died", config_id="daily")
    ticket = take(platform.jobs, applicant, 7, platform.clock())
    assert ticket is not None
    platform.gaps.append(Gap(tenant_id="acme", after=5, before=8))
    assert platform.sweep().tickets_closed == 0
    platform.clock.advance(timedelta(minutes=3))
    assert platform.sweep().tickets_closed == 1
    (row,) = platform.rows.run_rows
    assert (row.status, row.run.ticket, row.run.started_at) == (RunStatus.FAILED, 7, ticket.admitted_at)
    assert row.reason is EndReason.NEVER_BEGUN

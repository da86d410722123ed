"""Each protection of the design, removed: a simulation that does not notice would prove nothing."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

from common.claims import Claim
from common.errors import Unavailable
from common.pipelines.pipeline import Step
from common.queue.filling import SlotFiller
from common.queue.tenant_admissions import TenantAdmissionFacts, TenantAdmissions
from common.queue.waiting import AdmissionResult
from common.runs.attempts import Attempt, Outcome
from common.runs.beginning import ReadyRun, RunAdmission
from common.runs.level_messages import LevelMessage
from common.runs.levels import LevelWorker
from common.runs.ports import AdmissionFacts, JobReport, StepJob
from common.runs.progress import OpenRun
from common.runs.run import EndReason, Run, RunStatus, StepRow, StepStatus
from common.runs.steps import StepWorker
from tests.fakes.runs import RunRow
from tests.simulation.sabotaged_budgets import (
    ended_runs_hold_nothing,
    nobody_asks_what_a_step_reads,
    tickets_do_not_say_what_they_hold,
)
from tests.simulation.sabotaged_schedules import (
    a_refusal_is_written_once,
    firings_are_recorded_before_they_happen,
    nobody_counts_what_schedules_take,
    tickets_do_not_name_their_backfill,
    tickets_do_not_name_their_schedule,
)
from tests.simulation.sabotaged_steps import (
    a_failed_check_publishes,
    a_level_kept_waiting_begins_an_attempt,
    a_step_is_completed_by_its_first_job,
    candidates_are_made_by_their_jobs,
    followers_have_new_ids,
    rows_are_published_before_their_checks_are_read,
    states_stay_behind,
    the_second_job_starts_before_the_first_is_done,
    work_as,
)
from tests.simulation.world import World


def tickets_are_no_claims(world: World) -> None:
    """Let everybody take every ticket."""
    jobs = world.jobs

    def insert_claim(job_id: str, labels: Mapping[str, str]) -> Claim:
        world.stage.at(f"claim {job_id}")
        if "ticket" in job_id:
            jobs.claims.setdefault(job_id, Claim(job_id=job_id, labels=labels, claimed_at=world.stage.now))
            return Claim(job_id=job_id, labels=labels, claimed_at=world.stage.now)
        return type(jobs).insert_claim(jobs, job_id, labels)

    jobs.insert_claim = insert_claim  # type: ignore[method-assign]


def forgotten_ids_are_awaited(world: World) -> None:
    """Wait until a job can be read whose ID is taken, though nobody will ever tell of it."""
    jobs = world.jobs

    def find_claim(job_id: str) -> Claim | None:
        if job_id in jobs.forgotten:
            raise Unavailable("a job ID is taken and its job cannot be read yet")
        return type(jobs).find_claim(jobs, job_id)

    jobs.find_claim = find_claim  # type: ignore[method-assign]


def a_run_completes_whoever_has_cancelled_it(world: World) -> None:
    """Write COMPLETED at the end of the last level without a look at the flag."""

    class Worker(LevelWorker):
        def _end_well(self, message: LevelMessage, rows: Sequence[StepRow]) -> None:
            self.store.append_steps(message.run, rows, self.clock())
            self._end(message, RunStatus.COMPLETED)

    work_as(world, Worker)


def the_next_level_is_sent_before_the_rows_of_this_one(world: World) -> None:
    """Send the next level's message first, and then write down what this one came to."""

    class Worker(LevelWorker):
        def _conclude(
            self,
            worker: StepWorker,
            attempts: Sequence[Attempt],
            outcomes: Sequence[Outcome],
            skipped: Sequence[Step],
        ) -> None:
            message = worker.message
            if not message.is_last and all(one.status is StepStatus.COMPLETED for one in outcomes):
                self.levels.publish_level(replace(message, level=message.level + 1, continuation=0))
            LevelWorker._conclude(self, worker, attempts, outcomes, skipped)

    work_as(world, Worker)


def a_run_is_sent_before_it_has_a_row(world: World) -> None:
    """Send the first level's message first, and then write the run's row."""
    make = world.run_admission

    class Admission(RunAdmission):
        def begin(self, ready: ReadyRun, facts: AdmissionFacts) -> Run:
            run = self.admit(ready, facts.ledger)
            self.levels.publish_level(LevelMessage(run=run, pipeline=ready.pipeline, level=1))
            self.store.append_run(run, RunStatus.PENDING, run.started_at)
            return run

    def run_admission() -> RunAdmission:
        made = make()
        return Admission(**{field.name: getattr(made, field.name) for field in fields(RunAdmission)})

    world.run_admission = run_admission  # type: ignore[method-assign]


def step_jobs_have_new_ids(world: World) -> None:
    """Submit a step once more, under another ID, where its own ID is taken."""
    jobs = world.jobs

    def submit(job: StepJob) -> JobReport:
        is_taken = job.job_id in jobs.submitted
        new_id = f"again-{len(jobs.submitted)}-{job.job_id}" if is_taken else job.job_id
        return type(jobs).submit(jobs, replace(job, job_id=new_id))

    jobs.submit = submit  # type: ignore[method-assign]


def gaps_are_overlooked(world: World) -> None:
    """Count only tickets that have rows."""
    rows = world.rows

    def read_admission(tenant_id: str, config_id: str, run_id: str, now: datetime) -> AdmissionFacts:
        facts = type(rows).read_admission(rows, tenant_id, config_id, run_id, now)
        return replace(facts, ledger=replace(facts.ledger, gaps=(), first_ticket=0))

    rows.read_admission = read_admission  # type: ignore[method-assign]


def nobody_sweeps(world: World) -> None:
    """Leave quiet runs and orphaned tickets alone."""
    world.has_sweeper = False


def the_sweeper_trusts_failed_rows(world: World) -> None:
    """Take a step whose latest row says FAILED for ended, though another attempt may be under way."""
    progress = world.progress

    def find_all(row: RunRow) -> OpenRun:
        found: OpenRun = type(progress)._open_run(progress, row)
        ended = {id_ for id_, step in world.rows.steps_of(row.run.run_id).items() if step.ended_at}
        return replace(found, progress=replace(found.progress, completed=frozenset(ended)))

    progress._open_run = find_all


def terminal_rows_are_dropped(world: World) -> None:
    """Lose the row that ends a run."""
    rows = world.rows

    def append_run(run: Run, status: RunStatus, now: datetime, *told: Any) -> None:
        if not status.is_terminal:
            type(rows).append_run(rows, run, status, now, *told)

    rows.append_run = append_run  # type: ignore[method-assign, assignment]


def messages_are_acknowledged_before_the_work(world: World) -> None:
    """Never deliver a message again, and have no sweeper to make up for it."""
    world.has_sweeper = False

    def deliver_once(message: LevelMessage) -> None:
        world._enter("delivery", lambda: world.worker().carry_out(message), delay=world.lag())

    world._deliver = deliver_once  # type: ignore[method-assign]


def limits_are_failures(world: World) -> None:
    """Take a limit of BigQuery's for a fault that each attempt of a step has once."""
    jobs = world.jobs

    def find(job_id: str) -> JobReport | None:
        report = type(jobs).find(jobs, job_id)
        if report and job_id in jobs.limited:
            return replace(report, error_reason="backendError", error_message="try again")
        return report

    jobs.find = find  # type: ignore[method-assign]


def levels_overtake_each_other(world: World) -> None:
    """Start the next level as soon as one begins."""
    levels = world.levels
    publish = levels.publish_level

    def publish_both(message: LevelMessage) -> None:
        publish(message)
        if not message.is_last:
            publish(replace(message, level=message.level + 1))

    levels.publish_level = publish_both  # type: ignore[method-assign]


def levels_are_kept_to_their_end(world: World) -> None:
    """Stay with a level's jobs for as long as they run."""
    make = world.worker
    world.worker = lambda: replace(make(), budget=timedelta(hours=2))  # type: ignore[method-assign]


def every_delivery_hands_over(world: World) -> None:
    """Take any claim on a hand-over for one's own."""
    jobs = world.jobs

    def insert_claim(job_id: str, labels: Mapping[str, str]) -> Claim:
        if "handover" in job_id:
            return Claim(job_id=job_id, labels=labels, claimed_at=world.stage.now)
        return type(jobs).insert_claim(jobs, job_id, labels)

    jobs.insert_claim = insert_claim  # type: ignore[method-assign]


def runs_that_have_begun_are_overlooked(world: World) -> None:
    """Give a waiting run a ticket, whether it has a row already or not."""
    _see_begun_runs(world, lambda _: {})


def an_ended_run_is_taken_off_twice(world: World) -> None:
    """Take the run that has just ended for a running one, even where its row says that it has ended."""
    _see_begun_runs(world, lambda begun: dict.fromkeys(begun, RunStatus.PENDING))


def _see_begun_runs(world: World, see: Callable[[Mapping[str, RunStatus]], Mapping[str, RunStatus]]) -> None:
    all_admissions = world.waiting.all_admissions

    def read_tenant_admissions(
        tenant_ids: Collection[str], run_ids: Collection[str], now: datetime
    ) -> Mapping[str, TenantAdmissionFacts]:
        found = type(all_admissions).read_tenant_admissions(all_admissions, tenant_ids, run_ids, now)
        return {tenant_id: replace(facts, begun=see(facts.begun)) for tenant_id, facts in found.items()}

    all_admissions.read_tenant_admissions = read_tenant_admissions  # type: ignore[method-assign]


def a_tenant_goes_on_where_another_filler_is_at_work(world: World) -> None:
    """Begin a run though whoever took its ticket is beginning it."""

    class Eager(TenantAdmissions):
        def _takes_over(self, run: Run, now: datetime) -> bool:
            return True

    class Filler(SlotFiller):
        def _tenant_admissions(self, *given: Any) -> TenantAdmissions:
            tenant_admissions = SlotFiller._tenant_admissions(self, *given)
            names = (
                field.name
                for field in fields(TenantAdmissions)
                if field.init and not field.name.startswith("_")
            )
            return Eager(**{name: getattr(tenant_admissions, name) for name in names})

    _fill_as(world, Filler)


def rows_are_written_however_late(world: World) -> None:
    """Write the rows of tickets that others take for orphaned by now."""

    class Filler(SlotFiller):
        def _is_in_time(self, result: AdmissionResult, read_at: datetime, now: datetime) -> bool:
            return True

    _fill_as(world, Filler)


def refusals_hold_over_midnight(world: World) -> None:
    """Refuse a run in the last moments of a day, before the next day's filler can have read it."""

    class Filler(SlotFiller):
        def _is_in_time(self, result: AdmissionResult, read_at: datetime, now: datetime) -> bool:
            to_noon = timedelta() if result.run else now.replace(hour=12) - now
            return super()._is_in_time(result, read_at + to_noon, now + to_noon)

    _fill_as(world, Filler)


def _fill_as(world: World, kind: type[SlotFiller]) -> None:
    make = world.waiting.filler

    def filler() -> SlotFiller:
        made = make()
        return kind(**{field.name: getattr(made, field.name) for field in fields(SlotFiller)})

    world.waiting.filler = filler  # type: ignore[method-assign]


def tables_are_remade_without_a_hold(world: World) -> None:
    """Let rows be streamed to tables that streaming does not know yet."""
    world.tables.has_holds = False


def tickets_are_taken_while_rows_are_kept(world: World) -> None:
    """Admit runs without a look at whether their rows will be taken."""
    world.rows.check_rows_arrive = lambda: None  # type: ignore[method-assign]


def every_failure_is_excused(world: World) -> None:
    """Count no run against the day that failed, whoever's fault it was."""
    world.rows.uncounted = frozenset(EndReason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sabotage:
    """A protection that is removed, and a word of what then breaks."""

    remove: Callable[[World], None]
    breaks: str
    seed: int = 0
    """A world in which it is noticed: the search begins there, and goes on to others when worlds change."""


SABOTAGES: tuple[Sabotage, ...] = (
    Sabotage(remove=tickets_are_no_claims, breaks="ticket", seed=1),
    Sabotage(remove=forgotten_ids_are_awaited, breaks="lost", seed=1),
    Sabotage(remove=a_run_completes_whoever_has_cancelled_it, breaks="was cancelled", seed=55),
    Sabotage(remove=the_next_level_is_sent_before_the_rows_of_this_one, breaks="before the rows"),
    Sabotage(remove=a_run_is_sent_before_it_has_a_row, breaks="before it had a row"),
    Sabotage(remove=step_jobs_have_new_ids, breaks="times"),
    Sabotage(remove=gaps_are_overlooked, breaks="at once", seed=42),
    Sabotage(remove=nobody_sweeps, breaks="still"),
    Sabotage(remove=the_sweeper_trusts_failed_rows, breaks="after level", seed=115),
    Sabotage(remove=terminal_rows_are_dropped, breaks="still", seed=6),
    Sabotage(remove=messages_are_acknowledged_before_the_work, breaks="still"),
    Sabotage(remove=limits_are_failures, breaks="by a limit"),
    Sabotage(remove=the_second_job_starts_before_the_first_is_done, breaks="was done"),
    Sabotage(remove=a_step_is_completed_by_its_first_job, breaks="wrote nothing", seed=41),
    Sabotage(remove=rows_are_published_before_their_checks_are_read, breaks="before its checks were read"),
    Sabotage(remove=a_failed_check_publishes, breaks="although its checks failed", seed=24),
    Sabotage(remove=candidates_are_made_by_their_jobs, breaks="does not expire"),
    Sabotage(remove=followers_have_new_ids, breaks="was followed", seed=47),
    Sabotage(remove=states_stay_behind, breaks="was carried out", seed=1),
    Sabotage(remove=levels_overtake_each_other, breaks="after level"),
    Sabotage(remove=levels_are_kept_to_their_end, breaks="pushes before it", seed=2),
    Sabotage(remove=every_delivery_hands_over, breaks="handed over"),
    Sabotage(remove=tickets_do_not_name_their_backfill, breaks="beside each other", seed=67),
    Sabotage(remove=tickets_do_not_name_their_schedule, breaks="overlap", seed=207),
    Sabotage(remove=nobody_counts_what_schedules_take, breaks="leave what is kept", seed=27),
    Sabotage(remove=a_refusal_is_written_once, breaks="are counted as refused", seed=49),
    Sabotage(remove=runs_that_have_begun_are_overlooked, breaks="two tickets"),
    Sabotage(remove=an_ended_run_is_taken_off_twice, breaks="at once", seed=29),
    Sabotage(remove=a_tenant_goes_on_where_another_filler_is_at_work, breaks="was at it", seed=9),
    Sabotage(remove=rows_are_written_however_late, breaks="has begun", seed=123),
    Sabotage(remove=refusals_hold_over_midnight, breaks="has begun", seed=904535),
    Sabotage(remove=a_level_kept_waiting_begins_an_attempt, breaks="COMPLETED and wrote", seed=901296),
    Sabotage(remove=every_failure_is_excused, breaks="times on", seed=3),
    Sabotage(remove=tickets_do_not_say_what_they_hold, breaks="its budget is", seed=135),
    Sabotage(remove=nobody_asks_what_a_step_reads, breaks="and held", seed=1),
    Sabotage(remove=ended_runs_hold_nothing, breaks="says it was billed", seed=1),
    Sabotage(remove=tables_are_remade_without_a_hold, breaks="were lost", seed=1),
    Sabotage(remove=tickets_are_taken_while_rows_are_kept, breaks="while rows were kept", seed=7),
    Sabotage(remove=firings_are_recorded_before_they_happen, breaks="has no run", seed=1),
)

"""Protections of the plans of steps, removed."""

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from datetime import datetime

from common.runs.attempts import Attempt
from common.runs.level_messages import LevelMessage
from common.runs.levels import LevelWorker
from common.runs.run import Run, StepRow, StepStatus
from common.runs.starting import RunRequest, RunService, StartedRun
from common.runs.steps import StepWorker
from tests.simulation.world import World


def work_as(world: World, kind: type[LevelWorker]) -> None:
    """Have another kind of worker carry out the levels of a world."""
    make = world.worker

    def worker() -> LevelWorker:
        made = make()
        return kind(**{field.name: getattr(made, field.name) for field in fields(LevelWorker)})

    world.worker = worker  # type: ignore[method-assign]


def states_stay_behind(world: World) -> None:
    """Have the next level know nothing of the steps that did not complete."""

    class Worker(LevelWorker):
        def _advance(self, worker: StepWorker, attempts: Sequence[Attempt], states: dict[str, str]) -> None:
            LevelWorker._advance(self, worker, attempts, {})

    work_as(world, Worker)


def followers_have_new_ids(world: World) -> None:
    """Ask for each run that follows as if it were another each time."""
    make = world.run_service

    def run_service() -> RunService:
        made = make()

        class Service(RunService):
            def start(self, request: RunRequest) -> StartedRun:
                is_after = request.idempotency_key.startswith("after")
                asked = replace(request, idempotency_key="") if is_after else request
                return RunService.start(self, asked)

        return Service(**{field.name: getattr(made, field.name) for field in fields(RunService)})

    world.run_service = run_service  # type: ignore[method-assign]


def the_second_job_starts_before_the_first_is_done(world: World) -> None:
    """Go on to a step's next job as soon as one has been submitted."""

    class Steps(StepWorker):
        def _wait(self, attempt: Attempt) -> Attempt:
            if attempt.is_at_last_job or attempt.report.is_done:
                return StepWorker._wait(self, attempt)
            return replace(attempt, report=replace(attempt.report, is_done=True))

    _carry_steps_out_as(world, Steps)


def rows_are_published_before_their_checks_are_read(world: World) -> None:
    """Go on as soon as the checks' job is done, whatever it has counted."""

    class Steps(StepWorker):
        def _checked(self, attempt: Attempt) -> Attempt:
            return attempt

    _carry_steps_out_as(world, Steps)


def a_failed_check_publishes(world: World) -> None:
    """Write down that a check has failed, and go on."""

    class Steps(StepWorker):
        def _checked(self, attempt: Attempt) -> Attempt:
            judged = StepWorker._checked(self, attempt)
            return replace(judged, report=attempt.report)

    _carry_steps_out_as(world, Steps)


def candidates_are_made_by_their_jobs(world: World) -> None:
    """Leave it to the query to make the table that it writes, which then never expires."""
    world.jobs.prepare = lambda job, dry_run: None  # type: ignore[method-assign]


def _carry_steps_out_as(world: World, kind: type[StepWorker]) -> None:
    class Worker(LevelWorker):
        def _worker(self, message: LevelMessage, tell: Callable[[], None]) -> StepWorker:
            made = LevelWorker._worker(self, message, tell)
            return kind(**{field.name: getattr(made, field.name) for field in fields(StepWorker)})

    work_as(world, Worker)


def a_step_is_completed_by_its_first_job(world: World) -> None:
    """Write down that a step is COMPLETED as soon as one of its jobs is."""
    store = world.rows

    def append_steps(run: Run, rows: Sequence[StepRow], now: datetime) -> None:
        ended = [
            replace(row, status=StepStatus.COMPLETED)
            if row.status is StepStatus.RUNNING and row.ended_at
            else row
            for row in rows
        ]
        type(store).append_steps(store, run, ended, now)

    store.append_steps = append_steps  # type: ignore[method-assign]


def a_level_kept_waiting_begins_an_attempt(world: World) -> None:
    """Write down what keeps a level from being looked at as of its first step's first attempt."""
    store = world.rows

    def append_steps(run: Run, rows: Sequence[StepRow], now: datetime) -> None:
        begun = [replace(row, attempt=1) if row.status is StepStatus.RUNNING else row for row in rows]
        type(store).append_steps(store, run, begun if len(rows) == 1 and not rows[0].attempt else rows, now)

    store.append_steps = append_steps  # type: ignore[method-assign]

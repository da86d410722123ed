"""Carrying out one level of a run, as often as its message is delivered, with the effect of one delivery."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from common.at_once import AtOnce, in_threads
from common.claims import ClaimJobs
from common.errors import ConvergenceError, Unavailable
from common.pipelines.pipeline import Step
from common.pipelines.secret_values import NoSeal, ParameterSeal
from common.runs.allowances import with_shares
from common.runs.attempts import Attempt, Outcome, running_row, skipped_row, tried_again, underway_row
from common.runs.cancelling import CANCELLED_BY_HAND, is_cancelled
from common.runs.control import ends_run, later_steps, lost_steps, series_of, states_after, steps_of
from common.runs.ends import End, end_of
from common.runs.failures import is_bigquerys
from common.runs.guarding import Guard, Judgement
from common.runs.handovers import Handovers
from common.runs.judging import CheckJudge
from common.runs.level_messages import LevelMessage
from common.runs.ports import (
    CheckWrites,
    EarlierChecks,
    Identities,
    JobReport,
    JobsOf,
    LevelPublisher,
    RunWrites,
)
from common.runs.run import FIRST_LEVEL, EndReason, Run, RunStatus, StepRow, StepStatus
from common.runs.secret_parameter_jobs import with_secret_parameters
from common.runs.step_jobs import NOT_BEGUN, has_begun
from common.runs.steps import StepWorker
from common.runs.stopped_steps import stopped_step, with_billed, with_most_billed
from common.times import Clock

logger = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class _Started:
    """The jobs that a call has under way, and whether rows tell of them."""

    attempts: Sequence[Attempt] = ()
    is_told: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelWorker:
    """Runs levels.

    All that it decides follows from jobs in BigQuery, so that any delivery can stop at any line and the next
    one goes on from there: a step's job ID is claimed once, a repeated row is dropped by its readers.
    """

    store: RunWrites
    checks: CheckWrites
    earlier: EarlierChecks
    claims: ClaimJobs
    identities: Identities
    levels: LevelPublisher
    guard: Guard
    clock: Clock
    sleep: Callable[[float], None]
    budget: timedelta
    """How long one call works before it hands the level over to a new message."""
    at_once: AtOnce = in_threads
    seal: ParameterSeal = field(default_factory=NoSeal)
    after_end: Callable[[Run], None] = lambda _run: None
    """What is to happen once a run has ended; it raises nothing that the run's end must not raise."""

    def carry_out(self, message: LevelMessage) -> None:
        """Run all steps of the level at once; then start the next level, end the run, or hand over."""
        with self._telling(message):
            parts = self._carry_out(message)
        for part in parts:
            if part.trouble:  # Its row has told of it.
                raise Unavailable(f"step {part.step.id}: {part.trouble}", part.trouble.reason) from None

    def _carry_out(self, message: LevelMessage) -> Sequence[Attempt] | Sequence[Outcome]:
        """Do what can be done; return how far each step has come."""
        started = _Started()
        worker = self._worker(message, lambda: self._record_started(message, started))
        steps, skipped = steps_of(message)
        in_series = 0 < message.pipeline.max_parallel < len(steps)
        end, judged = self._looked(message, worker, () if in_series else steps)
        if end:
            self._stop(message, *end)
            return ()
        pairs = [(step, None) for step in steps] if in_series else judged
        message = with_shares(message, pairs, worker.judge_now, self.at_once)
        worker = replace(worker, message=message)
        if in_series:
            return self._carry_out_in_series(worker, steps, skipped)
        started.attempts = self.at_once(lambda pair: worker.begin(*pair), judged) if judged else []
        if any(attempt.trouble for attempt in started.attempts):
            self._record_started(message, started)
            return started.attempts

        def follow(attempt: Attempt) -> Outcome:
            # That a run has begun is told while its first jobs run; of later levels, where they take long.
            if attempt is started.attempts[0] and message.level == FIRST_LEVEL:
                worker.tell()
            return worker.finish(attempt)

        outcomes = self.at_once(follow, started.attempts) if started.attempts else []
        self._conclude(worker, started.attempts, outcomes, skipped)
        return outcomes

    def _looked(
        self, message: LevelMessage, worker: StepWorker, steps: Sequence[Step]
    ) -> tuple[End | None, Sequence[tuple[Step, Judgement | None]]]:
        """Look whether the run is to end here, and judge its steps meanwhile, where they could be begun."""
        end = end_of(message, self.clock())

        def look() -> End | None:
            if is_cancelled(self.claims, message.run.run_id):
                return RunStatus.CANCELLED, CANCELLED_BY_HAND, EndReason.CANCELLED
            return end

        if end or message.continuation:
            return look(), [(step, None) for step in steps]
        works: list[Callable[[], Any]] = [look, *(partial(worker.judge, step) for step in steps)]
        found, *judged = self.at_once(lambda work: work(), works)
        return found, list(zip(steps, judged, strict=True))

    def _carry_out_in_series(
        self, worker: StepWorker, steps: Sequence[Step], skipped: Sequence[Step]
    ) -> Sequence[Outcome]:
        """Carry out some steps at once and the others after them; each delivery has the same series."""
        worker = replace(worker, tell=lambda: None)  # Each step is told of by itself.

        def in_turn(series: Sequence[Step]) -> list[tuple[Attempt, Outcome]]:
            done: list[tuple[Attempt, Outcome]] = []
            for step in series:
                attempt = worker.begin(step)
                self._record_running(worker.message, [attempt])
                done.append((attempt, worker.finish(attempt)))
                if done[-1][1].status is None or ends_run(done[-1][1]):
                    break
            return done

        found = self.at_once(in_turn, series_of(steps, worker.message.pipeline.max_parallel))
        attempts = [attempt for series in found for attempt, _ in series]
        outcomes = [outcome for series in found for _, outcome in series]
        begun = {attempt.step.id for attempt in attempts}
        left = [step for step in steps if step.id not in begun]
        self._conclude(worker, attempts, outcomes, [*skipped, *left])
        return outcomes

    @contextmanager
    def _telling(self, message: LevelMessage) -> Iterator[None]:
        """Write down what keeps a level from being carried out, for the dispatcher, which may end it."""
        try:
            yield
        except ConvergenceError as error:
            carried_out, _ = steps_of(message)  # A step that is skipped has nothing else to tell.
            report = JobReport(job_id="", is_done=False, error_message=tried_again(error))
            rows = [running_row(step, NOT_BEGUN, report, self.clock) for step in carried_out[:1]]
            with suppress(ConvergenceError):  # The message comes again in any case.
                self.store.append_steps(message.run, rows, self.clock())
            raise

    def give_up(self, message: LevelMessage) -> None:
        """End a run whose level cannot be carried out, for the reason that the message gives."""
        self._stop(message, RunStatus.FAILED, message.end_reason, EndReason.GIVEN_UP)

    def _worker(self, message: LevelMessage, tell: Callable[[], None]) -> StepWorker:
        return StepWorker(
            message=message,
            jobs_of=self._jobs_of(message),
            guard=self.guard,
            check_judge=CheckJudge(run=message.run, earlier=self.earlier, clock=self.clock),
            is_cancelled=lambda: is_cancelled(self.claims, message.run.run_id),
            clock=self.clock,
            sleep=self.sleep,
            deadline=self.clock() + self.budget,
            tell=tell,
        )

    def _jobs_of(self, message: LevelMessage) -> JobsOf:
        return with_secret_parameters(self.identities.acting_for(message.pipeline), message.run, self.seal)

    def _handovers(self) -> Handovers:
        return Handovers(claims=self.claims, levels=self.levels, clock=self.clock, budget=self.budget)

    def _record_started(self, message: LevelMessage, started: _Started) -> None:
        """Write down, once in a call, what is under way."""
        if not started.is_told:
            started.is_told = True
            self._record_running(message, started.attempts)

    def _record_running(self, message: LevelMessage, attempts: Sequence[Attempt]) -> None:
        rows = [
            underway_row(attempt, self.clock)
            for attempt in attempts
            if attempt.trouble or (attempt.report.job_id and not message.continuation)
        ]
        self.store.append_steps(message.run, rows, self.clock())

    def _conclude(
        self,
        worker: StepWorker,
        attempts: Sequence[Attempt],
        outcomes: Sequence[Outcome],
        skipped: Sequence[Step],
    ) -> None:
        message = worker.message
        rows = [row for outcome in outcomes for row in outcome.rows]
        failed = [outcome for outcome in outcomes if ends_run(outcome)]
        # Before the rows that tell the end of a step: who reads that finds what came of its checks.
        results = [result for outcome in outcomes for result in outcome.results]
        self.checks.append_checks(message.run, results, self.clock())
        if any(outcome.trouble or outcome.status is None for outcome in outcomes):
            self.store.append_steps(message.run, rows, self.clock())
            if not any(outcome.trouble for outcome in outcomes):
                self._handovers().hand_over(message)
            return
        message = with_billed(message, outcomes, worker.jobs_of)
        if failed:
            self._fail(message, [*rows, *(skipped_row(step, self.clock) for step in skipped)], failed)
        else:
            rows += [skipped_row(step, self.clock) for step in skipped]
            states = states_after(message, outcomes, skipped)
            logger.info("level completed", extra={"level": message.level})
            if message.is_last:
                self._complete(message, rows, states)
            else:
                self.store.append_steps(message.run, rows, self.clock())
                self._advance(replace(worker, message=message), attempts, states)

    def _advance(self, worker: StepWorker, attempts: Sequence[Attempt], states: dict[str, str]) -> None:
        message = worker.message
        following = replace(message, level=message.level + 1, continuation=0, states=states, shares={})
        # Of a level with steps that did not complete, rows do not tell that it is done: the sweeper begins
        # with it, and relies on being led on.
        is_led_on = message.continuation > 0 and states != message.states
        is_attached = all(attempt.is_attached for attempt in attempts)
        if is_attached and not is_led_on and has_begun(message.run, steps_of(following)[0], worker.jobs_of):
            # This delivery repeats one that got further; to repeat its message too would double every level
            # after it.
            return None
        return self.levels.publish_level(following)

    def _complete(self, message: LevelMessage, rows: Sequence[StepRow], states: dict[str, str]) -> None:
        """End a run all of whose levels are done; steps may have failed in it all the same."""
        lost = lost_steps(message.pipeline, states)
        if not lost:
            return self._end_well(message, rows)
        self.store.append_steps(message.run, rows, self.clock())
        error = "; ".join(f"step {step_id} failed: what depends on it was skipped" for step_id in lost)
        return self._end(message, RunStatus.FAILED, error, EndReason.STEP_FAILED)

    def _fail(self, message: LevelMessage, rows: Sequence[StepRow], failed: Sequence[Outcome]) -> None:
        skipped = [skipped_row(step, self.clock) for step in later_steps(message)]
        self.store.append_steps(message.run, [*rows, *skipped], self.clock())
        if any(outcome.status is StepStatus.CANCELLED for outcome in failed) and is_cancelled(
            self.claims, message.run.run_id
        ):
            return self._end(message, RunStatus.CANCELLED, CANCELLED_BY_HAND, EndReason.CANCELLED)
        error = "; ".join(f"step {outcome.step.id}: {outcome.error}" for outcome in failed)
        is_excused = all(outcome.rows and is_bigquerys(outcome.rows[-1].error_reason) for outcome in failed)
        reason = EndReason.BIGQUERY_FAILED if is_excused else EndReason.STEP_FAILED
        return self._end(message, RunStatus.FAILED, error, reason)

    def _stop(self, message: LevelMessage, status: RunStatus, error: str, reason: EndReason) -> None:
        """End a run before its time: stop its jobs, write down what they came to, skip the rest."""
        jobs_of = self._jobs_of(message)
        stopped = [stopped_step(message.run, step, jobs_of, self.clock) for step in message.steps]
        rows = [row for of_step in stopped for row in of_step]
        message = with_most_billed(message, jobs_of)
        rows += [skipped_row(step, self.clock) for step in later_steps(message)]
        self.store.append_steps(message.run, rows, self.clock())
        self._end(message, status, error, reason)

    def _end_well(self, message: LevelMessage, rows: Sequence[StepRow]) -> None:
        """End a run that is done by now: a caller that has cancelled it before finds it CANCELLED."""
        done_at = self.clock()
        write = partial(self.store.append_steps, message.run, rows, done_at)
        works: list[Callable[[], Any]] = [write, partial(is_cancelled, self.claims, message.run.run_id)]
        if self.at_once(lambda work: work(), works)[1]:
            return self._end(message, RunStatus.CANCELLED, CANCELLED_BY_HAND, EndReason.CANCELLED)
        return self._end(message, RunStatus.COMPLETED, at=done_at)

    def _end(
        self,
        message: LevelMessage,
        status: RunStatus,
        error: str = "",
        reason: EndReason | None = None,
        at: datetime | None = None,
    ) -> None:
        self.store.append_run(message.run, status, at or self.clock(), error, reason, message.bytes_billed)
        logger.info("run ended", extra={"status": status, "error": error})
        self.after_end(message.run)

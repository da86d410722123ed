"""What a backfill may read: the sum of BigQuery's dry runs over its intervals, or over a sample of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from common.errors import ConvergenceError, Unavailable
from common.pipelines.pipeline import Pipeline
from common.runs.at_once import AtOnce
from common.runs.guarding import Guard, guarded_dry_run
from common.runs.level_messages import LevelMessage
from common.runs.ports import Identities, JobsOf
from common.runs.secret_parameter_jobs import without_secrets
from common.runs.step_jobs import Position, step_job
from common.schedules.waiting import WaitingRun

MAX_DRY_RUNS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Bytes for all runs, None where BigQuery cannot tell; and about how many of them it was asked."""

    bytes_processed: int | None
    asked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillEstimates:
    """Asks BigQuery. Secrets are left out: who estimates can seal them and not open them."""

    identities: Identities
    guard: Guard
    at_once: AtOnce

    def of(self, pipeline: Pipeline, runs: Sequence[WaitingRun]) -> Estimate:
        """Estimate what runs of a pipeline read; InvalidInput where their parameters break rules."""
        asked = spread(runs, max(1, MAX_DRY_RUNS // len(pipeline.steps)))
        jobs_of = self.identities.acting_for(pipeline)
        messages = [_message(run, pipeline) for run in asked]
        found = self.at_once(lambda message: self._bytes(message, jobs_of), messages) if messages else []
        known = [one for one in found if one is not None]
        if len(known) < len(found):
            return Estimate(bytes_processed=None, asked=len(asked))
        total = round(sum(known) * len(runs) / len(asked)) if asked else 0
        return Estimate(bytes_processed=total, asked=len(asked))

    def _bytes(self, message: LevelMessage, jobs_of: JobsOf) -> int | None:
        total = 0
        places = [
            (step, Position(job=number))
            for step in message.pipeline.steps
            for number in range(len(step.jobs))
        ]
        for step, position in places:
            try:
                job = without_secrets(step_job(message, step, position))
                total += guarded_dry_run(jobs_of(step), job, self.guard).bytes_processed
            except Unavailable:
                raise
            except ConvergenceError:
                return None
        return total


def spread[T](items: Sequence[T], most: int) -> list[T]:
    """Take items from the first to the last, as evenly as can be."""
    if len(items) <= most:
        return list(items)
    places = {round(number * (len(items) - 1) / max(1, most - 1)) for number in range(most)}
    return [items[place] for place in sorted(places)]


def _message(run: WaitingRun, pipeline: Pipeline) -> LevelMessage:
    ready = run.ready(pipeline)
    return LevelMessage(run=run.as_run(ready.parameters), pipeline=pipeline, level=1)

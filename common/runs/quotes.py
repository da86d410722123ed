"""What a run would read and cost before any of it is run: BigQuery's dry run of each step, level by level.

Tables that an earlier step is still to make are stood in for (`common.pipelines.stand_ins`). What a query
reads of those nobody knows before they are there: its bytes are unknown, and so is every sum with them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from common.at_once import AtOnce, in_threads
from common.costs.learning import LAST_RUNS, LOOKED_BACK, Learned, LearnedReader
from common.costs.prices import Price, sum_of
from common.pipelines.intervals import by_hand, values_of
from common.pipelines.parameters import bind_parameters, run_date_of
from common.pipelines.pipeline import Pipeline
from common.runs.beginning import ReadyRun
from common.runs.guarding import Guard
from common.runs.level_messages import LevelMessage
from common.runs.ports import Identities
from common.runs.run import Run, Trigger, TriggerType
from common.runs.step_quotes import StepQuote, StepQuotes

_OF_RUN = ("run_id", "run_date", "trigger", "interval", "parameters")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What a run would read and be billed for, step by step."""

    pipeline: Pipeline
    steps: tuple[StepQuote, ...]

    @property
    def is_valid(self) -> bool:
        """Tell whether nothing speaks against any step."""
        return not any(step.error for step in self.steps)

    @property
    def bytes_processed(self) -> int | None:
        """What all steps read; None where it is unknown of one of them."""
        return sum_of([step.bytes_processed for step in self.steps])

    @property
    def bytes_billed(self) -> int | None:
        """What all steps are billed for; None where it is unknown of one of them."""
        return sum_of([step.bytes_billed for step in self.steps])

    @property
    def at_least(self) -> int:
        """What is known of what all steps are billed for."""
        return sum(step.at_least for step in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotes:
    """Asks BigQuery. Secrets are left out: who quotes can seal them and not open them."""

    identities: Identities
    guard: Guard
    project: str
    price: Price
    at_once: AtOnce = in_threads
    learned: LearnedReader | None = None

    def learned_of(self, pipeline: Pipeline, now: datetime) -> Mapping[str, Learned]:
        """Return, by step, how right the estimates of a pipeline's last runs have been."""
        if self.learned is None:
            return {}
        since = now - LOOKED_BACK
        return self.learned.read_learned(pipeline.tenant_id, pipeline.config_id, since, LAST_RUNS)

    def of(self, ready: ReadyRun, now: datetime) -> Quote:
        """Quote a run that lacks nothing but its ticket; Unavailable where BigQuery does not answer."""
        pipeline = ready.pipeline
        run = Run(
            tenant_id=pipeline.tenant_id,
            config_id=pipeline.config_id,
            config_version=pipeline.version,
            ticket=0,
            started_at=now,
            **{name: getattr(ready, name) for name in _OF_RUN},
        )
        return self.of_message(LevelMessage(run=run, pipeline=pipeline, level=1))

    def of_message(self, message: LevelMessage) -> Quote:
        """Quote all levels of a run."""
        asked = StepQuotes(
            message=message,
            jobs_of=self.identities.acting_for(message.pipeline),
            guard=self.guard,
            project=self.project,
        )
        found: list[StepQuote] = []
        for level in message.pipeline.levels:
            found += self.at_once(asked.quote, level)
        return Quote(pipeline=message.pipeline, steps=tuple(found))


def sample_run(pipeline: Pipeline, now: datetime) -> ReadyRun:
    """Make up a run of today for a file that nobody has given values: what has no default is NULL."""
    optional = tuple(replace(one, required=False) for one in pipeline.parameters)
    run_time = by_hand(optional, {}, None, pipeline.timezone, now)
    values = values_of(optional, run_time, pipeline.timezone, {})
    parameters = bind_parameters(optional, values, run_time.date)
    return ReadyRun(
        run_id="quote",
        pipeline=pipeline,
        parameters=parameters,
        run_date=run_date_of(parameters, run_time.date),
        interval=run_time.interval,
        trigger=Trigger(type=TriggerType.API, by="quote"),
    )

"""Runs of pipelines with checks on a BigQuery that has rows: compiled, carried out, read back."""

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from common.at_once import AtOnce, in_threads
from common.pipelines.compile import compile_pipeline
from common.pipelines.documents import read_document
from common.pipelines.pipeline import BoundParameter, Pipeline
from common.pipelines.step_types import TEMPLATES, load_step_types
from common.pipelines.tables import Policy
from common.quality.check_queries import CheckView
from common.runs.guarding import PolicyGuard
from common.runs.level_messages import LevelMessage
from common.runs.levels import LevelWorker
from common.runs.ports import JobsOf
from common.runs.run import Run, StepOutline, Trigger, TriggerType
from common.times import utc_now
from common.warehouse.bigquery import Central, Queries
from common.warehouse.buckets import BucketsOf, no_buckets
from common.warehouse.check_rows import CheckRows
from common.warehouse.jobs import ClaimedJobs, ExecutorJobs
from common.warehouse.run_views import RunViewRows
from common.warehouse.runs import RunRows
from common.warehouse.streaming import Streaming
from tests.fakes.runs import MemoryLevels

STEP_TYPES = load_step_types(TEMPLATES)
_numbers = itertools.count()


@dataclass(slots=True, kw_only=True)
class CheckedRuns:
    """One tenant's runs on BigQuery."""

    central: Central
    tenant_id: str
    levels: MemoryLevels = field(default_factory=MemoryLevels)
    buckets: BucketsOf = no_buckets
    acting_as: ExecutorJobs | None = None
    """Whose jobs are made instead of the executor's own."""
    sleep: Callable[[float], None] = time.sleep
    at_once: AtOnce = in_threads

    def acting_for(self, pipeline: Pipeline) -> JobsOf:
        jobs = self.acting_as or self.jobs
        return lambda step: jobs

    @property
    def jobs(self) -> ExecutorJobs:
        return ExecutorJobs(
            client=self.central.client,
            location=self.central.location,
            project=self.central.project,
            buckets=self.buckets,
        )

    @property
    def policy(self) -> Policy:
        """What the tenant may read, a bucket of its own among it."""
        sources = frozenset({f"gs://{self.tenant_id.replace('_', '-')}"})
        return Policy(project_id=self.central.project, dataset=self.tenant_id, allowed_sources=sources)

    @property
    def results(self) -> CheckRows:
        queries, streaming = Queries(central=self.central), Streaming(central=self.central)
        return CheckRows(queries=queries, streaming=streaming)

    @property
    def rows(self) -> RunRows:
        return RunRows(streaming=Streaming(central=self.central))

    @property
    def views(self) -> RunViewRows:
        return RunViewRows(queries=Queries(central=self.central))

    def run(self, document: str, day: str = "2026-01-31") -> str:
        """Carry a pipeline out and return the run's ID."""
        return self.deliver(self.message(document, day))

    def message(self, document: str, day: str = "2026-01-31") -> LevelMessage:
        """Make the first message of a run."""
        pipeline = compile_pipeline(
            read_document(document.encode(), None),
            tenant_id=self.tenant_id,
            config_id="daily",
            version=1,
            project_id=self.central.project,
            step_types=STEP_TYPES,
            policy=self.policy,
        ).pipeline
        run = Run(
            tenant_id=self.tenant_id,
            run_id=f"run-{next(_numbers)}",
            config_id="daily",
            config_version=1,
            ticket=1,
            started_at=utc_now(),
            run_date=datetime.fromisoformat(day).replace(tzinfo=UTC).date(),
            trigger=Trigger(type=TriggerType.API, by="test"),
            parameters=(BoundParameter(name="date", type="DATE", value=day),),
            levels=tuple(tuple(step.id for step in level) for level in pipeline.levels),
            steps=tuple(
                StepOutline(step_id=step.id, jobs=tuple(job.name for job in step.jobs))
                for step in pipeline.steps
            ),
        )
        return LevelMessage(run=run, pipeline=pipeline, level=1)

    def deliver(self, message: LevelMessage) -> str:
        """Carry out a level, and those that follow."""
        worker = self.worker(message.pipeline)
        worker.carry_out(message)
        while self.levels.sent:
            worker.carry_out(self.levels.take())
        return message.run.run_id

    def worker(self, pipeline: Pipeline) -> LevelWorker:
        return LevelWorker(
            store=self.rows,
            checks=self.results,
            earlier=self.results,
            claims=ClaimedJobs(client=self.central.client, location=self.central.location),
            identities=self,
            levels=self.levels,
            guard=PolicyGuard(project_id=self.central.project),
            clock=utc_now,
            sleep=self.sleep,
            budget=timedelta(minutes=5),
            at_once=self.at_once,
        )

    def end(self, run_id: str) -> tuple[str, str]:
        """Return the state in which a run has ended, and why."""
        run = self.views.read_run(self.tenant_id, run_id, utc_now())
        assert run is not None
        return run.status, run.error_message or ""

    def checks(self, run_id: str) -> dict[str, CheckView]:
        """Return what came of the checks of a run, by their names."""
        return {check.name: check for check in self.all_results(run_id)}

    def all_results(self, run_id: str) -> Sequence[CheckView]:
        """Return what came of the checks of a run, as readers have it."""
        return self.views.read_checks(self.tenant_id, run_id, utc_now() - timedelta(days=1))

    def table(self, name: str) -> list[tuple[Any, ...]]:
        """Return the rows of a table."""
        rows = self.central.client.query_and_wait(f"SELECT * FROM `{self.tenant_id}.{name}`")
        return sorted((tuple(row.values()) for row in rows), key=str)

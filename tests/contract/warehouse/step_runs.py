"""Runs of one step on the local BigQuery: compiled from its config, guarded and carried out as in a level."""

import itertools
import time
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from google.cloud import bigquery

from common.pipelines.compile import compile_pipeline
from common.pipelines.intervals import Interval, of_day, values_of
from common.pipelines.parameters import bind_parameters
from common.pipelines.tables import Policy
from common.runs.attempts import Outcome
from common.runs.guarding import PolicyGuard
from common.runs.judging import CheckJudge
from common.runs.level_messages import LevelMessage
from common.runs.ports import StepJobs
from common.runs.steps import StepWorker
from common.times import utc_now
from common.warehouse.bigquery import Central
from common.warehouse.jobs import ExecutorJobs
from tests.fakes.runs import MemoryRuns
from tests.unit.pipelines.examples import STEP_TYPES
from tests.unit.runs.examples import a_run

_numbers = itertools.count()


@dataclass(slots=True, kw_only=True)
class StepRuns:
    """A tenant of the local BigQuery, and runs of its steps."""

    central: Central
    tenant_id: str = field(default_factory=lambda: f"steps_{next(_numbers)}")

    def __post_init__(self) -> None:
        self.central.client.create_dataset(self.tenant_id)

    def message(
        self,
        ps_type: str,
        day: date,
        run_id: str = "",
        *,
        interval: Interval | None = None,
        given: dict[str, Any] | None = None,
        **config: Any,
    ) -> LevelMessage:
        """Make the message of a run for a day of a pipeline of one step."""
        policy = Policy(project_id=self.central.project, dataset=self.tenant_id)
        step: Any = {"id": "work", "ps_type": ps_type, "config": {"target_table": "t"} | config}
        pipeline = compile_pipeline(
            {"pipeline": {"name": "Work"}, "steps": [step]},
            tenant_id=self.tenant_id,
            config_id="work",
            version=1,
            project_id=self.central.project,
            step_types=STEP_TYPES,
            policy=policy,
        ).pipeline
        run_time = of_day(day, "UTC")
        values = values_of(pipeline.parameters, run_time, "UTC", given or {})
        run = a_run(
            tenant_id=self.tenant_id,
            run_id=run_id or f"run{next(_numbers)}",
            run_date=day,
            interval=interval or run_time.interval,
            parameters=bind_parameters(pipeline.parameters, values, day),
        )
        return LevelMessage(run=run, pipeline=pipeline, level=1)

    def run(self, ps_type: str, day: date = date(2026, 3, 2), run_id: str = "", **config: Any) -> Outcome:
        """Carry a step out for a day; the same `run_id` is the same run, delivered again."""
        return self.deliver(self.message(ps_type, day, run_id, **config))

    def deliver(self, message: LevelMessage, jobs: StepJobs | None = None) -> Outcome:
        """Carry out the step of a message."""
        worker = self.worker(message, jobs or self.jobs)
        (step,) = message.pipeline.steps
        return worker.finish(worker.begin(step))

    def worker(self, message: LevelMessage, jobs: StepJobs) -> StepWorker:
        """Make what carries out the step of a message."""
        return StepWorker(
            message=message,
            jobs_of=lambda _: jobs,
            guard=PolicyGuard(project_id=self.central.project),
            check_judge=CheckJudge(run=message.run, earlier=MemoryRuns(), clock=utc_now),
            is_cancelled=lambda: False,
            tell=lambda: None,
            clock=utc_now,
            sleep=time.sleep,
            deadline=utc_now() + timedelta(minutes=1),
        )

    @property
    def jobs(self) -> ExecutorJobs:
        """The executor's jobs."""
        central = self.central
        return ExecutorJobs(client=central.client, location=central.location, project=central.project)

    def rows(self, sql: str = "SELECT * FROM t ORDER BY 1, 2") -> list[tuple[Any, ...]]:
        """Read the tenant's tables."""
        dataset = bigquery.DatasetReference(self.central.project, self.tenant_id)
        config = bigquery.QueryJobConfig(default_dataset=dataset)
        return [tuple(row.values()) for row in self.central.client.query_and_wait(sql, job_config=config)]

    def make(self, table: str, sql: str) -> None:
        """Make a table of the tenant's, or make it anew."""
        self.rows(f"CREATE OR REPLACE TABLE {table} AS {sql}")

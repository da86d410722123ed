"""What the jobs of incremental steps come to right before they run, by columns that a test gives."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from common.pipelines.intervals import of_day, values_of
from common.pipelines.parameters import bind_parameters
from common.pipelines.pipeline import Pipeline, Step
from common.runs.incremental import resolved
from common.runs.level_messages import LevelMessage
from common.runs.ports import StepJob
from common.runs.step_jobs import step_job
from tests.fakes.clock import VirtualClock
from tests.fakes.jobs import MemoryJobs
from tests.unit.runs.examples import a_run

DAY = date(2026, 3, 2)


@dataclass(frozen=True, slots=True)
class AColumn:
    """A column of rows or of a table."""

    name: str
    field_type: str = "STRING"


def columns_of(types: Mapping[str, str]) -> tuple[AColumn, ...]:
    """Make columns of names and types."""
    return tuple(AColumn(name, kind) for name, kind in types.items())


def resolved_job(
    pipeline: Pipeline,
    step: Step,
    rows: Mapping[str, str],
    *,
    is_there: bool = True,
    table: Mapping[str, str] | None = None,
) -> StepJob:
    """Resolve a step's first job, by the columns of its rows and those of the table, where it is there."""
    jobs = MemoryJobs(VirtualClock())
    jobs.row_columns[step.target_table] = columns_of(rows)
    if is_there:
        jobs.columns[step.target_table] = columns_of(table or rows)
    run_time = of_day(DAY, pipeline.timezone)
    values = values_of(pipeline.parameters, run_time, pipeline.timezone, {})
    run = a_run(
        tenant_id=pipeline.tenant_id,
        interval=run_time.interval,
        run_date=DAY,
        parameters=bind_parameters(pipeline.parameters, values, DAY),
    )
    message = LevelMessage(run=run, pipeline=pipeline, level=1)
    return resolved(message, step_job(message, step), jobs, lambda _job, _dry_run: "")

"""Steps of other kinds than queries: loads that share a table, extracts, copies and incremental ones."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

from common.pipelines.candidates import CANDIDATE
from common.pipelines.pipeline import Pipeline, Step
from common.pipelines.plans import (
    CheckJob,
    CopyJob,
    ExtractJob,
    FileFormat,
    FilesLoadedJob,
    Job,
    LoadJob,
    QueryJob,
    SchemaChange,
    StatementType,
    WriteDisposition,
)
from tests.unit.runs.examples import a_query
from tests.unit.runs.resolved_jobs import AColumn

if TYPE_CHECKING:
    from tests.simulation.world import World

COLUMNS = (AColumn("id", "INT64"),)
UPLOADS = timedelta(minutes=15)


def folder_of(tenant_id: str) -> str:
    """Name where a tenant's files come in."""
    return f"gs://{tenant_id}-files/in"


def with_other_kinds(random: Random, pipeline: Pipeline) -> Pipeline:
    """Have some of a pipeline's steps be of other kinds."""
    if random.random() < 0.6:
        return pipeline
    levels = (tuple(_of_some_kind(random, pipeline, step) for step in level) for level in pipeline.levels)
    return replace(pipeline, levels=tuple(levels))


def _of_some_kind(random: Random, pipeline: Pipeline, step: Step) -> Step:
    if any(isinstance(job, CheckJob) for job in step.jobs):
        return step
    kinds = [step.jobs, _loading(pipeline.tenant_id), _loading(pipeline.tenant_id), *_others(step.id)]
    return replace(step, jobs=random.choice(kinds))


def _loading(tenant_id: str) -> tuple[Job, ...]:
    """Load what is new into the one table that all loads of a tenant share."""
    table = f"{tenant_id}_loaded"
    load = LoadJob(uris=(f"{folder_of(tenant_id)}/*.csv",), format=FileFormat.CSV, destination=table)
    return load, FilesLoadedJob(destination=table)


def _others(name: str) -> Iterator[tuple[Job, ...]]:
    files = (f"gs://out/{name}-*.csv",)
    rows = a_query(CANDIDATE, name="rows", is_temporary=True, write_disposition=WriteDisposition.EMPTY)
    yield rows, ExtractJob(source=CANDIDATE, uris=files)
    yield (ExtractJob(source=name, uris=files),)
    yield (CopyJob(sources=("p.d.t",), destination=name, write_disposition=WriteDisposition.APPEND),)
    yield (
        QueryJob(
            sql=f"INSERT INTO {name} (@@columns) SELECT @@columns FROM t",
            destination=name,
            statement_type=StatementType.INSERT,
            queries=("SELECT id FROM t",),
            first_sql="SELECT id FROM t",
            on_schema_change=SchemaChange.FAIL,
        ),
    )


def prepare_tables(random: Random, world: "World") -> None:
    """Have some of the tables be there that incremental steps keep."""
    for pipeline in world.pipelines.values():
        for job in (job for step in pipeline.steps for job in step.jobs):
            if isinstance(job, QueryJob) and job.on_schema_change:
                world.jobs.row_columns[job.destination] = COLUMNS
                if random.random() < 0.5:
                    world.jobs.columns[job.destination] = COLUMNS


def uploads(random: Random, world: "World") -> Iterator[tuple[timedelta, str]]:
    """Draw when which files come in, for tenants that load any."""
    tenants = {
        pipeline.tenant_id
        for pipeline in world.pipelines.values()
        for step in pipeline.steps
        if isinstance(step.jobs[0], LoadJob)
    }
    for tenant_id in sorted(tenants):
        for number in range(random.choice([1, 3, 10])):
            yield random.random() * UPLOADS, f"{folder_of(tenant_id)}/{number}.csv"

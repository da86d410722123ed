"""The SQL of a run's jobs, made again from the version that it ran, and held against what each job was."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from common.pipelines.pipeline import Pipeline
from common.runs.views import AttemptView


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """The SQL of one job of a step; whether it is what the latest attempt ran, None where there was none."""

    step_id: str
    job_name: str
    sql: str
    is_as_run: bool | None


def statements_of(pipeline: Pipeline, attempts: Sequence[AttemptView]) -> list[Statement]:
    """List the statements of a pipeline's steps, beside the attempts of a run of it, in their order."""
    hashes = {(one.step_id, one.job_name): one.statement_hash for one in attempts}
    return [
        Statement(
            step_id=step.id,
            job_name=job.name,
            sql=job.sql,
            is_as_run=_is_same(hashes.get((step.id, job.name)), job.sql),
        )
        for step in pipeline.steps
        for job in step.jobs
        if job.sql
    ]


def _is_same(known: str | None, sql: str) -> bool | None:
    return known == hashlib.sha256(sql.encode()).hexdigest() if known else None

"""Queries of literals that are asked for their rows (`common.runs.sql_testing.LiteralQueries`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common.pipelines.plans import CheckJob
from common.runs.ports import StepJob
from common.warehouse.jobs import ExecutorJobs
from common.warehouse.own_tables import json_form
from common.warehouse.translation import translated

MAX_DIFFERENCES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class LiteralQueryJobs(ExecutorJobs):
    """Under the executor's name, which sees no central table."""

    def rows_of(self, job: StepJob, work: CheckJob) -> Sequence[Mapping[str, Any]]:
        """Run a query and return its rows; a repeat does no harm, so the client may make one."""
        config = self._config(job, work)
        with translated():
            rows = self.client.query_and_wait(
                work.sql,
                job_config=config,
                location=self.location,
                wait_timeout=float(job.timeout_seconds),
                max_results=MAX_DIFFERENCES,
            )
            return [{name: json_form(value) for name, value in row.items()} for row in rows]

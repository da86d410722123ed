"""Retrying a run: a new run of the steps that did not complete, same parameters, same config version."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from common.errors import Conflict, NotFound
from common.pipelines.intervals import of_day
from common.pipelines.pipeline import Pipeline
from common.runs.beginning import ReadyRun, RunBeginner
from common.runs.ports import ConfigText
from common.runs.progress import OpenRun, ProgressReader
from common.runs.run import RunStatus, Trigger
from common.runs.starting import RUN_IDS, StartedRun
from common.times import Clock

RETRYABLE = {RunStatus.FAILED, RunStatus.CANCELLED}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRetrier:
    """Makes up for runs that FAILED or were CANCELLED; a run is retried once, then its retry is."""

    beginner: RunBeginner
    reader: ProgressReader
    compile: Callable[[str, ConfigText], Pipeline]
    clock: Clock

    def retry(self, tenant_id: str, run_id: str, trigger: Trigger, traceparent: str = "") -> StartedRun:
        """Start the retry of a run, or return the one that was started before.

        Raises NotFound, Conflict (the run did not fail, or nothing is left to do) and QuotaExceeded: a retry
        is a run like any other.
        """
        found = self.reader.find(tenant_id, run_id, self.clock())
        if found is None:
            raise NotFound(f"there is no run {run_id!r}")
        if found.status not in RETRYABLE:
            raise Conflict(f"only a run that FAILED or was CANCELLED can be retried; it is {found.state}")
        retry_id = str(uuid.uuid5(RUN_IDS, f"{tenant_id}\nretry of {run_id}"))
        facts = self.beginner.read(tenant_id, found.run.config_id, retry_id)
        if facts.repeated:
            return StartedRun(run=facts.repeated.run, status=facts.repeated.status, is_repeat=True)
        remaining = found.run.step_ids - found.progress.completed
        if not remaining:
            raise Conflict("all steps of the run have completed: there is nothing to retry")
        self.beginner.check_quota(tenant_id, found.run.config_id, retry_id, facts)
        pipeline = found.compiled(self.compile).restricted_to(remaining)
        run = self.beginner.begin(_ready(found, pipeline, retry_id, trigger, traceparent), facts)
        return StartedRun(run=run, status=RunStatus.PENDING)


def _ready(found: OpenRun, pipeline: Pipeline, retry_id: str, trigger: Trigger, traceparent: str) -> ReadyRun:
    return ReadyRun(
        run_id=retry_id,
        pipeline=pipeline,
        parameters=found.run.parameters,
        run_date=found.run.run_date,
        interval=found.run.interval or of_day(found.run.run_date, pipeline.timezone).interval,
        trigger=trigger,
        traceparent=traceparent,
        retry_of=found.run.run_id,
    )

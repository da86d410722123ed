"""Retrying a run: a new run of the steps that did not complete, with the same parameters."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import cast

from common.errors import Conflict, InvalidInput, NotFound, Violation
from common.pipelines.intervals import of_day
from common.pipelines.parameters import bind_parameters
from common.pipelines.pipeline import Pipeline
from common.pipelines.secret_values import GivenValue
from common.pipelines.selection import following, preceding
from common.runs.beginning import ReadyRun, RunAdmission
from common.runs.ports import AdmissionFacts, ConfigText
from common.runs.progress import OpenRun, ProgressReader, present_state
from common.runs.run import Run, RunStatus, Trigger
from common.runs.starting import RUN_IDS, StartedRun
from common.times import Clock

MAX_RETRIES = 50
RETRYABLE = {RunStatus.FAILED, RunStatus.CANCELLED}


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRequest:
    """Somebody wants a run to be made up for: what did not complete, or all from one step on."""

    tenant_id: str
    run_id: str
    trigger: Trigger
    traceparent: str = ""
    takes_latest: bool = False
    """Whether it goes by the config's latest version, and not by the run's own."""
    from_step: str = ""
    """The step with which, and with all that follow from it, it begins; "" for what did not complete."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRetrier:
    """Makes up for runs that FAILED or were CANCELLED: again and again, one retry after the other."""

    run_admission: RunAdmission
    reader: ProgressReader
    compile: Callable[[str, ConfigText], Pipeline]
    clock: Clock

    def retry(self, request: RetryRequest) -> StartedRun:
        """Start the next retry of a run, or return the one that is under way or has come right.

        Raises NotFound, Conflict (the run did not fail, or nothing is left to do), InvalidInput (no such
        step) and QuotaExceeded: a retry is a run like any other.
        """
        upcoming = self._upcoming(request, self.run_admission.check_quota)
        if isinstance(upcoming, StartedRun):
            return upcoming
        ready, facts = upcoming
        return StartedRun(run=self.run_admission.begin(ready, facts), status=RunStatus.PENDING)

    def prepared(self, request: RetryRequest) -> ReadyRun:
        """Make the next retry ready and start none; Conflict also where one is under way or came right."""
        upcoming = self._upcoming(request, lambda *_: None)
        if isinstance(upcoming, StartedRun):
            raise Conflict(f"the retry {upcoming.run.run_id} is {upcoming.status}: there is nothing to retry")
        return upcoming[0]

    def _upcoming(
        self, request: RetryRequest, check: Callable[[str, str, str, AdmissionFacts], None]
    ) -> tuple[ReadyRun, AdmissionFacts] | StartedRun:
        """Find the retry whose turn it is; `check` is done before anything is compiled for it."""
        tenant_id = request.tenant_id
        found = self._find(request)
        completed = found.progress.completed
        for number in range(1, MAX_RETRIES + 1):
            retry_id = retry_id_of(tenant_id, request.run_id, number)
            facts = self.run_admission.read(tenant_id, found.run.config_id, retry_id)
            if facts.repeated is None:
                check(tenant_id, found.run.config_id, retry_id, facts)
                return self._ready(request, found, completed, retry_id, facts), facts
            if facts.repeated.status not in RETRYABLE:
                status = present_state(self.reader, facts.repeated, self.clock())
                return StartedRun(run=facts.repeated.run, status=status, is_repeat=True)
            earlier = self.reader.find(tenant_id, retry_id, self.clock())
            completed |= earlier.progress.completed if earlier else frozenset()
        raise Conflict(f"the run has been retried {MAX_RETRIES} times: run the pipeline")

    def _find(self, request: RetryRequest) -> OpenRun:
        found = self.reader.find(request.tenant_id, request.run_id, self.clock())
        if found is None:
            raise NotFound(f"there is no run {request.run_id!r}")
        if found.status not in RETRYABLE:
            raise Conflict(f"only a run that FAILED or was CANCELLED can be retried; it is {found.state}")
        return found

    def _ready(
        self,
        request: RetryRequest,
        found: OpenRun,
        completed: frozenset[str],
        retry_id: str,
        facts: AdmissionFacts,
    ) -> ReadyRun:
        if not request.takes_latest and not request.from_step and not found.run.step_ids - completed:
            raise Conflict("all steps of the run have completed: there is nothing to retry")
        pipeline = self._pipeline(request, found, facts)
        wanted = found.run.step_ids
        if request.takes_latest and not found.run.left_out:
            wanted = frozenset(step.id for step in pipeline.steps)
        chosen = wanted - completed
        if request.from_step:
            chosen |= self._from(request, pipeline, found.run, wanted)
        if not chosen:
            raise Conflict("all steps of the run have completed: there is nothing to retry")
        parameters = found.run.parameters
        if request.takes_latest:
            declared = {parameter.name for parameter in pipeline.parameters}
            given = {
                one.name: one.value for one in parameters if one.value is not None and one.name in declared
            }
            parameters = bind_parameters(
                pipeline.parameters, cast("Mapping[str, GivenValue]", given), found.run.run_date
            )
        restricted = pipeline.restricted_to(chosen)
        return replace(_ready(found, restricted, retry_id, request), parameters=parameters)

    def _from(
        self, request: RetryRequest, pipeline: Pipeline, run: Run, wanted: frozenset[str]
    ) -> frozenset[str]:
        """Return a step of those wanted with all of them that depend on it.

        A step that the run has left out comes with what leads from it to those: a retry is of the steps that
        its own run was of, and else a choice has left it out.
        """
        step_id = request.from_step
        if step_id not in {step.id for step in pipeline.steps}:
            raise InvalidInput(
                [Violation("/from", f"is no step of version {pipeline.version}")], "there is no such step"
            )
        while step_id not in wanted and run.retry_of:
            before = self.reader.find(request.tenant_id, run.retry_of, self.clock())
            if before is None:
                break
            run = before.run
            wanted |= run.step_ids
        reached = following(pipeline, {step_id})
        return reached & (wanted if step_id in wanted else preceding(pipeline, wanted) | {step_id})

    def _pipeline(self, request: RetryRequest, found: OpenRun, facts: AdmissionFacts) -> Pipeline:
        if not request.takes_latest:
            return found.compiled(self.compile)
        if facts.config is None:
            raise NotFound(f"there is no pipeline config {found.run.config_id!r}")
        return self.compile(request.tenant_id, facts.config)


def retry_id_of(tenant_id: str, run_id: str, number: int) -> str:
    """Name the n-th retry of a run, so that repeats of a request meet."""
    name = f"retry of {run_id}" if number == 1 else f"retry {number} of {run_id}"
    return str(uuid.uuid5(RUN_IDS, f"{tenant_id}\n{name}"))


def _ready(found: OpenRun, pipeline: Pipeline, retry_id: str, request: RetryRequest) -> ReadyRun:
    return ReadyRun(
        run_id=retry_id,
        pipeline=pipeline,
        parameters=found.run.parameters,
        run_date=found.run.run_date,
        interval=found.run.interval or of_day(found.run.run_date, pipeline.timezone).interval,
        trigger=request.trigger,
        traceparent=request.traceparent,
        retry_of=found.run.run_id,
    )

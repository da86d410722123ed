"""Starting a run: from a request to an admitted run whose first level is on its way."""

import hashlib
import json
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from common.errors import Conflict, InvalidInput, NotFound, QuotaExceeded, Violation
from common.logs import MASK
from common.pipelines.intervals import (
    INTERVAL_END,
    INTERVAL_START,
    Interval,
    RunTime,
    by_hand,
    day_of,
    read_bound,
    values_of,
)
from common.pipelines.parameters import bind_parameters, run_date_of
from common.pipelines.pipeline import Pipeline, SealedValue
from common.pipelines.secret_values import NoSeal, ParameterSeal, with_secrets_sealed
from common.pipelines.selection import StepSelection
from common.runs.beginning import ReadyRun, RunAdmission
from common.runs.ports import AdmissionFacts, ConfigText, StoredRun
from common.runs.progress import ProgressReader, present_state
from common.runs.quotas import CONCURRENT, is_held
from common.runs.run import Run, RunStatus, Trigger
from common.times import Clock

RUN_IDS = uuid.UUID("6f1f5f4e-3d0b-5d57-9a39-0c9d8f6d3f10")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """Somebody wants a config to run; the same `idempotency_key` means the same run."""

    tenant_id: str
    config_id: str
    trigger: Trigger
    parameters: Mapping[str, Any] = field(repr=False)
    idempotency_key: str = ""
    traceparent: str = ""
    interval: tuple[str, str] | None = None
    """The bounds of what the run is for, as they were given; days, or times in the pipeline's zone."""
    selection: StepSelection | None = None
    """The steps that the run is to carry out; None for all."""
    may_wait: bool = False
    """Whether the run is to wait for a slot where the concurrent limit is reached."""

    @property
    def run_id(self) -> str:
        """The run's ID: from the idempotency key, so that repeats meet; else a new one at each call."""
        if not self.idempotency_key:
            return str(uuid.uuid4())
        return str(uuid.uuid5(RUN_IDS, f"{self.tenant_id}\n{self.idempotency_key}"))

    @property
    def content_hash(self) -> str:
        """What is asked for, to tell a repeat from another request under the same idempotency key."""
        return self.hash_leaving_out(())

    def hash_leaving_out(self, secrets: Collection[str]) -> str:
        """Hash what is asked for; of sealed values, and of these, only that they are given.

        A hash of a secret would tell it to a reader who tries all that it can be.
        """
        told = {
            name: MASK if isinstance(value, SealedValue) or (name in secrets and value is not None) else value
            for name, value in self.parameters.items()
        }
        chosen = self.selection.content if self.selection else None
        asked = [self.config_id, told, *(one for one in (self.interval, chosen) if one)]
        content = json.dumps(asked, sort_keys=True, default=str)
        return hashlib.sha256(content.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedRun:
    """The answer to a request: the run, and whether an earlier request had started it."""

    run: Run
    status: RunStatus
    is_repeat: bool = False


class RunEnqueuer(Protocol):
    """Where a run waits for a slot."""

    def enqueue_run(self, request: RunRequest, ready: ReadyRun, facts: AdmissionFacts) -> StartedRun:
        """Put a run into the queue; one that this idempotency key has put there before is that run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunService:
    """Makes runs out of requests."""

    run_admission: RunAdmission
    enqueuer: RunEnqueuer
    reader: ProgressReader
    compile: Callable[[str, ConfigText], Pipeline]
    clock: Clock
    seal: ParameterSeal = field(default_factory=NoSeal)

    def start(self, request: RunRequest) -> StartedRun:
        """Start a run, or return the one that this idempotency key has started.

        Raises NotFound (no such config), InvalidInput (parameters), QuotaExceeded, Conflict (the key was used
        for another request), Forbidden (the tenant is suspended), NotConfigured (a secret, and no key ring).
        """
        run_id = request.run_id
        facts = self.run_admission.read(request.tenant_id, request.config_id, run_id)
        if facts.repeated:
            return self._repeat(facts.repeated, request)
        if facts.config is None:
            raise NotFound(f"there is no pipeline config {request.config_id!r}")
        self._check_quota(request, run_id, facts)
        pipeline = self.compile(request.tenant_id, facts.config)
        # From here on nothing holds a secret in clear.
        request = replace(request, parameters=with_secrets_sealed(pipeline, request.parameters, self.seal))
        ready = self._ready(request, run_id, pipeline)
        try:
            run = self.run_admission.begin(ready, facts)
        except QuotaExceeded as refusal:
            if request.may_wait and (refusal.limit_name == CONCURRENT or is_held(refusal)):
                return self.enqueuer.enqueue_run(request, ready, facts)
            raise
        return StartedRun(run=run, status=RunStatus.PENDING)

    def prepared(self, request: RunRequest) -> ReadyRun:
        """Make a run ready that is not to be started; raises as `start` does, but for quotas and repeats."""
        facts = self.run_admission.read(request.tenant_id, request.config_id, "")
        if facts.config is None:
            raise NotFound(f"there is no pipeline config {request.config_id!r}")
        pipeline = self.compile(request.tenant_id, facts.config)
        request = replace(request, parameters=with_secrets_sealed(pipeline, request.parameters, self.seal))
        return self._ready(request, request.run_id, pipeline)

    def _repeat(self, stored: StoredRun, request: RunRequest) -> StartedRun:
        if stored.run.request_hash != request.hash_leaving_out(stored.secret_names):
            raise Conflict("this idempotency key has been used for another request")
        status = present_state(self.reader, stored, self.clock())
        return StartedRun(run=stored.run, status=status, is_repeat=True)

    def _check_quota(self, request: RunRequest, run_id: str, facts: AdmissionFacts) -> None:
        """Refuse what there is no room for before its config is compiled, which can take seconds."""
        try:
            self.run_admission.check_quota(request.tenant_id, request.config_id, run_id, facts)
        except QuotaExceeded as refusal:
            if not (request.may_wait and refusal.limit_name == CONCURRENT):
                raise

    def _ready(self, request: RunRequest, run_id: str, pipeline: Pipeline) -> ReadyRun:
        timezone, declared, given = pipeline.timezone, pipeline.parameters, request.parameters
        run_time = by_hand(declared, given, _interval(request, timezone), timezone, self.clock())
        _check_order(run_time, given)
        values = values_of(declared, run_time, timezone, given)
        parameters = bind_parameters(declared, values, run_time.date)
        selection = request.selection
        return ReadyRun(
            run_id=run_id,
            pipeline=pipeline.restricted_to(selection.of(pipeline)) if selection else pipeline,
            parameters=parameters,
            run_date=run_date_of(parameters, run_time.date),
            interval=run_time.interval,
            trigger=request.trigger,
            request_hash=request.content_hash,
            traceparent=request.traceparent,
        )


def _interval(request: RunRequest, timezone: str) -> Interval | None:
    if request.interval is None:
        return None
    bounds, violations = [], []
    for name, text in zip(("start", "end"), request.interval, strict=True):
        try:
            bounds.append(read_bound(text, timezone))
        except (ValueError, OverflowError):
            violations.append(Violation(f"/interval/{name}", "is on no calendar"))
    if not violations and bounds[1] <= bounds[0]:
        violations.append(Violation("/interval/end", "must be later than the start"))
    if not violations and request.parameters.get("date", "") not in {
        "",
        day_of(bounds[0], timezone).isoformat(),
    }:
        violations.append(
            Violation("/date", "must be left out beside an interval, or be the day on which it begins")
        )
    if violations:
        raise InvalidInput(violations, "the run's interval breaks rules")
    return Interval(start=bounds[0], end=bounds[1])


def _check_order(run_time: RunTime, given: Mapping[str, Any]) -> None:
    if run_time.interval.end <= run_time.interval.start:
        name = INTERVAL_END if INTERVAL_END in given else INTERVAL_START
        rule = "must be later than interval_start" if name == INTERVAL_END else "must be before interval_end"
        raise InvalidInput([Violation(f"/{name}", rule)], "the run's interval breaks rules")

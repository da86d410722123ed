"""Starting a run: from a request to an admitted run whose first level is on its way."""

import hashlib
import json
import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from common.claims import ClaimJobs
from common.errors import Conflict, Forbidden, NotFound
from common.pipelines.parameters import bind_parameters, run_date_of
from common.pipelines.pipeline import Pipeline
from common.runs.admission import Admission
from common.runs.level_messages import LevelMessage
from common.runs.ports import AdmissionFacts, LevelPublisher, RunStore, StoredConfig, StoredRun
from common.runs.run import Run, RunStatus, Trigger
from common.runs.tickets import Applicant, Ledger
from common.times import Clock

logger = logging.getLogger(__name__)

RUN_IDS = uuid.UUID("6f1f5f4e-3d0b-5d57-9a39-0c9d8f6d3f10")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """Somebody wants a config to run; the same `idempotency_key` means the same run."""

    tenant_id: str
    config_id: str
    trigger: Trigger
    parameters: Mapping[str, Any]
    idempotency_key: str = ""
    traceparent: str = ""

    @property
    def run_id(self) -> str:
        """The run's ID: from the idempotency key, so that repeats meet; else a new one at each call."""
        if not self.idempotency_key:
            return str(uuid.uuid4())
        return str(uuid.uuid5(RUN_IDS, f"{self.tenant_id}\n{self.idempotency_key}"))

    @property
    def content_hash(self) -> str:
        """What is asked for, to tell a repeat from another request under the same idempotency key."""
        content = json.dumps([self.config_id, self.parameters], sort_keys=True, default=str)
        return hashlib.sha256(content.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedRun:
    """The answer to a request: the run, and whether an earlier request had started it."""

    run: Run
    status: RunStatus
    is_repeat: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarter:
    """Admits runs: one query reads all it needs, one claim admits, one row and one message set it going."""

    store: RunStore
    claims: ClaimJobs
    levels: LevelPublisher
    compile: Callable[[str, StoredConfig], Pipeline]
    clock: Clock

    def start(self, request: RunRequest) -> StartedRun:
        """Start a run, or return the one that this idempotency key has started.

        Raises NotFound (no such config), InvalidInput (parameters), QuotaExceeded, Conflict (the key was used
        for another request), Forbidden (the tenant is suspended). A crash after the ticket leaves evidence
        that the sweeper settles; a crash after the row leaves a run that the sweeper continues.
        """
        run_id = request.run_id
        facts = self._read(request, run_id)
        if facts.repeated:
            return _repeat(facts.repeated, request)
        pipeline = self._compile(request, facts)
        run = self._admit(request, run_id, pipeline, facts)
        self.store.append_run(run, RunStatus.PENDING, run.started_at)
        self.levels.publish_level(LevelMessage(run=run, pipeline=pipeline, level=1))
        logger.info("run admitted", extra={"run": run.run_id, "ticket": run.ticket, "config": run.config_id})
        return StartedRun(run=run, status=RunStatus.PENDING)

    def _read(self, request: RunRequest, run_id: str) -> AdmissionFacts:
        facts = self.store.read_admission(request.tenant_id, request.config_id, run_id, self.clock())
        if facts.tenant_status != "ACTIVE":
            raise Forbidden(f"the tenant is {facts.tenant_status}: it cannot run pipelines")
        return facts

    def _compile(self, request: RunRequest, facts: AdmissionFacts) -> Pipeline:
        if facts.config is None:
            raise NotFound(f"there is no pipeline config {request.config_id!r}")
        return self.compile(request.tenant_id, facts.config)

    def _admit(self, request: RunRequest, run_id: str, pipeline: Pipeline, facts: AdmissionFacts) -> Run:
        today = self.clock().date()
        parameters = bind_parameters(pipeline.parameters, request.parameters, today)
        admission = Admission(
            applicant=Applicant(tenant_id=request.tenant_id, run_id=run_id, config_id=pipeline.config_id),
            jobs=self.claims,
            read_ledger=lambda: self._reread(request, run_id),
            clock=self.clock,
        )
        ticket = admission.admit(facts.ledger)
        return Run(
            tenant_id=request.tenant_id,
            run_id=run_id,
            config_id=pipeline.config_id,
            config_version=pipeline.version,
            ticket=ticket.number,
            started_at=ticket.admitted_at,
            run_date=run_date_of(parameters, today),
            trigger=request.trigger,
            parameters=parameters,
            levels=tuple(tuple(step.id for step in level) for level in pipeline.levels),
            request_hash=request.content_hash,
            traceparent=request.traceparent,
        )

    def _reread(self, request: RunRequest, run_id: str) -> Ledger:
        return self._read(request, run_id).ledger


def _repeat(stored: StoredRun, request: RunRequest) -> StartedRun:
    if stored.run.request_hash != request.content_hash:
        raise Conflict("this idempotency key has been used for another request")
    return StartedRun(run=stored.run, status=stored.status, is_repeat=True)

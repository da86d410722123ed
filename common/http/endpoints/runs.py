"""Endpoints of runs: start, retry and cancel one, look at one."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

from common.errors import Conflict, InvalidInput, NotConfigured, NotFound, Violation
from common.http.edge import Edge
from common.http.endpoints.budgets import NO_ROOM
from common.http.endpoints.configs import CONFIG_ID
from common.http.endpoints.links import run_links
from common.http.endpoints.quotes import quote_run
from common.http.endpoints.run_bodies import receipt_body, status_body
from common.http.endpoints.run_parameters import IDEMPOTENCY_KEY, RUN_ID, USER_ID, WAIT
from common.http.routing import Access, Answer, Call, Route
from common.http.schemas import did_you_mean, pointer, schemas
from common.http.services import PipelineServices
from common.pipelines.intervals import read_interval
from common.pipelines.parameters import NO_PARAMETER, told_as_given
from common.pipelines.selection import read_selection
from common.runs.retrying import RetryRequest
from common.runs.run import Run, RunStatus, Trigger, TriggerType
from common.runs.starting import RunRequest, StartedRun
from common.runs.statements import statements_of

DEFAULT_TRIGGER = "api_user"


def run_pipeline(call: Call[PipelineServices]) -> Answer:
    """Run a pipeline.

    Admits a run against the plan's limits and sends its first level on its way. With `"queue": true` a run
    over the concurrent limit waits for a slot, QUEUED, for up to 24 hours. `"steps": [...]` runs these alone,
    with `"upstream": true` and `"downstream": true` also what they depend on and what depends on them. A
    repeat with the same Idempotency-Key answers 200 with the run that the first request started; the values
    of secret parameters are not compared. A request that gives one is answered 503 where the operator has set
    no key ring to seal it with (CREDENTIALS_KEYRING). With `"dry_run": true` nothing is run, and 200
    tells what each step would read and cost.
    """
    request = RunRequest(
        tenant_id=call.caller.tenant_id,
        config_id=call.path["config_id"],
        trigger=_trigger(call),
        parameters=parameters_of(call.body),
        idempotency_key=call.headers.get("Idempotency-Key", ""),
        traceparent=call.trace.traceparent,
        interval=read_interval(call.body),
        selection=read_selection(call.body),
        may_wait=call.body.get("queue", False),
    )
    with told_as_given(call.body.get("parameters", {}).__contains__), _told_as_member(call.body):
        if call.body.get("dry_run", False):
            return quote_run(call, call.services.run_service.prepared(request))
        return _started(call.services.edge, call.services.run_service.start(request))


@contextmanager
def _told_as_member(body: Mapping[str, Any]) -> Iterator[None]:
    """Say which member of a request may be meant by one that no parameter of the pipeline is called."""
    own_names = schemas()["run_request"]["properties"]
    try:
        yield
    except InvalidInput as error:
        told = [
            replace(one, rule=f"{one.rule}{did_you_mean(one.pointer[1:], own_names)}")
            if one.rule.startswith(NO_PARAMETER) and one.pointer[1:] in body
            else one
            for one in error.violations
        ]
        raise InvalidInput(told, error.summary) from None


def retry_run(call: Call[PipelineServices]) -> Answer:
    """Retry a run that failed or was cancelled.

    Starts a new run of the steps that did not complete, with the same parameters and the same version of the
    config. `"version": "latest"` takes the version that holds now, `"from": "STEP"` runs that step again with
    all that depend on it. While a retry is under way, and once one has come right, a repeat answers 200 with
    it; one that failed is followed by the next, of what neither the run nor its retries have completed. With
    `"dry_run": true` nothing is run, and 200 tells what the retry would read and cost.
    """
    run_id = call.path["pipeline_logging_id"]
    request = RetryRequest(
        tenant_id=call.caller.tenant_id,
        run_id=run_id,
        trigger=_trigger(call),
        traceparent=call.trace.traceparent,
        takes_latest=call.body.get("version", "same") == "latest",
        from_step=call.body.get("from", ""),
    )
    if call.body.get("dry_run", False):
        return quote_run(call, call.services.retrier.prepared(request))
    started = call.services.retrier.retry(request)
    return _started(call.services.edge, started)


def cancel_run(call: Call[PipelineServices]) -> Answer:
    """Cancel a run.

    Takes it out of the queue, or stops its BigQuery jobs and the levels that have not begun; the run is
    CANCELLED once its worker has seen it. A repeat does no harm. A run that ends meanwhile keeps the state
    that it ended in.
    """
    found = call.services.canceller.cancel(call.caller.tenant_id, call.path["pipeline_logging_id"])
    if found.status is RunStatus.CANCELLED:
        return _run_answer(call.services.edge, found.run, found.status, 200, "the run is cancelled")
    return _run_answer(call.services.edge, found.run, found.status, 202, "the run is being cancelled")


def read_run(call: Call[PipelineServices]) -> Answer:
    """Show a run with its levels and steps.

    `?wait=20` answers once the run has ended or a step has got further, or after so many seconds: who follows
    a run asks again at once. Where too many wait already, the answer comes without a wait.
    """
    run_id, quotes = call.path["pipeline_logging_id"], call.services.quotes
    run = call.services.run_queries.status(call.caller.tenant_id, run_id, call.query.get("wait", 0))
    return Answer(body=status_body(call.services.edge, run, quotes))


def read_receipt(call: Call[PipelineServices]) -> Answer:
    """Show every job that a run made in BigQuery.

    Joined to INFORMATION_SCHEMA.JOBS by job ID, it proves that each attempt of each step ran once.
    """
    found = call.services.run_queries.receipt(call.caller.tenant_id, call.path["pipeline_logging_id"])
    return Answer(body=receipt_body(found))


def read_statements(call: Call[PipelineServices]) -> Answer:
    """Show the SQL of a run's jobs.

    It is made again from the version that ran, and held against the hash of what each job was: `is_as_run`.
    A version that breaks a rule which has come since is answered 409.
    """
    tenant_id = call.caller.tenant_id
    receipt = call.services.run_queries.receipt(tenant_id, call.path["pipeline_logging_id"])
    run = receipt.run
    try:
        pipeline = call.services.configs.compiled(tenant_id, run.config_id, run.config_version)
    except InvalidInput as error:
        raise Conflict("the version that ran breaks a rule which has come since") from error
    body = {
        "pipeline_logging_id": run.run_id,
        "config_version": run.config_version,
        "statements": [asdict(one) for one in statements_of(pipeline, receipt.attempts)],
    }
    return Answer(body=body)


def _trigger(call: Call[PipelineServices]) -> Trigger:
    by = call.body.get("trigger_by", DEFAULT_TRIGGER)
    user_id = call.headers.get("X-User-ID", "")
    return Trigger(type=TriggerType.API, by=by, api_key_id=call.caller.api_key_id, user_id=user_id)


def _started(edge: Edge, started: StartedRun) -> Answer:
    if started.is_repeat:
        return _run_answer(edge, started.run, started.status, 200, "an earlier request has started this run")
    is_queued = started.status is RunStatus.QUEUED
    message = "the run waits for a free slot" if is_queued else "the run is admitted"
    return _run_answer(edge, started.run, started.status, 202, message)


def _run_answer(edge: Edge, run: Run, run_status: RunStatus, status: int, message: str) -> Answer:
    links = run_links(edge, run.run_id, run.config_id)
    body = {
        "pipeline_logging_id": run.run_id,
        "pipeline_id": run.config_id,
        "tenant_id": run.tenant_id,
        "status": run_status.value,
        "message": message,
        "links": links,
    } | ({"retry_of": run.retry_of} if run.retry_of else {})
    return Answer(body=body, status=status, headers={"Location": links["status"]})


def parameters_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values for a pipeline's parameters: those at the top level and those under `parameters`."""
    own_names = schemas()["run_request"]["properties"]
    plain = {name: value for name, value in body.items() if name not in own_names}
    nested: dict[str, Any] = body.get("parameters", {})
    if twice := sorted(plain.keys() & nested.keys()):
        violations = [
            Violation(pointer("parameters", name), "is given at the top level too") for name in twice
        ]
        raise InvalidInput(violations, "the request body breaks rules")
    return plain | nested


RUN_ROUTES: tuple[Route[PipelineServices], ...] = (
    Route(
        method="POST",
        path="/api/v1/pipelines/run/{config_id}",
        endpoint=run_pipeline,
        access=Access.RUN,
        parameters=(CONFIG_ID, IDEMPOTENCY_KEY, USER_ID),
        request_schema="run_request",
        answers={202: "run_accepted", 200: "run_or_quote"},
        problems=(NotFound, Conflict, *NO_ROOM, NotConfigured),
        tag="Runs",
    ),
    Route(
        method="POST",
        path="/api/v1/pipelines/cancel/{pipeline_logging_id}",
        endpoint=cancel_run,
        access=Access.RUN,
        parameters=(RUN_ID,),
        answers={202: "run_accepted", 200: "run_accepted"},
        problems=(Conflict,),
        tag="Runs",
    ),
    Route(
        method="POST",
        path="/api/v1/pipelines/retry/{pipeline_logging_id}",
        endpoint=retry_run,
        access=Access.RUN,
        parameters=(RUN_ID, USER_ID),
        request_schema="retry_request",
        answers={202: "run_accepted", 200: "run_or_quote"},
        problems=(Conflict, *NO_ROOM),
        tag="Runs",
    ),
    Route(
        method="GET",
        path="/api/v1/pipelines/status/{pipeline_logging_id}",
        endpoint=read_run,
        access=Access.READ,
        parameters=(RUN_ID, WAIT),
        answers={200: "run_status"},
        tag="Runs",
    ),
    Route(
        method="GET",
        path="/api/v1/pipelines/runs/{pipeline_logging_id}/receipt",
        endpoint=read_receipt,
        access=Access.READ,
        parameters=(RUN_ID,),
        answers={200: "run_receipt"},
        tag="Runs",
    ),
    Route(
        method="GET",
        path="/api/v1/pipelines/runs/{pipeline_logging_id}/statements",
        endpoint=read_statements,
        access=Access.READ,
        parameters=(RUN_ID,),
        answers={200: "run_statements"},
        problems=(Conflict,),
        tag="Runs",
    ),
)

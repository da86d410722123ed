"""Endpoints of runs: start one, look at one, list them."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Protocol

from common.errors import Fault, InvalidInput
from common.http.calls import Answer, Call, Edge
from common.http.links import run_links
from common.http.schemas import pointer, schemas
from common.runs.reading import RunLog
from common.runs.run import Trigger, TriggerType
from common.runs.starting import RunRequest, RunStarter
from common.times import from_rfc3339

DEFAULT_TRIGGER = "api_user"


class RunServices(Protocol):
    """What the endpoints of runs need."""

    @property
    def edge(self) -> Edge:
        """The edge's own needs."""

    @property
    def starter(self) -> RunStarter:
        """Admits runs."""

    @property
    def run_log(self) -> RunLog:
        """Reads runs."""


def run_pipeline(call: Call[RunServices]) -> Answer:
    """Run a pipeline.

    Admits a run against the plan's limits and sends its first level on its way. A repeat with the same
    Idempotency-Key answers 200 with the run that the first request started.
    """
    started = call.services.starter.start(_run_request(call))
    run, edge = started.run, call.services.edge
    links = run_links(edge, run.run_id, run.config_id)
    body = {
        "pipeline_logging_id": run.run_id,
        "pipeline_id": run.config_id,
        "tenant_id": run.tenant_id,
        "status": started.status.value,
        "message": "an earlier request has started this run" if started.is_repeat else "the run is admitted",
        "links": links,
    }
    return Answer(body=body, status=200 if started.is_repeat else 202, headers={"Location": links["status"]})


def read_run(call: Call[RunServices]) -> Answer:
    """Show a run with its levels and steps."""
    row = call.services.run_log.status(call.caller.tenant_id, call.path["pipeline_logging_id"])
    levels = [{**level, "steps": [_step_body(step) for step in level["steps"]]} for level in row["levels"]]
    return Answer(
        body=_run_body(call.services.edge, row) | {"parameters": row["parameters"], "levels": levels}
    )


def list_runs(call: Call[RunServices]) -> Answer:
    """List runs, newest first, page by page.

    A page that is full has a `next_cursor`, which goes on where the page ends, whatever started meanwhile.
    """
    query = call.query
    rows, cursor = call.services.run_log.history(
        call.caller.tenant_id,
        cursor=query.get("cursor", ""),
        since=_moment(query, "from"),
        until=_moment(query, "to"),
        status=query.get("status", ""),
        config_id=query.get("pipeline_id", ""),
        page_size=query["limit"],
    )
    runs = [_run_body(call.services.edge, row) for row in rows]
    return Answer(body={"runs": runs, "next_cursor": cursor or None})


def _run_request(call: Call[RunServices]) -> RunRequest:
    return RunRequest(
        tenant_id=call.caller.tenant_id,
        config_id=call.path["config_id"],
        trigger=Trigger(
            type=TriggerType.API,
            by=call.body.get("trigger_by", DEFAULT_TRIGGER),
            api_key_id=call.caller.api_key_id,
        ),
        parameters=parameters_of(call.body),
        idempotency_key=call.headers.get("Idempotency-Key", ""),
        traceparent=call.trace.traceparent,
    )


def parameters_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values for a pipeline's parameters: those at the top level and those under `parameters`."""
    own_names = schemas()["run_request"]["properties"]
    plain = {name: value for name, value in body.items() if name not in own_names}
    nested: dict[str, Any] = body.get("parameters", {})
    if twice := sorted(plain.keys() & nested.keys()):
        faults = [Fault(pointer("parameters", name), "is given at the top level too") for name in twice]
        raise InvalidInput(faults, "the request body breaks rules")
    return plain | nested


def _moment(query: Mapping[str, Any], name: str) -> datetime | None:
    """Read a moment; a bare date is its UTC midnight."""
    text = query.get(name)
    if text is None:
        return None
    try:
        if len(text) == len("2024-01-01"):
            return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
        return from_rfc3339(text)
    except (ValueError, OverflowError) as error:
        raise InvalidInput([Fault(pointer("query", name), "is on no calendar")]) from error


def _run_body(edge: Edge, row: Mapping[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {name: row.get(name) for name in schemas()["run"]["properties"]}
    return body | {"links": run_links(edge, row["pipeline_logging_id"], row["pipeline_id"])}


def _step_body(row: Mapping[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {name: row.get(name) for name in schemas()["run_step"]["properties"]}
    return body | {"ps_type": row.get("step_type")}

"""Endpoints that list runs: their history, and who waits for a slot."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from common.errors import InvalidInput, Violation
from common.http.endpoints.configs import CONFIG_ID
from common.http.endpoints.links import CURSOR, run_links
from common.http.endpoints.run_bodies import listed_body
from common.http.routing import Access, Answer, Call, Parameter, Place, Route
from common.http.schemas import MOMENT, pointer
from common.http.services import PipelineServices
from common.runs.run import RunStatus
from common.times import from_rfc3339

HISTORY_FILTERS = (
    Parameter(
        name="status",
        place=Place.QUERY,
        description="Only runs in this state.",
        schema={"type": "string", "enum": [status.value for status in RunStatus]},
        example="COMPLETED",
    ),
    Parameter(
        name="pipeline_id",
        place=Place.QUERY,
        description="Only runs of this pipeline.",
        schema=CONFIG_ID.schema,
        example="bq_etl_test",
    ),
    Parameter(
        name="from",
        place=Place.QUERY,
        description="Only runs asked for at this time or later: RFC 3339, or a date for its UTC midnight.",
        schema={"type": "string", "pattern": MOMENT},
        example="2024-01-01",
    ),
    Parameter(
        name="to",
        place=Place.QUERY,
        description="Only runs asked for before this time: RFC 3339, or a date for its UTC midnight.",
        schema={"type": "string", "pattern": MOMENT},
        example="2024-01-18T12:00:00Z",
    ),
    Parameter(
        name="limit",
        place=Place.QUERY,
        description="The most runs on a page.",
        schema={"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
        example=20,
    ),
    CURSOR,
    Parameter(
        name="figures",
        place=Place.QUERY,
        description="Whether each run tells the rows and bytes that it has come to: that is a query more.",
        schema={"type": "boolean", "default": False},
        example=True,
    ),
)


def list_runs(call: Call[PipelineServices]) -> Answer:
    """List runs, the last asked for first, page by page.

    Runs that wait in the queue are among them, QUEUED, and so are those that left it without having begun.
    Firings of a schedule that were refused or skipped are one entry a day and reason, with `refused_firings`
    to count them. A run keeps its place: that of the moment at which it joined the queue, or else was
    admitted. A full page has a `next_cursor`, which goes on where the page ends, whatever starts or leaves
    the queue meanwhile; only a filter by `status` goes by the state of the moment.
    """
    query = call.query
    found, cursor = call.services.run_queries.history(
        call.caller.tenant_id,
        cursor=query.get("cursor", ""),
        since=_moment(query, "from"),
        until=_moment(query, "to"),
        status=query.get("status", ""),
        config_id=query.get("pipeline_id", ""),
        page_size=query["limit"],
        with_figures=query["figures"],
    )
    price = call.services.quotes.price
    runs = [listed_body(call.services.edge, run, price) for run in found]
    return Answer(body={"runs": runs, "next_cursor": cursor or None})


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
        raise InvalidInput([Violation(pointer("query", name), "is on no calendar")]) from error


def list_queue(call: Call[PipelineServices]) -> Answer:
    """List the runs that wait for a free slot.

    Whose turn is next comes first; fifty are shown at the most. A run waits where it was over the concurrent
    limit: by its schedule, in a backfill, or with `"queue": true`.
    """
    waiting = call.services.queue.waiting(call.caller.tenant_id)
    runs = [
        {
            "pipeline_logging_id": one.run_id,
            "pipeline_id": one.config_id,
            "position": position,
            "priority": one.priority,
            "trigger_type": one.trigger.type.value,
            "scheduled_time": one.due_at,
            "added_at": one.added_at,
            "expires_at": one.expires_at,
            "links": run_links(call.services.edge, one.run_id, one.config_id),
        }
        for position, one in enumerate(waiting, start=1)
    ]
    return Answer(body={"runs": runs})


RUN_LIST_ROUTES: tuple[Route[PipelineServices], ...] = (
    Route(
        method="GET",
        path="/api/v1/pipelines/history",
        endpoint=list_runs,
        access=Access.READ,
        parameters=HISTORY_FILTERS,
        answers={200: "run_history"},
        tag="Runs",
    ),
    Route(
        method="GET",
        path="/api/v1/pipelines/queue",
        endpoint=list_queue,
        access=Access.READ,
        answers={200: "queue"},
        tag="Runs",
    ),
)

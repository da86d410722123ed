"""Endpoints of backfills: run a pipeline for each interval of the past."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from common.backfills.backfills import IntervalRun
from common.backfills.intervals import IntervalStep
from common.backfills.requests import BackfillRequest, Rerun
from common.errors import Conflict, NotConfigured, NotFound, QuotaExceeded
from common.http.endpoints.configs import CONFIG_ID
from common.http.endpoints.links import backfill_links, run_links
from common.http.endpoints.usage import as_number, price_body
from common.http.routing import Access, Answer, Call, Parameter, Place, Route
from common.http.services import PipelineServices

BACKFILL_ID = Parameter(
    name="backfill_id",
    place=Place.PATH,
    description="The backfill's ID.",
    schema={"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
    example="5b8f1c0e-7a34-5d7b-9a57-1d0a5b7f3c11",
)


def start_backfill(call: Call[PipelineServices]) -> Answer:
    """Run a pipeline for each interval of a time.

    Each interval is one run, which waits in the queue. Days and months are those of the pipeline's zone, and
    so are bounds that name none. A backfill is known by time, parameters and version of the pipeline: the
    same request once more resumes it, and intervals that have completed, or are under way, stay as they are.
    `rerun` says otherwise, and counts what earlier versions ran; `ran` tells it. It is refused as a whole
    where the plan has no room for it today or this month, unless `over_days` lets it go on day after day, and
    where the estimate is above `maximum_bytes`. A dry run changes nothing.
    """
    body = call.body
    request = BackfillRequest(
        tenant_id=call.caller.tenant_id,
        config_id=call.path["config_id"],
        start=body["start"],
        end=body["end"],
        step=IntervalStep(body.get("step", IntervalStep.DAY)),
        max_parallel=body.get("max_parallel", 1),
        is_newest_first=body.get("order") == "newest_first",
        parameters=body.get("parameters", {}),
        maximum_bytes=body.get("maximum_bytes"),
        rerun=Rerun(body["rerun"]) if "rerun" in body else None,
        over_days=body.get("over_days", False),
        api_key_id=call.caller.api_key_id,
    )
    is_dry_run = body.get("dry_run", False)
    plan = call.services.backfills.start(request, is_dry_run=is_dry_run)
    links = backfill_links(call.services.edge, plan.backfill_id)
    quotes = call.services.quotes
    answer = {
        "backfill_id": plan.backfill_id,
        "pipeline_id": request.config_id,
        "dry_run": is_dry_run,
        "intervals": len(plan.intervals),
        "runs": len(plan.missing),
        "bytes_estimate": plan.estimate.bytes_processed,
        "runs_estimated": plan.estimate.asked,
        "cost_estimate": as_number(quotes.price.cost(plan.estimate.bytes_billed)),
        "price": price_body(quotes.price),
        "days": plan.days,
        "config_version": plan.config_version,
        "ran": [
            {"config_version": version, "intervals": count} for version, count in sorted(plan.ran.items())
        ],
        "links": links,
    }
    status = 200 if is_dry_run or not plan.missing else 202
    return Answer(body=answer, status=status, headers={"Location": links["backfill"]})


def read_backfill(call: Call[PipelineServices]) -> Answer:
    """Show how far a backfill has come."""
    backfill_id = call.path["backfill_id"]
    runs = call.services.backfills.progress(call.caller.tenant_id, backfill_id)
    return Answer(body=_body(call, backfill_id, runs))


def cancel_backfill(call: Call[PipelineServices]) -> Answer:
    """Cancel a backfill as a whole.

    What waits is taken out of the queue, what runs is stopped; what has ended stays. A repeat does no harm.
    The answer shows the runs as they were.
    """
    backfill_id = call.path["backfill_id"]
    runs = call.services.backfills.cancel(call.caller.tenant_id, backfill_id)
    return Answer(body=_body(call, backfill_id, runs), status=202)


def _body(call: Call[PipelineServices], backfill_id: str, runs: Sequence[IntervalRun]) -> dict[str, Any]:
    edge = call.services.edge
    return {
        "backfill_id": backfill_id,
        "pipeline_id": runs[0].config_id,
        "states": dict(Counter(run.status.value for run in runs)),
        "runs": [
            {
                "interval_start": run.interval_start,
                "config_version": run.config_version,
                "pipeline_logging_id": run.run_id,
                "status": run.status.value,
                "error_message": run.error or None,
                "links": run_links(edge, run.run_id, run.config_id),
            }
            for run in runs
        ],
        "links": backfill_links(edge, backfill_id),
    }


BACKFILL_ROUTES: tuple[Route[PipelineServices], ...] = (
    Route(
        method="POST",
        path="/api/v1/pipelines/backfill/{config_id}",
        endpoint=start_backfill,
        access=Access.RUN,
        parameters=(CONFIG_ID,),
        request_schema="backfill_request",
        answers={200: "backfill_plan", 202: "backfill_plan"},
        problems=(NotFound, QuotaExceeded, NotConfigured),
        tag="Backfills",
    ),
    Route(
        method="GET",
        path="/api/v1/pipelines/backfills/{backfill_id}",
        endpoint=read_backfill,
        access=Access.READ,
        parameters=(BACKFILL_ID,),
        answers={200: "backfill"},
        tag="Backfills",
    ),
    Route(
        method="POST",
        path="/api/v1/pipelines/backfills/{backfill_id}/cancel",
        endpoint=cancel_backfill,
        access=Access.RUN,
        parameters=(BACKFILL_ID,),
        answers={202: "backfill"},
        problems=(NotFound, Conflict),
        tag="Backfills",
    ),
)

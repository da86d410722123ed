"""Endpoints of data quality: what came of the checks of tables."""

from typing import Any

from common.http.endpoints.configs import CONFIG_ID
from common.http.endpoints.links import CURSOR, run_links
from common.http.routing import Access, Answer, Call, Parameter, Place, Route
from common.http.services import PipelineServices
from common.quality.check_queries import CheckView, PastCheck
from common.quality.verdicts import CheckStatus

FILTERS = (
    Parameter(
        name="table",
        place=Place.QUERY,
        description="Only checks of this table.",
        schema={"type": "string", "minLength": 1, "maxLength": 1024},
        example="orders",
    ),
    Parameter(
        name="check",
        place=Place.QUERY,
        description="Only the check of this name.",
        schema={"type": "string", "minLength": 1, "maxLength": 100},
        example="not_null_order_id",
    ),
    Parameter(
        name="pipeline_id",
        place=Place.QUERY,
        description="Only checks of this pipeline.",
        schema=CONFIG_ID.schema,
        example="bq_etl_test",
    ),
    Parameter(
        name="status",
        place=Place.QUERY,
        description="Only results of this kind.",
        schema={"type": "string", "enum": [status.value for status in CheckStatus]},
        example="FAILED",
    ),
    Parameter(
        name="limit",
        place=Place.QUERY,
        description="The most results on a page.",
        schema={"type": "integer", "minimum": 1, "maximum": 100, "default": 50},
        example=50,
    ),
    CURSOR,
)


def list_quality(call: Call[PipelineServices]) -> Answer:
    """List what came of checks, the latest first, page by page.

    One entry for each check and run, those that passed too, of the last 400 days. A full page has a
    `next_cursor`, which goes on where the page ends.
    """
    query = call.query
    found, cursor = call.services.quality.history(
        call.caller.tenant_id,
        table=query.get("table", ""),
        check=query.get("check", ""),
        config_id=query.get("pipeline_id", ""),
        status=query.get("status", ""),
        cursor=query.get("cursor", ""),
        page_size=query["limit"],
    )
    results = [_result_body(call, past) for past in found]
    return Answer(body={"results": results, "next_cursor": cursor or None})


def check_body(check: CheckView) -> dict[str, Any]:
    """Describe what came of a check in its run."""
    return {
        "name": check.name,
        "type": check.type,
        "status": check.status.value,
        "severity": check.severity,
        "table": check.table,
        "row_count": check.row_count,
        "failed_rows": check.failed_rows,
        "failed_percent": check.failed_percent,
        "observed": check.observed,
        "expected": check.expected,
        "duration_ms": check.duration_ms,
        "job_id": check.job_id,
        "checked_at": check.checked_at,
    }


def _result_body(call: Call[PipelineServices], past: PastCheck) -> dict[str, Any]:
    run_id = past.check.run_id
    return {
        "pipeline_logging_id": run_id,
        "pipeline_id": past.config_id,
        "step_id": past.check.step_id,
        **check_body(past.check),
        "value": past.value,
        "links": run_links(call.services.edge, run_id, past.config_id),
    }


CHECK_ROUTES: tuple[Route[PipelineServices], ...] = (
    Route(
        method="GET",
        path="/api/v1/quality",
        endpoint=list_quality,
        access=Access.READ,
        parameters=FILTERS,
        answers={200: "quality"},
        tag="Quality",
    ),
)

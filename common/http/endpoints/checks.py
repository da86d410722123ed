"""Endpoints of data quality: what came of the checks of tables."""

from collections.abc import Mapping
from typing import Any

from common.http.endpoints.configs import CONFIG_ID
from common.http.endpoints.links import CURSOR, run_links
from common.http.routing import Access, Answer, Call, Parameter, Place, Route
from common.http.schemas import schemas
from common.http.services import PipelineServices
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
_OTHERWISE = {
    "name": "check_name",
    "type": "check_type",
    "table": "target_table",
    "checked_at": "executed_at",
}
"""What the API calls otherwise than the table of results does."""


def list_quality(call: Call[PipelineServices]) -> Answer:
    """List what came of checks, the latest first, page by page.

    One entry for each check and run, those that passed too, of the last 400 days. A full page has a
    `next_cursor`, which goes on where the page ends.
    """
    query = call.query
    rows, cursor = call.services.quality.history(
        call.caller.tenant_id,
        table=query.get("table", ""),
        check=query.get("check", ""),
        config_id=query.get("pipeline_id", ""),
        status=query.get("status", ""),
        cursor=query.get("cursor", ""),
        page_size=query["limit"],
    )
    return Answer(body={"results": [_result_body(call, row) for row in rows], "next_cursor": cursor or None})


def check_body(schema: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """Describe what came of a check by the members of a schema."""
    return {name: row.get(_OTHERWISE.get(name, name)) for name in schemas()[schema]["properties"]}


def step_checks(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Describe what came of the checks of a step."""
    return [check_body("step_check", check) for check in row.get("checks", ())]


def _result_body(call: Call[PipelineServices], row: Mapping[str, Any]) -> dict[str, Any]:
    links = run_links(call.services.edge, row["pipeline_logging_id"], row["pipeline_id"])
    return check_body("check_result", row) | {"links": links}


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

"""Results of checks, as callers see them: in a history of their own, and beside their steps."""

from datetime import timedelta

import pytest

from common.quality.check_queries import CheckView, PastCheck
from common.quality.verdicts import CheckStatus
from common.runs.run import StepStatus
from common.runs.views import StepView
from tests.fakes.clock import START
from tests.unit.http.test_runs import a_view
from tests.unit.http.world import OTHER, World
from tests.unit.runs.examples import RUN_ID

TOLD = {
    "name": "not_null_id",
    "type": "not_null",
    "status": "FAILED",
    "severity": "error",
    "table": "orders",
    "row_count": 4,
    "failed_rows": 1,
    "failed_percent": 25.0,
    "observed": "1 failed row",
    "expected": "0",
    "duration_ms": 12,
    "job_id": "cvg-step-1",
    "checked_at": "2026-03-15T12:00:00.000000Z",
}


def a_result(number: int = 1) -> PastCheck:
    check = CheckView(
        run_id=RUN_ID,
        step_id="extract",
        name="not_null_id",
        type="not_null",
        status=CheckStatus.FAILED,
        severity="error",
        table="orders",
        row_count=4,
        failed_rows=1,
        failed_percent=25.0,
        observed="1 failed row",
        expected="0",
        duration_ms=12,
        job_id="cvg-step-1",
        checked_at=START,
    )
    at = START - timedelta(minutes=number)
    return PastCheck(key=f"key-{number}", config_id="daily", checked_at=at, value=1.0, check=check)


@pytest.fixture
def world() -> World:
    world = World()
    world.rows.checks = {"acme": [a_result(1), a_result(2)]}
    return world


def test_the_history_of_checks_is_the_tenants_own_page_by_page(world: World) -> None:
    body = world.ask("GET", "/api/v1/quality?limit=1").json or {}
    (result,) = body["results"]
    links = result.pop("links")
    assert links["status"].endswith(f"/api/v1/pipelines/status/{RUN_ID}")
    whose = {"pipeline_logging_id": RUN_ID, "pipeline_id": "daily", "step_id": "extract"}
    assert result == {**whose, **TOLD, "value": 1.0}
    assert world.ask("GET", f"/api/v1/quality?limit=1&cursor={body['next_cursor']}").status_code == 200
    assert (world.ask("GET", "/api/v1/quality", key=OTHER).json or {})["results"] == []


def test_a_runs_status_tells_what_came_of_the_checks_of_each_step(world: World) -> None:
    step = StepView(step_id="extract", status=StepStatus.FAILED)
    world.rows.views = [a_view(steps=[step], has_checks=True)]
    body = world.ask("GET", f"/api/v1/pipelines/status/{RUN_ID}").json or {}
    first, second = (level["steps"][0]["checks"] for level in body["levels"])
    assert (first, second) == ([TOLD, TOLD], [])

"""`quality`: what came of checks."""

import json

from tests.unit.cli.conftest import Convergence
from tests.unit.cli.test_runs import a_status, a_step
from tests.unit.client.server import ScriptedPlatform

RESULT = {
    "name": "no_small_numbers",
    "type": "expression",
    "status": "FAILED",
    "severity": "error",
    "table": "orders",
    "row_count": 3,
    "failed_rows": 2,
    "failed_percent": 66.666667,
    "observed": "2 of 3 rows (66.67 %) break the condition\x1b[2J",
    "expected": "no row",
    "duration_ms": 900,
    "job_id": "j-1",
    "checked_at": "2024-01-18T09:30:05Z",
    "pipeline_logging_id": "r-1",
    "pipeline_id": "daily",
    "step_id": "orders",
    "value": 2.0,
    "links": {},
}


def test_results_of_all_pages_are_listed_up_to_a_limit(
    convergence: Convergence, here: ScriptedPlatform
) -> None:
    here.answer(200, {"results": [RESULT, RESULT], "next_cursor": "c-1"})
    here.answer(200, {"results": [RESULT, RESULT], "next_cursor": "c-2"})
    outcome = convergence("quality", "orders", "--status", "failed", "--limit", "3")
    assert [asked.target for asked in here.asked] == [
        "/api/v1/quality?table=orders&status=FAILED&limit=3",
        "/api/v1/quality?table=orders&status=FAILED&limit=3&cursor=c-1",
    ]
    heading, *lines = outcome.out.splitlines()
    assert heading.split()[:2] == ["Checked", "(UTC)"]
    assert len(lines) == 3
    assert "2 of 3 rows (66.67 %) break the condition\\u001b[2J  no row    r-1" in lines[0]


def test_results_are_the_apis_own_members_as_json(convergence: Convergence, here: ScriptedPlatform) -> None:
    here.answer(200, {"results": [RESULT], "next_cursor": None})
    assert json.loads(convergence("quality", "--json").out) == [RESULT]


def test_a_runs_status_tells_the_checks_that_were_not_passed(
    convergence: Convergence, here: ScriptedPlatform
) -> None:
    passed = RESULT | {"name": "not_null_n", "status": "PASSED"}
    here.answer(200, a_status("FAILED", a_step("FAILED", checks=[RESULT, passed])))
    outcome = convergence("status", "r-1")
    assert "extract: check no_small_numbers  FAILED  2 of 3 rows" in outcome.out
    assert "not_null_n" not in outcome.out

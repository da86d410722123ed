"""`test`: what passed and what differed, and an exit code for scripts."""

from typing import Any

from tests.unit.cli.conftest import Convergence
from tests.unit.client.server import ScriptedPlatform

PASSED: dict[str, Any] = {
    "name": "sums up",
    "step_id": "sums",
    "has_passed": True,
    "missing": [],
    "unexpected": [],
    "error_message": None,
}
FAILED = PASSED | {
    "has_passed": False,
    "missing": [{"row": {"n": "3\x1b[2J"}, "times": 2}],
    "unexpected": [{"row": {"n": 4}, "times": 1}],
    "error_message": "no such column",
}


def answer(*tests: dict[str, Any]) -> dict[str, Any]:
    passed = all(one["has_passed"] for one in tests)
    return {"config_id": "daily", "version": 1, "has_passed": passed, "tests": list(tests)}


def test_tests_that_pass_end_well(convergence: Convergence, here: ScriptedPlatform) -> None:
    here.answer(200, answer(PASSED))
    outcome = convergence("test", "daily", "--version", "3")
    assert (here.asked[0].method, here.asked[0].target) == (
        "POST",
        "/api/v1/pipelines/configs/daily/test?version=3",
    )
    assert (outcome.code, outcome.out) == (0, "passed  sums: sums up\n1 of 1 tests have passed\n")


def test_a_test_that_fails_shows_its_rows(convergence: Convergence, here: ScriptedPlatform) -> None:
    here.answer(200, answer(PASSED, FAILED))
    outcome = convergence("test", "daily")
    assert outcome.code == 1
    assert outcome.out.splitlines() == [
        "passed  sums: sums up",
        "FAILED  sums: sums up",
        '  missing (2 times): {"n": "3\\u001b[2J"}',
        '  unexpected: {"n": 4}',
        "  no such column",
        "1 of 2 tests have passed",
    ]

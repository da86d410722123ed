import inspect

import pytest
from werkzeug.exceptions import HTTPException, ImATeapot

from common import errors
from common.errors import ConvergenceError, InvalidInput, QuotaExceeded, Violation
from common.http.responses import KINDS, kind_of, problem_of
from common.logs import MASK
from common.problems import TYPE_PREFIX
from tests.fakes.clock import START

TREE = [
    error for _, error in inspect.getmembers(errors, inspect.isclass) if issubclass(error, ConvergenceError)
]


@pytest.mark.parametrize("error", TREE)
def test_every_error_of_the_tree_has_a_kind_of_its_own_entry(error: type[ConvergenceError]) -> None:
    assert error in KINDS


def test_the_table_holds_no_error_that_is_none() -> None:
    assert {error for error in KINDS if error.__module__ == errors.__name__} == set(TREE)


def test_a_kind_has_one_name_and_one_meaning() -> None:
    kinds = set(KINDS.values())
    assert len({kind.name for kind in kinds}) == len(kinds)
    assert all(kind.type_uri == TYPE_PREFIX + kind.name for kind in kinds)


def test_what_nobody_foresaw_is_internal() -> None:
    for error in (KeyError, HTTPException, ImATeapot, RecursionError):
        assert kind_of(error).status == 500


@pytest.mark.parametrize("error", [error for error, kind in KINDS.items() if kind.status >= 500])
def test_a_5xx_says_nothing_of_its_cause(error: type[Exception]) -> None:
    if error is errors.NotConfigured:  # Its words are written for the operator, and name settings alone.
        return
    assert "tenants.x" not in problem_of(error("SELECT 1 FROM tenants.x")).detail


def test_invalid_input_lists_all_violations() -> None:
    problem = problem_of(
        InvalidInput([Violation("/a", "is required"), Violation("/b/0", "must be integer")], "two faults")
    )
    body = problem.body("/here", "request-1")
    assert body["detail"] == "two faults"
    assert body["errors"] == [
        {"pointer": "/a", "rule": "is required"},
        {"pointer": "/b/0", "rule": "must be integer"},
    ]


def test_an_exceeded_quota_tells_its_numbers_and_when_to_ask_again() -> None:
    error = QuotaExceeded(
        limit_name="daily", used=6, limit=6, resets_at=START.replace(day=16, hour=0), now=START
    )
    problem = problem_of(error)
    assert problem.headers == {"Retry-After": str(12 * 3600)}
    assert problem.members == {
        "limit_name": "daily",
        "used": 6,
        "limit": 6,
        "resets_at": "2026-03-16T00:00:00.000000Z",
    }


def test_a_key_in_an_error_does_not_reach_the_answer() -> None:
    body = problem_of(errors.NotFound("no acme_api_0123456789abcdef here")).body(
        "/acme_api_0123456789abcdef", "r"
    )
    assert "0123456789abcdef" not in str(body)
    assert MASK in body["detail"]

"""The SQL of a run: made again, and held against the hash of what ran."""

import hashlib

from common.runs.statements import statements_of
from common.runs.views import AttemptView
from tests.unit.runs.examples import a_pipeline, a_query, a_step


def an_attempt(step_id: str, statement_hash: str) -> AttemptView:
    return AttemptView(
        step_id=step_id,
        level=1,
        attempt=1,
        status="COMPLETED",
        job_id="job",
        job_name="main",
        statement_hash=statement_hash,
    )


def test_each_job_that_is_a_query_is_told_with_whether_it_is_what_ran() -> None:
    steps = [a_step(name, jobs=(a_query(name, sql=f"SELECT '{name}' AS n"),)) for name in ("a", "b", "c")]
    hashes = {"a": hashlib.sha256(b"SELECT 'a' AS n").hexdigest(), "b": "of another statement"}
    attempts = [an_attempt(step_id, told) for step_id, told in hashes.items()]
    found = statements_of(a_pipeline(tuple(steps)), attempts)
    assert [(one.step_id, one.sql, one.is_as_run) for one in found] == [
        ("a", "SELECT 'a' AS n", True),
        ("b", "SELECT 'b' AS n", False),
        ("c", "SELECT 'c' AS n", None),
    ]


def test_it_is_the_latest_attempt_that_counts() -> None:
    step = a_step("a", jobs=(a_query("a", sql="SELECT 1 AS n"),))
    attempts = [an_attempt("a", "0"), an_attempt("a", hashlib.sha256(b"SELECT 1 AS n").hexdigest())]
    [found] = statements_of(a_pipeline((step,)), attempts)
    assert found.is_as_run

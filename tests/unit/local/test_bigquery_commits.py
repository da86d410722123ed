"""Transactions go on side by side; their commits to a lake take turns, whoever writes."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

import pytest

from local.bigquery import commits

ANOTHER_MAY_ARRIVE_SECONDS = 0.2
"""How long one that should be alone waits for another, which is there at once where nothing keeps it out."""
ANOTHER_ARRIVES_SECONDS = 60.0


class Meeting:
    """Stands for DuckDB's connection, and notes which statements were under way at once."""

    def __init__(self, statement: str, seconds: float = ANOTHER_MAY_ARRIVE_SECONDS) -> None:
        self._statement = statement
        self._seconds = seconds
        self._both = threading.Barrier(2)
        self.have_met = False

    def cursor(self) -> Self:
        return self

    def execute(self, statement: str, parameters: Any = None) -> Self:
        if statement.startswith(self._statement):
            try:
                self._both.wait(self._seconds)
                self.have_met = True
            except threading.BrokenBarrierError:
                self._both.reset()
        return self

    def fetchall(self) -> list[tuple[int]]:
        return [(1,)]


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def run_twice(threads: ThreadPoolExecutor, meeting: Meeting, *statements: str) -> None:
    connection: Any = commits.Connection(meeting)  # type: ignore[arg-type]

    def run(cursor: Any) -> None:
        for statement in statements:
            cursor.execute(statement)

    for each in [threads.submit(run, connection.cursor()) for _ in range(2)]:
        each.result()


WRITES = [
    'INSERT INTO "p"."d"."t" (a) SELECT 1',
    'CREATE TABLE "p"."d"."t" (a INTEGER)',
    'CREATE OR REPLACE TABLE "p"."d"."t" AS SELECT 1 AS a',
    'CREATE SCHEMA IF NOT EXISTS "p"."d"',
    'DROP VIEW IF EXISTS "p"."d"."v"',
    'ALTER TABLE "p"."d"."t" ADD COLUMN b INTEGER',
    "UPDATE p.d.t SET a = 2",
    "\n  DELETE FROM p.d.t",
]


@pytest.mark.parametrize("statement", WRITES)
def test_statements_that_write_alone_commit_in_turns(threads: ThreadPoolExecutor, statement: str) -> None:
    meeting = Meeting("COMMIT")
    run_twice(threads, meeting, statement)
    assert not meeting.have_met


def test_transactions_commit_in_turns(threads: ThreadPoolExecutor) -> None:
    meeting = Meeting("COMMIT")
    run_twice(threads, meeting, "BEGIN", WRITES[0], "COMMIT")
    assert not meeting.have_met


@pytest.mark.parametrize("statement", WRITES)
def test_what_is_written_is_written_side_by_side(threads: ThreadPoolExecutor, statement: str) -> None:
    meeting = Meeting(statement, ANOTHER_ARRIVES_SECONDS)
    run_twice(threads, meeting, statement)
    assert meeting.have_met


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM p.d.t",
        "INSERT INTO emulator.jobs VALUES ($1, $2)",
        'CREATE TABLE "emulator"."_results"."r" AS SELECT 1',
        "CREATE OR REPLACE MACRO bq.main.f(x) AS x",
        "CREATE TEMP TABLE t (a INTEGER)",
    ],
)
def test_what_no_lake_keeps_waits_for_none(statement: str) -> None:
    assert not commits.writes_a_lake(statement)

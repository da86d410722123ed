"""Rows are written side by side; what a lake holds is made, changed and dropped by one at a time."""

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
        if self._statement and statement.startswith(self._statement):
            try:
                self._both.wait(self._seconds)
                self.have_met = True
            except threading.BrokenBarrierError:
                self._both.reset()
        return self

    def close(self) -> None:
        """Hold nothing."""

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


DEFINITIONS = [
    'CREATE TABLE "p"."d"."t" (a INTEGER)',
    'CREATE OR REPLACE TABLE "p"."d"."t" AS SELECT 1 AS a',
    'CREATE SCHEMA IF NOT EXISTS "p"."d"',
    'DROP VIEW IF EXISTS "p"."d"."v"',
    'ALTER TABLE "p"."d"."t" ADD COLUMN b INTEGER',
]
WRITES = ['INSERT INTO "p"."d"."t" (a) SELECT 1', "UPDATE p.d.t SET a = 2", "\n  DELETE FROM p.d.t"]


@pytest.mark.parametrize("statement", DEFINITIONS)
@pytest.mark.parametrize("moment", ["itself", "COMMIT"])
def test_definitions_go_on_one_at_a_time_to_their_end(
    threads: ThreadPoolExecutor, statement: str, moment: str
) -> None:
    meeting = Meeting(statement if moment == "itself" else moment)
    run_twice(threads, meeting, statement)
    assert not meeting.have_met


@pytest.mark.parametrize("statement", WRITES)
def test_rows_are_committed_in_turns(threads: ThreadPoolExecutor, statement: str) -> None:
    meeting = Meeting("COMMIT")
    run_twice(threads, meeting, statement)
    assert not meeting.have_met


def test_files_are_merged_in_turns(threads: ThreadPoolExecutor) -> None:
    meeting = Meeting("CALL ducklake_merge_adjacent_files")
    run_twice(threads, meeting, "-- Merge.\nCALL ducklake_merge_adjacent_files($project)")
    assert not meeting.have_met


def test_a_transaction_has_its_turn_until_it_is_committed(threads: ThreadPoolExecutor) -> None:
    meeting = Meeting("COMMIT")
    run_twice(threads, meeting, "BEGIN", DEFINITIONS[0], "COMMIT")
    assert not meeting.have_met


@pytest.mark.parametrize("end", ["ROLLBACK", "close"])
def test_a_transaction_that_is_given_up_ends_its_turn(end: str) -> None:
    cursor: Any = commits.Connection(Meeting("")).cursor()  # type: ignore[arg-type]
    cursor.execute("BEGIN")
    cursor.execute(DEFINITIONS[0])
    assert cursor._has_turn
    if end == "close":
        cursor.close()
    else:
        cursor.execute(end)
    assert not cursor._has_turn


def test_one_that_never_ends_keeps_the_others_out_for_a_time_alone(
    threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commits, "TURN_SECONDS", 0.01)
    meeting = Meeting(DEFINITIONS[0], ANOTHER_ARRIVES_SECONDS)
    run_twice(threads, meeting, DEFINITIONS[0])
    assert meeting.have_met


@pytest.mark.parametrize("statement", WRITES)
def test_rows_are_written_side_by_side(threads: ThreadPoolExecutor, statement: str) -> None:
    meeting = Meeting(statement.strip(), ANOTHER_ARRIVES_SECONDS)
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

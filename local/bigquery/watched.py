"""Connections of DuckDB that tell what they change: what is known of tables lasts until then."""

import re
from collections.abc import Callable
from enum import Enum, auto
from types import TracebackType
from typing import Any, Self

import duckdb

from local.bigquery.commits import START, Connection, word_of


class Change(Enum):
    """What a statement may have done to the tables of a project."""

    NOTHING = auto()
    ROWS = auto()
    TABLES = auto()
    """Made, altered or dropped a table, a view or a dataset; rows too."""
    NEW_TABLE = auto()
    """Made a table, and all that."""


READS = re.compile(rf"{START}(?:SELECT|FROM|WITH|EXPLAIN|USE|BEGIN)\b", re.IGNORECASE)
OWN = re.compile(
    rf"{START}(?:CREATE(?:\s+OR\s+REPLACE)?|DROP|INSERT(?:\s+OR\s+REPLACE)?\s+INTO|DELETE\s+FROM)"
    r'(?:\s+TABLE)?(?:\s+IF(?:\s+NOT)?\s+EXISTS)?\s+"?emulator"?\.',
    re.IGNORECASE,
)
"""Writes to the database in which `local_bigquery` keeps jobs, results and the like: no project has it."""
MAKES = re.compile(rf"{START}CREATE(?:\s+OR\s+REPLACE)?\s+TABLE\b", re.IGNORECASE)
WRITES = re.compile(rf"{START}(?:INSERT|UPDATE|DELETE|TRUNCATE)\b", re.IGNORECASE)


def change_by(statement: str) -> Change:
    """Tell what a statement may change; one that is not known may change everything."""
    if READS.match(statement) or OWN.match(statement):
        return Change.NOTHING
    if MAKES.match(statement):
        return Change.NEW_TABLE
    return Change.ROWS if WRITES.match(statement) else Change.TABLES


class WatchedConnection:
    """A connection or cursor of DuckDB that calls `changed` after each statement that may change something.

    What a transaction did is told with each of its statements, and once more when it is committed: nobody
    else sees it before.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection | Connection, changed: Callable[[Change], None]
    ) -> None:
        self._connection = connection
        self._changed = changed
        self._of_transaction = Change.NOTHING

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._connection.close()

    def cursor(self) -> "WatchedConnection":
        """Return a connection to the same database that is watched too."""
        return WatchedConnection(self._connection.cursor(), self._changed)

    def execute(self, statement: str, parameters: Any = None) -> Self:
        """Run a statement, whose rows can be fetched then."""
        word = word_of(statement)
        change = self._of_transaction if word == "COMMIT" else change_by(statement)
        try:
            self._connection.execute(statement, parameters)
        finally:
            self._note(word, change)
        return self

    def _note(self, word: str, change: Change) -> None:
        if word in ("BEGIN", "COMMIT", "ROLLBACK"):
            self._of_transaction = Change.NOTHING
        elif change.value > self._of_transaction.value:
            self._of_transaction = change
        if change is not Change.NOTHING:
            self._changed(change)

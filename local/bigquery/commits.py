"""One transaction at a time makes, changes or drops what a lake holds, and one commits.

A transaction that defines something refers to the definitions that DuckLake has loaded (`definitions`). So it
has its turn from its first definition to its end, and every commit has one. One that takes very long, such as
a query that never ends, does not keep the others out for ever.
"""

import contextlib
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, Self

import duckdb

from local.bigquery.changes import NAME, NOTHING, START, Change, change_by
from local.bigquery.definitions import Definitions
from local.bigquery.shared_definitions import Definition, SharedDefinitions, shareable
from local.bigquery.sql_files import sql

TARGET = rf"\s({NAME})\."
DEFINES = re.compile(rf"\s*(?:ALTER|COMMENT|CREATE|DROP)\b[A-Z\s]*?{TARGET}", re.IGNORECASE)
WRITES = re.compile(rf"\s*(?:DELETE|INSERT|MERGE|TRUNCATE|UPDATE)\b[A-Z\s]*?{TARGET}", re.IGNORECASE)
CHORES = re.compile(r"\s*CALL\s+ducklake_", re.IGNORECASE)
COMMENTS = re.compile(START)
TURN_SECONDS = 10.0
"""How long a transaction waits for its turn at the most."""
CONFLICT = "Failed to commit"
"""What DuckLake says where another commit was faster."""
ATTEMPTS = 50
"""How often what met conflicts is done, where others change the same table again and again."""
NOT_IN_A_LAKE = frozenset({"bq", "emulator", "memory", "temp"})

_turn = threading.RLock()
"""A thread that has its turn may write by another cursor meanwhile."""
_definitions = Definitions()
_shared = SharedDefinitions()


class Connection:
    """A connection or cursor of DuckDB that commits to lakes in turns, and calls `changed` after each change.

    What a transaction did is told with each of its statements, and once more when it is committed: nobody
    else sees it before.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, changed: Callable[[Change], None] = lambda _: None
    ) -> None:
        self._connection = connection
        self._changed = changed
        self._of_transaction = NOTHING
        self._is_in_transaction = False
        self._has_turn = False
        self._defined_lake: str | None = None
        """Whose definitions the transaction changes, as the statement names it."""
        self._told: list[Any] | None = None
        """What a statement answered that became a transaction; None where the connection has the answer."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def cursor(self) -> "Connection":
        """Open a cursor, which is a connection to the same databases."""
        return Connection(self._connection.cursor(), self._changed)

    def close(self) -> None:
        """Close the connection; what it has not committed is as if it had never been."""
        self._connection.close()
        self._end_turn()

    def execute(self, statement: str, parameters: Any = None) -> Self:
        """Run a statement, whose rows can be fetched then; one that writes a lake becomes a transaction."""
        statement = COMMENTS.sub("", statement, count=1)
        word = word_of(statement)
        change = self._of_transaction if word == "COMMIT" else change_by(statement)
        self._told = None
        try:
            self._execute(word, statement, parameters)
        finally:
            self._note(word, change)
        return self

    def _execute(self, word: str, statement: str, parameters: Any) -> None:
        if word == "COMMIT":
            self._commit()
        elif word in ("BEGIN", "ROLLBACK"):
            self._is_in_transaction = word == "BEGIN"
            try:
                self._connection.execute(statement)
            finally:
                self._end_turn()
        elif CHORES.match(statement):
            self._tidy(statement, parameters)
        elif self._is_in_transaction or not writes_a_lake(statement):
            self._run(statement, parameters)
        elif definition := shareable(statement, parameters):
            self._share(definition)
        else:
            with self._transaction():
                self._run(statement, parameters)
                self._told = self.fetchall()

    def _share(self, definition: Definition) -> None:
        """Make a table or a view, and all that others want to make by the time that it has its turn."""
        _shared.ask(definition)
        has_turn = _turn.acquire(timeout=TURN_SECONDS)
        try:
            _shared.make(definition, self._make_all)
        finally:
            if has_turn:
                _turn.release()
        self._told = definition.result()

    def _make_all(self, definitions: Sequence[Definition]) -> None:
        with self._transaction():
            for definition in definitions:
                self._run(definition.statement, definition.parameters)
                definition.rows = self.fetchall()

    def _tidy(self, statement: str, parameters: Any) -> None:
        self._take_turn()
        try:
            with _definitions.statement():
                self._told = self._connection.execute(statement, parameters).fetchall()
        finally:
            self._end_turn()

    def _note(self, word: str, change: Change) -> None:
        if word in ("BEGIN", "COMMIT", "ROLLBACK"):
            self._of_transaction = NOTHING
        else:
            self._of_transaction |= change
        if change != NOTHING:
            self._changed(change)

    def _run(self, statement: str, parameters: Any) -> None:
        lake = lake_of(DEFINES.match(statement))
        if lake is None:
            with _definitions.statement():
                self._connection.execute(statement, parameters)
            return
        self._take_turn()
        self._defined_lake = lake
        _definitions.settle()
        with _definitions.statement():
            self._told = self._connection.execute(statement, parameters).fetchall()

    def fetchone(self) -> Any:
        """Return the next row of the answer; None where there is none."""
        if self._told is None:
            return self._connection.fetchone()
        return self._told.pop(0) if self._told else None

    def fetchall(self) -> list[Any]:
        """Return all rows of the answer that are left."""
        if self._told is None:
            return self._connection.fetchall()
        rows, self._told = self._told, []
        return rows

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN")
        try:
            yield
            self._commit()
        except BaseException:
            with contextlib.suppress(duckdb.Error):  # A commit that failed has ended the transaction.
                self._connection.execute("ROLLBACK")
            self._end_turn()
            raise

    def _commit(self) -> None:
        self._is_in_transaction = False
        self._take_turn()
        try:
            if self._defined_lake is None:
                self._connection.execute("COMMIT")
            else:
                with _definitions.new_version():
                    self._connection.execute("COMMIT")
                    with contextlib.suppress(duckdb.Error):  # Committed is committed.
                        self._connection.execute(sql("load_definitions", lake=self._defined_lake))
        finally:
            self._end_turn()

    def _take_turn(self) -> None:
        if not self._has_turn:
            self._has_turn = _turn.acquire(timeout=TURN_SECONDS)

    def _end_turn(self) -> None:
        self._defined_lake = None
        if self._has_turn:
            self._has_turn = False
            _turn.release()


def word_of(statement: str) -> str:
    """Return the word that a statement begins with, in capitals."""
    return statement.strip().rstrip(";").upper().split(" ")[0]


def writes_a_lake(statement: str) -> bool:
    """Tell whether a statement writes rows or definitions that DuckLake keeps."""
    return lake_of(DEFINES.match(statement) or WRITES.match(statement)) is not None


def lake_of(target: re.Match[str] | None) -> str | None:
    """Return the lake, as it is written, that what a statement is about is in; None where it is in none."""
    return target[1] if target is not None and is_a_lake(target[1]) else None


def is_a_lake(name: str) -> bool:
    """Tell whether a database, by its name as it is written, is a project's lake."""
    return name.strip('"').casefold() not in NOT_IN_A_LAKE

"""One commit to a lake at a time: DuckLake fails some of those that meet ("Failed to get path for schema …").

What a transaction reads and writes goes on beside others; only its end waits for its turn.
"""

import contextlib
import re
import threading
from collections.abc import Iterator
from typing import Any, Self

import duckdb

WRITE = re.compile(
    r"\s*(?:ALTER|COMMENT|CREATE|DELETE|DROP|INSERT|MERGE|TRUNCATE|UPDATE)\b[A-Z\s]*?"
    r'\s("(?:[^"]|"")+"|\w+)\.',
    re.IGNORECASE,
)
NOT_IN_A_LAKE = frozenset({"bq", "emulator", "memory", "temp"})

_turn = threading.Lock()


class Connection:
    """A connection of DuckDB whose cursors commit to lakes in turns."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._is_in_transaction = False
        self._told: list[Any] | None = None
        """What a statement answered that became a transaction; None where the connection has the answer."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._connection.close()

    def cursor(self) -> "Connection":
        """Open a cursor, which is a connection to the same databases."""
        return Connection(self._connection.cursor())

    def execute(self, statement: str, parameters: Any = None) -> Self:
        """Run a statement; one that writes a lake by itself becomes a transaction."""
        word = statement.strip().rstrip(";").upper().split(" ")[0]
        self._told = None
        if word == "COMMIT":
            self._commit()
            return self
        if word in ("BEGIN", "ROLLBACK"):
            self._is_in_transaction = word == "BEGIN"
        elif not self._is_in_transaction and writes_a_lake(statement):
            with self._transaction():
                self._told = self._connection.execute(statement, parameters).fetchall()
            return self
        self._connection.execute(statement, parameters)
        return self

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
            raise

    def _commit(self) -> None:
        self._is_in_transaction = False
        with _turn:
            self._connection.execute("COMMIT")


def writes_a_lake(statement: str) -> bool:
    """Tell whether a statement writes rows or definitions that DuckLake keeps."""
    target = WRITE.match(statement)
    return target is not None and target[1].strip('"').casefold() not in NOT_IN_A_LAKE

"""What is read again and again, remembered from one request to the next.

Datasets, tables and the like as `local_bigquery` keeps them, and what DuckLake knows of tables: each look-up
is a query to DuckDB, which takes milliseconds, and each job makes several. They seldom change.
"""

import threading
from collections.abc import Callable, Hashable
from typing import Any

from local_bigquery.engine import database

Rows = list[tuple[Any, ...]]


class Memory:
    """Answers by what was asked, until something changes."""

    def __init__(self) -> None:
        self._known: dict[Hashable, Any] = {}
        self._changes = 0
        self._lock = threading.Lock()

    def answer[T](self, question: Hashable, find: Callable[[], T]) -> T:
        """Return what `find` returns, or returned when it was asked before; errors are not remembered."""
        with self._lock:
            if question in self._known:
                known: T = self._known[question]
                return known
            changes = self._changes
        found = find()
        with self._lock:
            if changes == self._changes:  # else it may be older than the change
                self._known[question] = found
        return found

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._changes += 1
            self._known.clear()


class Resources(Memory):
    """Rows of queries; all that changes them comes by way of `execute`."""

    def fetch(self, sql: str, params: list[Any] | None = None) -> Rows:
        """Return the rows of a query."""
        rows: Rows = self.answer((sql, *(params or ())), lambda: database.fetch(sql, params))
        return rows

    def execute(self, sql: str, params: list[Any] | None = None) -> None:
        """Change something, and forget what was known."""
        try:
            database.execute(sql, params)
        finally:
            self.clear()

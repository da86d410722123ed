"""Datasets, tables and the like as `local_bigquery` keeps them, remembered from one request to the next.

It reads one of them by a query to DuckDB, which takes milliseconds, and each job reads several. They seldom
change, and always by way of `execute`.
"""

import threading
from typing import Any

from local_bigquery.engine import database

Rows = list[tuple[Any, ...]]


class Resources:
    """Answers of queries, until anything changes."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, tuple[Any, ...]], Rows] = {}
        self._changes = 0
        self._lock = threading.Lock()

    def fetch(self, sql: str, params: list[Any] | None = None) -> Rows:
        """Return the rows of a query, as they were when it was asked before."""
        key = sql, tuple(params or ())
        with self._lock:
            if key in self._known:
                return self._known[key]
            changes = self._changes
        rows: Rows = database.fetch(sql, params)
        with self._lock:
            if changes == self._changes:  # else they may be older than the change
                self._known[key] = rows
        return rows

    def execute(self, sql: str, params: list[Any] | None = None) -> None:
        """Change something, and forget what was known."""
        try:
            database.execute(sql, params)
        finally:
            self.clear()

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._changes += 1
            self._known.clear()

"""What is read again and again, remembered from one request to the next.

Datasets, tables and the like as `local_bigquery` keeps them, and what DuckLake knows of tables: each look-up
is a query to DuckDB, which takes milliseconds, and each job makes several. They seldom change.
"""

import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from local_bigquery.engine import database

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question that was put to a memory, and its answer."""

    memory: "Memory"
    question: Hashable
    find: Callable[[], Any]
    answer: Any

    def is_answered_as_before(self) -> bool:
        """Put the question again."""
        answer = self.memory.answer(self.question, self.find)
        return answer is self.answer or bool(answer == self.answer)


type Record = dict[tuple[int, Hashable], Asked]

_record: ContextVar[Record | None] = ContextVar("_record", default=None)


@contextmanager
def recorded() -> Iterator[Record]:
    """Write down what this thread asks inside the block, each question once."""
    record: Record = {}
    before = _record.set(record)
    try:
        yield record
    finally:
        _record.reset(before)


class Memory:
    """Answers by what was asked, until something changes; `is_recorded` says whether questions are kept."""

    def __init__(self, *, is_recorded: bool = True) -> None:
        self._is_recorded = is_recorded
        self._known: dict[Hashable, Any] = {}
        self._changes = 0
        self._lock = threading.Lock()

    def answer[T](self, question: Hashable, find: Callable[[], T]) -> T:
        """Return what `find` returns, or returned when it was asked before; errors are not remembered."""
        answer = self._answer(question, find)
        record = _record.get()
        if record is not None and self._is_recorded:
            record[id(self), question] = Asked(memory=self, question=question, find=find, answer=answer)
        return answer

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._changes += 1
            self._known.clear()

    def _answer[T](self, question: Hashable, find: Callable[[], T]) -> T:
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

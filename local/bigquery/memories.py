"""What is read again and again, remembered from one request to the next.

Datasets, tables and the like as `local_bigquery` keeps them, and what DuckLake knows of tables: each look-up
is a query to DuckDB, which takes milliseconds, and each job makes several. They seldom change: an answer is
remembered until something of its topic does, such as a dataset.
"""

import re
import threading
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
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
    topic: Hashable
    question: Hashable
    find: Callable[[], Any]
    answer: Any

    def is_answered_as_before(self) -> bool:
        """Put the question again."""
        answer = self.memory.answer(self.topic, self.question, self.find)
        return answer is self.answer or bool(answer == self.answer)


type Record = dict[tuple[int, Hashable, Hashable], Asked]

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
    """Answers by what was asked, until something of its topic changes.

    `is_recorded` says whether questions are kept.
    """

    def __init__(self, *, is_recorded: bool = True) -> None:
        self._is_recorded = is_recorded
        self._known: dict[Hashable, dict[Hashable, Any]] = {}
        """By topic, and by question."""
        self._changes = Counter[Hashable]()
        self._clearings = 0
        self._lock = threading.Lock()

    def answer[T](self, topic: Hashable, question: Hashable, find: Callable[[], T]) -> T:
        """Return what `find` returns, or returned when it was asked before; errors are not remembered."""
        answer = self._answer(topic, question, find)
        record = _record.get()
        if record is not None and self._is_recorded:
            asked = Asked(memory=self, topic=topic, question=question, find=find, answer=answer)
            record[id(self), topic, question] = asked
        return answer

    def forget(self, topic: Hashable) -> None:
        """Forget all answers about something."""
        with self._lock:
            self._changes[topic] += 1
            self._known.pop(topic, None)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._clearings += 1
            self._known.clear()

    def _answer[T](self, topic: Hashable, question: Hashable, find: Callable[[], T]) -> T:
        with self._lock:
            about = self._known.get(topic, {})
            if question in about:
                known: T = about[question]
                return known
            before = self._clearings, self._changes[topic]
        found = find()
        with self._lock:
            if before == (self._clearings, self._changes[topic]):  # else it may be older than the change
                self._known.setdefault(topic, {})[question] = found
        return found


KIND = re.compile(r"\bemulator\.(\w+)")
"""Which of the tables of `local_bigquery` a query reads or changes."""


class Resources(Memory):
    """Rows of queries; all that changes them comes by way of `execute`. Topics are kinds in a dataset."""

    def fetch(self, sql: str, params: Sequence[Any] | None = None) -> Rows:
        """Return the rows of a query."""
        question = (sql, *(params or ()))
        rows: Rows = self.answer(_topic(sql, params), question, lambda: database.fetch(sql, params))
        return rows

    def execute(self, sql: str, params: Sequence[Any] | None = None) -> None:
        """Change something, and forget what was known of it, and of all of its kind."""
        try:
            database.execute(sql, params)
        finally:
            self.forget(_topic(sql, params))
            self.forget(_topic(sql, None))


def _topic(sql: str, params: Sequence[Any] | None) -> Hashable:
    """Return the kind that a query is about, and the dataset, which its first two parameters name."""
    kind = KIND.search(sql)
    dataset = tuple(params or ())[:2]
    return (kind[1] if kind else "", *(dataset if len(dataset) == 2 else ()))

"""What is read again and again, remembered from one request to the next.

Datasets, tables and the like as `local_bigquery` keeps them, and what DuckLake knows of tables: each look-up
is a query to DuckDB, which takes milliseconds, and each job makes several. They seldom change: an answer is
remembered until something of its topic does, such as a dataset. A topic is a path, as a dataset's and a
table's names are: what changes all of a dataset changes its tables.
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

MAX_KNOWN = 512
"""How many texts, translations and jobs are remembered; the platform has less than a hundred queries."""

Rows = list[tuple[Any, ...]]
type Topic = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question that was put to a memory, and its answer."""

    memory: "Memory"
    topic: Topic
    question: Hashable
    find: Callable[[], Any]
    answer: Any

    def is_answered_as_before(self) -> bool:
        """Put the question again."""
        answer = self.memory.answer(self.topic, self.question, self.find)
        return answer is self.answer or bool(answer == self.answer)


type Record = dict[tuple[int, Topic, Hashable], Asked]

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
        self._known: dict[Topic, dict[Hashable, Any]] = {}
        """By topic, and by question."""
        self._changes = Counter[Topic]()
        self._clearings = 0
        self._lock = threading.Lock()

    def answer[T](self, topic: Topic, question: Hashable, find: Callable[[], T]) -> T:
        """Return what `find` returns, or returned when it was asked before; errors are not remembered."""
        answer = self._answer(topic, question, find)
        record = _record.get()
        if record is not None and self._is_recorded:
            asked = Asked(memory=self, topic=topic, question=question, find=find, answer=answer)
            record[id(self), topic, question] = asked
        return answer

    def forget(self, topic: Topic) -> None:
        """Forget all answers about something, and about all that is part of it."""
        with self._lock:
            self._changes[topic] += 1
            for known in [known for known in self._known if known[: len(topic)] == topic]:
                del self._known[known]

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._clearings += 1
            self._known.clear()

    def _answer[T](self, topic: Topic, question: Hashable, find: Callable[[], T]) -> T:
        with self._lock:
            about = self._known.get(topic, {})
            if question in about:
                known: T = about[question]
                return known
            before = self._version(topic)
        found = find()
        with self._lock:
            if before == self._version(topic):  # else it may be older than a change
                self._known.setdefault(topic, {})[question] = found
        return found

    def _version(self, topic: Topic) -> tuple[int, ...]:
        paths = (topic[:length] for length in range(1, len(topic) + 1))
        return self._clearings, *(self._changes[path] for path in paths)


KIND = re.compile(r"\bemulator\.(\w+)")
"""Which of the tables of `local_bigquery` a query reads or changes."""


EVERYWHERE = "*"
"""What is asked about where no dataset is named."""


class Resources(Memory):
    """Rows of queries; all that changes them comes by way of `execute`. Topics are kinds and datasets."""

    def fetch(self, sql: str, params: Sequence[Any] | None = None) -> Rows:
        """Return the rows of a query."""
        question = (sql, *(params or ()))
        topic = _kind(sql), *(_dataset(params) or (EVERYWHERE,))
        rows: Rows = self.answer(topic, question, lambda: database.fetch(sql, params))
        return rows

    def execute(self, sql: str, params: Sequence[Any] | None = None) -> None:
        """Change something, and forget what was known of it."""
        try:
            database.execute(sql, params)
        finally:
            self.forget((_kind(sql), *_dataset(params)))
            self.forget((_kind(sql), EVERYWHERE))


def _kind(sql: str) -> str:
    """Return the kind that a query is about."""
    kind = KIND.search(sql)
    return kind[1] if kind else ""


def _dataset(params: Sequence[Any] | None) -> Topic:
    """Return the project and the dataset, which the first two parameters name; nothing where they do not."""
    dataset = tuple(params or ())[:2]
    return dataset if len(dataset) == 2 else ()


class Known[K, V]:
    """A memory of limited size; the oldest go first."""

    def __init__(self) -> None:
        self._known: dict[K, V] = {}
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        """Return what is known."""
        return self._known.get(key)

    def keep(self, key: K, value: V) -> None:
        """Remember something."""
        with self._lock:
            self._known.pop(key, None)
            self._known[key] = value
            if len(self._known) > MAX_KNOWN:
                del self._known[next(iter(self._known))]

    def forget(self, key: K) -> None:
        """Forget what is known, if anything is."""
        with self._lock:
            self._known.pop(key, None)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._known.clear()

"""Tables and views that wait for their turn to be made: whoever has it makes them all in one transaction.

DuckLake takes as long to commit twenty definitions as one, and to load them afterwards too. Each of them is
made by itself where one cannot be made.
"""

import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from local.bigquery.changes import NAME

SHAREABLE = re.compile(
    r"\s*CREATE\s+(?:OR\s+REPLACE\s+)?(?:VIEW|(?P<table>TABLE))(?:\s+IF\s+NOT\s+EXISTS)?"
    rf"\s+(?P<lake>{NAME})\.{NAME}\.{NAME}\s*(?(table)\(|(?:\(|AS\b))",
    re.IGNORECASE,
)
"""What makes a view, or a table of columns and not of a query."""


@dataclass(slots=True, eq=False)
class Definition:
    """A statement that makes a table or a view, and what became of it."""

    statement: str
    parameters: Any
    lake: str
    rows: list[Any] = field(default_factory=list)
    error: duckdb.Error | None = field(default_factory=lambda: duckdb.InterruptException("Interrupted!"))
    """Why it was not made; by then whoever was to make it may have been stopped."""
    is_over: threading.Event = field(default_factory=threading.Event)

    def result(self) -> list[Any]:
        """Return what the statement answered, or raise what it failed by."""
        if self.error:
            raise self.error
        return self.rows


def shareable(statement: str, parameters: Any) -> Definition | None:
    """Return a definition that others may make; none where its rows come from a query."""
    found = SHAREABLE.match(statement)
    return Definition(statement=statement, parameters=parameters, lake=found["lake"]) if found else None


class SharedDefinitions:
    """Those that wait, the oldest first."""

    def __init__(self) -> None:
        self._waiting: list[Definition] = []
        self._lock = threading.Lock()

    def ask(self, definition: Definition) -> None:
        """Put a definition to those that wait."""
        with self._lock:
            self._waiting.append(definition)

    def make(self, own: Definition, at_once: Callable[[Sequence[Definition]], None]) -> None:
        """Make a definition and those of its lake that wait with it, unless somebody else does or did.

        `at_once` makes several in one transaction, or none of them.
        """
        taken = self._take(own)
        try:
            if taken:
                _make(taken, at_once)
        finally:
            for definition in taken:
                definition.is_over.set()
        own.is_over.wait()

    def _take(self, own: Definition) -> list[Definition]:
        with self._lock:
            if own not in self._waiting:
                return []
            taken = [one for one in self._waiting if one.lake == own.lake]
            self._waiting = [one for one in self._waiting if one.lake != own.lake]
        return taken


def _make(taken: Sequence[Definition], at_once: Callable[[Sequence[Definition]], None]) -> None:
    try:
        at_once(taken)
    except duckdb.Error as error:
        if len(taken) == 1:
            taken[0].error = error
            return
        for definition in taken:
            _make([definition], at_once)
    else:
        for definition in taken:
            definition.error = None

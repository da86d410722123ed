"""Each version of what a lake defines is loaded once, and stays as long as a transaction refers to it.

DuckLake 1.5 loads all definitions with the first statement of a new version. Statements that load them at the
same time replace each other's, and what is replaced is freed with its statement, though a transaction that
makes a table still refers to it when it commits: it fails ("Failed to get path for schema …"), makes a table
that nobody finds, or ends the process (duckdb/ducklake#1248, mended in 2.0). So whoever commits a new version
loads it while no statement begins, and a transaction defines something only when those statements are over
that began before that: they alone may be loading it too.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

LOADING_SECONDS = 2.0
"""A statement that takes longer has found its tables long since: nobody waits for its rows."""
GATE_SECONDS = 10.0
"""How long a statement waits to begin at the most."""


class Definitions:
    """When statements begin, and when the last version of the definitions was loaded."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._under_way: dict[object, tuple[int, float]] = {}
        """The thread of each statement, and when it began."""
        self._loader: int | None = None
        """The thread that commits and loads a new version."""
        self._loaded = clock()

    @contextlib.contextmanager
    def statement(self) -> Iterator[None]:
        """Run a statement that may load definitions, once nobody else commits a new version of them."""
        thread, token = threading.get_ident(), object()
        with self._changed:
            self._changed.wait_for(lambda: self._loader in (None, thread), GATE_SECONDS)
            self._under_way[token] = (thread, self._clock())
        try:
            yield
        finally:
            with self._changed:
                del self._under_way[token]
                self._changed.notify_all()

    @contextlib.contextmanager
    def new_version(self) -> Iterator[None]:
        """Commit and load a new version, while no other thread begins a statement."""
        with self._changed:
            self._loader = threading.get_ident()
        try:
            yield
        finally:
            with self._changed:
                self._loader = None
                self._loaded = self._clock()
                self._changed.notify_all()

    def settle(self) -> None:
        """Wait until no statement of another thread can still be loading what is referred to from now on."""
        with self._changed:
            while (seconds := self._seconds_to_settle()) > 0:
                self._changed.wait(seconds)

    def _seconds_to_settle(self) -> float:
        now, thread = self._clock(), threading.get_ident()
        others = [began for by, began in self._under_way.values() if by != thread and began <= self._loaded]
        return max((began + LOADING_SECONDS - now for began in others), default=0.0)

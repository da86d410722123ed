"""Doing the same to many things at once, in an order that does not show."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from common.logs import carried

MAX_STEPS_AT_ONCE = 32


class AtOnce(Protocol):
    """Does the same to all items at once and keeps their order."""

    def __call__[T, R](self, work: Callable[[T], R], items: Sequence[T], /) -> list[R]:
        """Return what `work` makes of each item; raise what the first of them raised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InThreads:
    """Does the same to all items at once, each in a thread that has the caller's log context."""

    max_threads: int

    def __call__[T, R](self, work: Callable[[T], R], items: Sequence[T], /) -> list[R]:
        """Return what `work` makes of each item; raise what the first of them raised."""
        with ThreadPoolExecutor(max_workers=max(1, min(len(items), self.max_threads))) as pool:
            return list(pool.map(carried(work), items))


in_threads = InThreads(max_threads=MAX_STEPS_AT_ONCE)


def one_by_one[T, R](work: Callable[[T], R], items: Sequence[T], /) -> list[R]:
    """Do the same to all items, one after the other: where callers are many, or must come in one order."""
    return [work(item) for item in items]

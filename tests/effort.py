"""What reading a text takes, as a number of calls: the same on every machine, however busy it is."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any


class TooMuchEffort(BaseException):
    """More calls than were allowed; no code that is tried out takes it for an error of its own."""


@dataclass(slots=True)
class Calls:
    """How many there were."""

    number: int = 0


@contextmanager
def counted_calls() -> Iterator[Calls]:
    """Count the calls that this thread makes inside the block, C's among them."""
    calls = Calls()

    def count(_frame: FrameType, event: str, _argument: Any) -> None:
        calls.number += event in ("call", "c_call")

    with _told_to(count):
        yield calls


@contextmanager
def calls_at_most(number: int) -> Iterator[None]:
    """Break off what this thread does inside the block once it has made more calls, C's among them."""
    left = number

    def count(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal left
        left -= event in ("call", "c_call")
        if left < 0:
            raise TooMuchEffort(f"more than {number:,} calls")

    with _told_to(count):
        yield


@contextmanager
def _told_to(listener: Callable[[FrameType, str, Any], None]) -> Iterator[None]:
    before = sys.getprofile()
    sys.setprofile(listener)
    try:
        yield
    finally:
        sys.setprofile(before)

"""What reading a text takes, as a number of calls: the same on every machine, however busy it is."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class TooMuchEffort(BaseException):
    """More calls than were allowed; no code that is tried out takes it for an error of its own."""


@contextmanager
def calls_at_most(number: int) -> Iterator[None]:
    """Break off what this thread does inside the block once it has made more calls, C's among them."""
    left = number

    def count(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal left
        left -= event in ("call", "c_call")
        if left < 0:
            raise TooMuchEffort(f"more than {number:,} calls")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(before)

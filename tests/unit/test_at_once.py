"""Doing the same to many at once, in threads."""

import threading
import time

import pytest

from common.at_once import InThreads


def test_no_more_are_under_way_than_was_said_and_the_answers_keep_their_order() -> None:
    under_way, most = 0, 0
    alone = threading.Lock()

    def work(item: int) -> int:
        nonlocal under_way, most
        with alone:
            under_way += 1
            most = max(most, under_way)
        time.sleep(0.002)
        with alone:
            under_way -= 1
        return -item

    assert InThreads(max_threads=3)(work, range(30)) == [-item for item in range(30)]
    assert most <= 3


def test_what_the_first_raises_is_raised() -> None:
    def work(item: int) -> int:
        return 6 // (item - 2)

    with pytest.raises(ZeroDivisionError):
        InThreads(max_threads=3)(work, range(5))

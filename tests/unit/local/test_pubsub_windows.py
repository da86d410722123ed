"""The push window: few pushes at first, more with each acknowledgement, fewer after a failure."""

import threading
from collections.abc import Iterator
from itertools import count

import pytest
from google.cloud.pubsub_v1 import types

from local.pubsub.windows import FIRST_PUSHES, FixedWindow, SlowStart
from tests.contract.pubsub.bench import backoff
from tests.contract.pubsub.embedded import serving
from tests.contract.pubsub.receiver import PATIENCE_SECONDS, Received, Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as listening:
        yield listening


def test_the_window_begins_with_one_digit_and_doubles_with_each_round_of_answers() -> None:
    window, sizes = SlowStart(), []
    for _ in range(4):
        sizes.append(window.size)
        for _ in range(window.size):
            window.note(is_acknowledged=True)
    assert sizes == [5, 10, 20, 40]


def test_a_failure_halves_the_window_and_never_shuts_it() -> None:
    window = SlowStart()
    sizes = []
    for _ in range(4):
        window.note(is_acknowledged=False)
        sizes.append(window.size)
    assert sizes == [2, 1, 1, 1]


def test_the_window_has_a_limit_from_the_first_push_on() -> None:
    window = SlowStart(most=3)
    assert window.size == 3
    window.note(is_acknowledged=True)
    assert window.size == 3


def test_a_fixed_window_stays_as_it_is() -> None:
    window = FixedWindow(size=64)
    for is_acknowledged in (True, False):
        window.note(is_acknowledged=is_acknowledged)
    assert window.size == 64


def test_pushes_go_out_as_the_window_opens(receiver: Receiver) -> None:
    places, may_answer = count(), (threading.Event(), threading.Event())

    def answer(received: Received) -> int:
        is_first_round = next(places) < FIRST_PUSHES
        assert may_answer[0 if is_first_round else 1].wait(PATIENCE_SECONDS)
        return 204

    receiver.answer = answer
    with serving(has_slow_start=True) as (server, pubsub):
        topic = pubsub.topic()
        push_config = types.PushConfig(push_endpoint=receiver.url)
        subscription = pubsub.subscription(topic, push_config=push_config, ack_deadline_seconds=600)
        for number in range(30):
            pubsub.publish(topic, str(number).encode())
        receiver.wait_for(FIRST_PUSHES)
        assert server.counts()[subscription].leased == FIRST_PUSHES
        may_answer[0].set()
        receiver.wait_for(3 * FIRST_PUSHES)
        assert server.counts()[subscription].leased == 2 * FIRST_PUSHES
        may_answer[1].set()
        server.wait_until_idle(PATIENCE_SECONDS)
        assert server.counts()[subscription].acked == 30


def test_a_refused_push_closes_the_window(receiver: Receiver) -> None:
    refused, may_answer = threading.Event(), threading.Event()

    def answer(received: Received) -> int:
        if not refused.is_set():
            refused.set()
            return 503
        assert may_answer.wait(PATIENCE_SECONDS)
        return 204

    receiver.answer = answer
    with serving(has_slow_start=True) as (server, pubsub):
        topic = pubsub.topic()
        push_config = types.PushConfig(push_endpoint=receiver.url)
        subscription = pubsub.subscription(
            topic, push_config=push_config, ack_deadline_seconds=600, retry_policy=backoff(0.1, 0.1)
        )
        pubsub.publish(topic, b"refused")
        receiver.wait_for(2)
        for number in range(10):
            pubsub.publish(topic, str(number).encode())
        receiver.wait_for(3)
        assert server.counts()[subscription].leased == FIRST_PUSHES // 2
        may_answer.set()
        server.wait_until_idle(PATIENCE_SECONDS)

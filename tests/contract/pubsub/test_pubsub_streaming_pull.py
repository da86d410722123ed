"""The subscriber client's callbacks, which run over a streaming pull, on every Pub/Sub server."""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from google.api_core import exceptions

from tests.contract.pubsub.bench import Bench

type Message = Any
"""`google.cloud.pubsub_v1.subscriber.message.Message`, which comes without types."""


@contextmanager
def subscribed(pubsub: Bench, subscription: str, callback: Callable[[Message], None]) -> Iterator[None]:
    """Receive messages until the context ends."""
    future = pubsub.subscriber.subscribe(subscription, callback)
    yield
    future.cancel()
    future.result(timeout=10)


def test_messages_reach_the_callback_and_its_acks_the_server(pubsub: Bench) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    seen: queue.Queue[bytes] = queue.Queue()

    def callback(message: Message) -> None:
        seen.put(message.data)
        message.ack_with_response().result(timeout=10)

    with subscribed(pubsub, subscription, callback):
        for number in range(20):
            pubsub.publish(topic, str(number).encode())
        received = {seen.get(timeout=10) for _ in range(20)}
    assert received == {str(number).encode() for number in range(20)}
    assert pubsub.has_nothing(subscription)


def test_a_message_that_the_callback_rejects_comes_again(pubsub: Bench) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    seen: list[str] = []
    has_come_again = threading.Event()

    def callback(message: Message) -> None:
        seen.append(message.message_id)
        if len(seen) == 1:
            message.nack()
        else:
            message.ack()
            has_come_again.set()

    with subscribed(pubsub, subscription, callback):
        message_id = pubsub.publish(topic, b"again")
        assert has_come_again.wait(10)
    assert seen == [message_id, message_id]


def test_callbacks_of_one_ordering_key_run_in_order(pubsub: Bench) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic, enable_message_ordering=True)
    seen: queue.Queue[bytes] = queue.Queue()

    def callback(message: Message) -> None:
        seen.put(message.data)
        message.ack()

    with subscribed(pubsub, subscription, callback):
        for number in range(10):
            pubsub.publish(topic, str(number).encode(), ordering_key="one")
        assert [seen.get(timeout=10) for _ in range(10)] == [str(number).encode() for number in range(10)]


def test_a_stream_of_a_missing_subscription_ends_with_not_found(pubsub: Bench) -> None:
    future = pubsub.subscriber.subscribe(pubsub.subscription_name("missing"), lambda message: message.ack())
    with pytest.raises(exceptions.NotFound):
        future.result(timeout=10)

"""What a test of Pub/Sub works with: real clients, and topics and subscriptions of its own."""

import time
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from google.cloud import pubsub_v1
from google.cloud.pubsub_v1 import types
from google.protobuf import duration_pb2

from tests.contract.pubsub.receiver import PATIENCE_SECONDS


class Bench:
    """One test's project. Names given here are short; all others are full, as the clients want them."""

    def __init__(self, publisher: pubsub_v1.PublisherClient, subscriber: pubsub_v1.SubscriberClient) -> None:
        self.publisher = publisher
        self.subscriber = subscriber
        self.project = f"test-{uuid.uuid4().hex[:12]}"
        self._subscriptions: list[str] = []

    def topic_name(self, name: str) -> str:
        return f"projects/{self.project}/topics/{name}"

    def subscription_name(self, name: str) -> str:
        return f"projects/{self.project}/subscriptions/{name}"

    def topic(self, name: str = "orders") -> str:
        """Create a topic."""
        return str(self.publisher.create_topic(name=self.topic_name(name)).name)

    def subscription(self, topic: str, name: str = "readers", **settings: Any) -> str:
        """Create a subscription; it is deleted after the test."""
        request = {"name": self.subscription_name(name), "topic": topic, **settings}
        created = str(self.subscriber.create_subscription(request=request).name)
        self._subscriptions.append(created)
        return created

    def publish(self, topic: str, data: bytes = b"", **attributes: str) -> str:
        """Publish a message, and return its ID."""
        future = self.publisher.publish(topic, data, **attributes)
        return str(future.result(timeout=10))

    def pull(self, subscription: str, count: int = 10) -> list[types.ReceivedMessage]:
        """Pull until there is something, for five seconds at most."""
        response = self.subscriber.pull(subscription=subscription, max_messages=count, timeout=5, retry=None)
        return list(response.received_messages)

    def pull_one(self, subscription: str) -> types.ReceivedMessage:
        """Pull the one message that there is to come, however long that takes."""
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < give_up_at:
            if pulled := self.pull(subscription, 1):
                (received,) = pulled
                return received
        raise AssertionError(f"{subscription} has nothing")

    def has_nothing(self, subscription: str) -> bool:
        """Say whether a pull brings nothing; Google's emulator ends it a second before its time is up."""
        response = self.subscriber.pull(subscription=subscription, max_messages=1, timeout=1.5, retry=None)
        return not response.received_messages

    def with_something(self, subscriptions: Mapping[int, str]) -> list[int]:
        """Name the subscriptions from which such pulls, side by side, bring something."""
        with ThreadPoolExecutor(len(subscriptions)) as pool:
            nothing = dict(
                zip(subscriptions, pool.map(self.has_nothing, subscriptions.values()), strict=True)
            )
        return [name for name, has_nothing in nothing.items() if not has_nothing]

    def ack(self, subscription: str, *received: types.ReceivedMessage) -> None:
        ack_ids = [message.ack_id for message in received]
        self.subscriber.acknowledge(subscription=subscription, ack_ids=ack_ids)

    def nack(self, subscription: str, received: types.ReceivedMessage) -> None:
        self.set_deadline(subscription, received, 0)

    def set_deadline(self, subscription: str, received: types.ReceivedMessage, seconds: int) -> None:
        self.subscriber.modify_ack_deadline(
            subscription=subscription, ack_ids=[received.ack_id], ack_deadline_seconds=seconds
        )

    def close(self) -> None:
        """Leave nothing that would go on pushing."""
        for subscription in self._subscriptions:
            self.subscriber.delete_subscription(subscription=subscription)


@contextmanager
def clients(address: str) -> Iterator[tuple[pubsub_v1.PublisherClient, pubsub_v1.SubscriberClient]]:
    """Connect a publisher, which sends each message at once, and a subscriber."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PUBSUB_EMULATOR_HOST", address)
        publisher = pubsub_v1.PublisherClient(batch_settings=types.BatchSettings(max_messages=1))
        subscriber = pubsub_v1.SubscriberClient()
    with subscriber:
        yield publisher, subscriber
        publisher.stop()
        publisher.transport.close()


def backoff(minimum_seconds: float, maximum_seconds: float) -> types.RetryPolicy:
    """Write a retry policy."""
    return types.RetryPolicy(
        minimum_backoff=_duration(minimum_seconds), maximum_backoff=_duration(maximum_seconds)
    )


def _duration(seconds: float) -> duration_pb2.Duration:
    return duration_pb2.Duration(seconds=int(seconds), nanos=int(seconds % 1 * 1e9))

"""Serve `google.pubsub.v1.Publisher`, and count what clients publish."""

import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any

from local.pubsub import wire
from local.pubsub.broker import Broker
from local.pubsub.messages import check_batch
from local.rpc import Handler, unary

SERVICE = "google.pubsub.v1.Publisher"


class Publishes:
    """Requests to publish, and the messages in them, by full name of the topic, since the last reset.

    For tests that state what a run costs.
    """

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.messages: Counter[str] = Counter()
        self._alone = threading.Lock()

    def note(self, topic: str, messages: int) -> None:
        """Count one request that was taken."""
        with self._alone:
            self.requests[topic] += 1
            self.messages[topic] += messages

    def reset(self) -> None:
        """Start again from zero."""
        with self._alone:
            self.requests.clear()
            self.messages.clear()


def publisher_methods(broker: Broker, publishes: Publishes) -> Mapping[str, Handler]:
    """Bind all methods that are served."""
    service = _PublisherService(broker, publishes)
    return {
        "CreateTopic": unary(wire.Topic, service.create_topic),
        "GetTopic": unary(wire.GetTopicRequest, service.get_topic),
        "Publish": unary(wire.PublishRequest, service.publish),
    }


class _PublisherService:
    """Translate between requests and the broker."""

    def __init__(self, broker: Broker, publishes: Publishes) -> None:
        self._broker = broker
        self._publishes = publishes

    def create_topic(self, topic: Any) -> Any:
        return self._broker.create_topic(topic)

    def get_topic(self, request: Any) -> Any:
        return self._broker.topic(request.topic)

    def publish(self, request: Any) -> Any:
        contents = [wire.content_of(message) for message in request.messages]
        check_batch(len(contents), request.ByteSize())
        for content in contents:
            content.check()
        message_ids = self._broker.publish(request.topic, contents)
        self._publishes.note(request.topic, len(message_ids))
        return wire.PublishResponse(message_ids=message_ids)

"""Serve `google.pubsub.v1.Publisher`."""

from typing import Any

import grpc

from local.pubsub import wire
from local.pubsub.broker import Broker
from local.pubsub.messages import check_batch
from local.pubsub.names import is_in_project
from local.pubsub.pages import page_of
from local.pubsub.publishes import Publishes
from local.pubsub.rpc import unary

SERVICE = "google.pubsub.v1.Publisher"


def publisher_handlers(broker: Broker, publishes: Publishes) -> grpc.GenericRpcHandler:
    """Build the handlers of all methods that are served; others answer UNIMPLEMENTED."""
    service = _PublisherService(broker, publishes)
    methods = {
        "CreateTopic": unary(wire.Topic, wire.Topic, service.create_topic),
        "GetTopic": unary(wire.GetTopicRequest, wire.Topic, service.get_topic),
        "ListTopics": unary(wire.ListTopicsRequest, wire.ListTopicsResponse, service.list_topics),
        "DeleteTopic": unary(wire.DeleteTopicRequest, wire.Empty, service.delete_topic),
        "ListTopicSubscriptions": unary(
            wire.ListTopicSubscriptionsRequest,
            wire.ListTopicSubscriptionsResponse,
            service.list_subscriptions,
        ),
        "Publish": unary(wire.PublishRequest, wire.PublishResponse, service.publish),
    }
    return grpc.method_handlers_generic_handler(SERVICE, methods)


class _PublisherService:
    """Translate between requests and the broker."""

    def __init__(self, broker: Broker, publishes: Publishes) -> None:
        self._broker = broker
        self._publishes = publishes

    def create_topic(self, topic: Any) -> Any:
        return self._broker.create_topic(topic)

    def get_topic(self, request: Any) -> Any:
        return self._broker.topic(request.topic)

    def list_topics(self, request: Any) -> Any:
        names = [name for name in self._broker.topic_names() if is_in_project(name, request.project)]
        page, token = page_of(names, size=request.page_size, token=request.page_token)
        return wire.ListTopicsResponse(topics=map(self._broker.topic, page), next_page_token=token)

    def delete_topic(self, request: Any) -> Any:
        self._broker.delete_topic(request.topic)
        return wire.Empty()

    def list_subscriptions(self, request: Any) -> Any:
        self._broker.topic(request.topic)
        names = [subscription.name for subscription in self._broker.subscriptions_of(request.topic)]
        page, token = page_of(names, size=request.page_size, token=request.page_token)
        return wire.ListTopicSubscriptionsResponse(subscriptions=page, next_page_token=token)

    def publish(self, request: Any) -> Any:
        contents = [wire.content_of(message) for message in request.messages]
        check_batch(len(contents), request.ByteSize())
        for content in contents:
            content.check()
        message_ids = self._broker.publish(request.topic, contents)
        self._publishes.note(request.topic, len(message_ids))
        return wire.PublishResponse(message_ids=message_ids)

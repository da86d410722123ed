"""Serve `google.pubsub.v1.Subscriber`."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from local.pubsub import wire
from local.pubsub.broker import Broker
from local.pubsub.names import is_in_project
from local.pubsub.pages import page_of
from local.pubsub.policies import MAX_ACK_DEADLINE_SECONDS
from local.pubsub.pulls import Puller, wait_for_messages
from local.pubsub.refusals import invalid
from local.pubsub.rpc import streaming, unary, waiting
from local.pubsub.streams import serve_stream
from local.pubsub.updates import updated

SERVICE = "google.pubsub.v1.Subscriber"

MAX_PULL_SECONDS = 20.0
ANSWER_AHEAD_SECONDS = 0.25
"""How long before the caller's own deadline an empty pull is answered, so that the answer still arrives."""


def subscriber_handlers(broker: Broker, readers: ThreadPoolExecutor) -> grpc.GenericRpcHandler:
    """Build the handlers of all methods that are served; others answer UNIMPLEMENTED."""
    service = _SubscriberService(broker, readers)
    methods = {
        "CreateSubscription": unary(wire.Subscription, wire.Subscription, service.create_subscription),
        "GetSubscription": unary(wire.GetSubscriptionRequest, wire.Subscription, service.get_subscription),
        "ListSubscriptions": unary(
            wire.ListSubscriptionsRequest, wire.ListSubscriptionsResponse, service.list_subscriptions
        ),
        "UpdateSubscription": unary(
            wire.UpdateSubscriptionRequest, wire.Subscription, service.update_subscription
        ),
        "ModifyPushConfig": unary(wire.ModifyPushConfigRequest, wire.Empty, service.modify_push_config),
        "DeleteSubscription": unary(wire.DeleteSubscriptionRequest, wire.Empty, service.delete_subscription),
        "Pull": waiting(wire.PullRequest, wire.PullResponse, service.pull),
        "StreamingPull": streaming(
            wire.StreamingPullRequest, wire.StreamingPullResponse, service.streaming_pull
        ),
        "Acknowledge": unary(wire.AcknowledgeRequest, wire.Empty, service.acknowledge),
        "ModifyAckDeadline": unary(wire.ModifyAckDeadlineRequest, wire.Empty, service.modify_ack_deadline),
    }
    return grpc.method_handlers_generic_handler(SERVICE, methods)


class _SubscriberService:
    """Translate between requests and the broker."""

    def __init__(self, broker: Broker, readers: ThreadPoolExecutor) -> None:
        self._broker = broker
        self._readers = readers

    def create_subscription(self, resource: Any) -> Any:
        return self._broker.create_subscription(resource)

    def get_subscription(self, request: Any) -> Any:
        return self._broker.subscription(request.subscription).resource

    def list_subscriptions(self, request: Any) -> Any:
        found = {subscription.name: subscription.resource for subscription in self._broker.subscriptions()}
        names = [name for name in found if is_in_project(name, request.project)]
        page, token = page_of(names, size=request.page_size, token=request.page_token)
        resources = [found[name] for name in page]
        return wire.ListSubscriptionsResponse(subscriptions=resources, next_page_token=token)

    def update_subscription(self, request: Any) -> Any:
        changes, mask = request.subscription, request.update_mask
        return self._broker.update_subscription(changes.name, lambda current: updated(current, changes, mask))

    def modify_push_config(self, request: Any) -> Any:
        push_config = request.push_config
        self._broker.update_subscription(
            request.subscription, lambda current: wire.with_field(current, push_config=push_config)
        )
        return wire.Empty()

    def delete_subscription(self, request: Any) -> Any:
        self._broker.delete_subscription(request.subscription)
        return wire.Empty()

    def pull(self, request: Any, context: grpc.ServicerContext) -> Any:
        if request.max_messages <= 0:
            raise invalid(f"max_messages is at least 1, not {request.max_messages}")
        puller = Puller(
            subscription=request.subscription,
            room=lambda: int(request.max_messages),
            is_gone=lambda: not context.is_active(),
        )
        context.add_callback(self._broker.wake)
        patience_seconds = 0.0 if request.return_immediately else _patience_seconds(context)
        until = self._broker.clock.now() + patience_seconds
        deliveries = wait_for_messages(self._broker, puller, until=until)
        return wire.PullResponse(received_messages=map(wire.received_message, deliveries))

    def streaming_pull(self, requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        return serve_stream(self._broker, requests, context, self._readers)

    def acknowledge(self, request: Any) -> Any:
        _check_ack_ids(request.ack_ids)
        self._broker.acknowledge(request.subscription, request.ack_ids)
        return wire.Empty()

    def modify_ack_deadline(self, request: Any) -> Any:
        _check_ack_ids(request.ack_ids)
        if not 0 <= request.ack_deadline_seconds <= MAX_ACK_DEADLINE_SECONDS:
            raise invalid(f"ack_deadline_seconds is from 0 to 600, not {request.ack_deadline_seconds}")
        self._broker.modify_deadlines(request.subscription, request.ack_ids, request.ack_deadline_seconds)
        return wire.Empty()


def _check_ack_ids(ack_ids: Any) -> None:
    if not ack_ids:
        raise invalid("ack_ids holds at least one ack ID")


def _patience_seconds(context: grpc.ServicerContext) -> float:
    """Tell how long an empty pull waits: a while, but less than its caller does."""
    remaining_seconds = context.time_remaining()
    if remaining_seconds is None:
        return MAX_PULL_SECONDS
    return max(0.0, min(MAX_PULL_SECONDS, remaining_seconds - ANSWER_AHEAD_SECONDS))

"""Serve `google.pubsub.v1.Subscriber`."""

from collections.abc import Mapping
from typing import Any

import grpc

from local.pubsub import wire
from local.pubsub.broker import Broker
from local.pubsub.clock import earliest
from local.pubsub.policies import MAX_ACK_DEADLINE_SECONDS
from local.pubsub.subscriptions import Delivery
from local.refusals import invalid
from local.rpc import Handler, unary, waiting

SERVICE = "google.pubsub.v1.Subscriber"

MAX_PULL_SECONDS = 20.0
ANSWER_AHEAD_SECONDS = 0.25
"""How long before the caller's own deadline an empty pull is answered, so that the answer still arrives."""


def subscriber_methods(broker: Broker, pull_seconds: float = MAX_PULL_SECONDS) -> Mapping[str, Handler]:
    """Bind all methods that are served; an empty pull waits for `pull_seconds` at the most."""
    service = _SubscriberService(broker, pull_seconds)
    return {
        "CreateSubscription": unary(wire.Subscription, service.create_subscription),
        "GetSubscription": unary(wire.GetSubscriptionRequest, service.get_subscription),
        "ModifyPushConfig": unary(wire.ModifyPushConfigRequest, service.modify_push_config),
        "DeleteSubscription": unary(wire.DeleteSubscriptionRequest, service.delete_subscription),
        "Pull": waiting(wire.PullRequest, service.pull),
        "Acknowledge": unary(wire.AcknowledgeRequest, service.acknowledge),
        "ModifyAckDeadline": unary(wire.ModifyAckDeadlineRequest, service.modify_ack_deadline),
    }


class _SubscriberService:
    """Translate between requests and the broker."""

    def __init__(self, broker: Broker, pull_seconds: float) -> None:
        self._broker = broker
        self._pull_seconds = pull_seconds

    def create_subscription(self, resource: Any) -> Any:
        return self._broker.create_subscription(resource)

    def get_subscription(self, request: Any) -> Any:
        return self._broker.subscription(request.subscription).resource

    def modify_push_config(self, request: Any) -> Any:
        self._broker.set_push_config(request.subscription, request.push_config)
        return wire.Empty()

    def delete_subscription(self, request: Any) -> Any:
        self._broker.delete_subscription(request.subscription)
        return wire.Empty()

    def pull(self, request: Any, context: grpc.ServicerContext) -> Any:
        if request.max_messages <= 0:
            raise invalid(f"max_messages is at least 1, not {request.max_messages}")
        context.add_callback(self._broker.wake)
        patience_seconds = 0.0 if request.return_immediately else self._patience_seconds(context)
        until = self._broker.clock.now() + patience_seconds
        deliveries = self._wait_for_messages(request, context, until)
        return wire.PullResponse(received_messages=map(wire.received_message, deliveries))

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

    def _patience_seconds(self, context: grpc.ServicerContext) -> float:
        """Tell how long an empty pull waits: a while, but less than its caller does."""
        remaining_seconds = context.time_remaining()
        if remaining_seconds is None:
            return self._pull_seconds
        return max(0.0, min(self._pull_seconds, remaining_seconds - ANSWER_AHEAD_SECONDS))

    def _wait_for_messages(self, request: Any, context: grpc.ServicerContext, until: float) -> list[Delivery]:
        """Lease messages as soon as there are some; none when the puller left, or the time has come."""
        broker = self._broker
        with broker.changed:
            while context.is_active():
                broker.expire()
                subscription, now = broker.pullable(request.subscription), broker.clock.now()
                taken = subscription.take(request.max_messages, now)
                if taken or now >= until:
                    return taken
                broker.clock.wait(broker.changed, earliest(until, subscription.next_due_at()))
        return []


def _check_ack_ids(ack_ids: Any) -> None:
    if not ack_ids:
        raise invalid("ack_ids holds at least one ack ID")

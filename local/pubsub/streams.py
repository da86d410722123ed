"""Serve one streaming pull: messages flow out as there is room, acks and deadlines flow in."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from local.pubsub import wire
from local.pubsub.broker import Broker
from local.pubsub.pulls import Puller, wait_for_messages
from local.pubsub.refusals import Refusal, invalid
from local.pubsub.subscriptions import Delivery

MAX_OUTSTANDING = 1_000
"""How many messages a stream has out at once when its client sets no limit of its own."""


def serve_stream(
    broker: Broker, requests: Iterator[Any], context: grpc.ServicerContext, readers: ThreadPoolExecutor
) -> Iterator[Any]:
    """Yield messages until the client leaves, the subscription is gone or the server stops."""
    opening = next(requests, None)
    if opening is None:
        raise invalid("the first request of a stream names its subscription")
    stream = _Stream(broker, opening, context)
    context.add_callback(broker.wake)
    readers.submit(stream.read, requests)
    yield from stream.responses()


class _Stream:
    """One client's stream. One thread sends, another reads; the broker's lock guards what they share."""

    def __init__(self, broker: Broker, opening: Any, context: grpc.ServicerContext) -> None:
        self._broker = broker
        self._context = context
        self._name = str(opening.subscription)
        self._limit = int(opening.max_outstanding_messages) or MAX_OUTSTANDING
        self._lease_seconds = opening.stream_ack_deadline_seconds or None
        self._out: set[str] = set()
        self._is_ended = False
        self._refusal: Refusal | None = None

    def responses(self) -> Iterator[Any]:
        """Yield messages as there is room for them."""
        puller = Puller(
            subscription=self._name,
            room=self._room,
            is_gone=self._is_gone,
            lease_seconds=self._lease_seconds,
        )
        while deliveries := wait_for_messages(self._broker, puller):
            yield self._response(deliveries)
        if self._refusal:
            raise self._refusal

    def read(self, requests: Iterator[Any]) -> None:
        """Apply requests until there are none; gRPC raises an RpcError when the client cancels."""
        try:
            for request in requests:
                self._apply(request)
        except Refusal as refusal:
            self._refusal = refusal
        except grpc.RpcError:
            pass
        with self._broker.changed:
            self._is_ended = True
            self._broker.changed.notify_all()

    def _response(self, deliveries: list[Delivery]) -> Any:
        with self._broker.changed:
            self._out.update(delivery.ack_id for delivery in deliveries)
            is_ordered = self._broker.subscription(self._name).policy.is_ordered
        response = wire.StreamingPullResponse(received_messages=map(wire.received_message, deliveries))
        response.subscription_properties.message_ordering_enabled = is_ordered
        return response

    def _room(self) -> int:
        subscription = self._broker.subscription(self._name)
        self._out = {ack_id for ack_id in self._out if subscription.is_out(ack_id)}
        return self._limit - len(self._out)

    def _is_gone(self) -> bool:
        return self._is_ended or not self._context.is_active()

    def _apply(self, request: Any) -> None:
        if len(request.modify_deadline_ack_ids) != len(request.modify_deadline_seconds):
            raise invalid("modify_deadline_ack_ids and modify_deadline_seconds go in pairs")
        self._broker.acknowledge(self._name, request.ack_ids)
        deadlines = zip(request.modify_deadline_ack_ids, request.modify_deadline_seconds, strict=True)
        for ack_id, seconds in deadlines:
            self._broker.modify_deadlines(self._name, [ack_id], seconds)

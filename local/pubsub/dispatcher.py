"""Drive time: end leases, start pushes, and cut those whose lease has ended."""

import threading
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from local.pubsub.broker import Broker
from local.pubsub.clock import earliest
from local.pubsub.push import Push, push_body, push_headers
from local.pubsub.subscriptions import Delivery, Subscription
from local.pubsub.windows import PushWindow

_MAX_THREADS = 1_024
"""More than all subscriptions of a local platform push at once; threads are made as they are needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Flight:
    """A push under way."""

    subscription: str
    push: Push


class Dispatcher:
    """One thread that watches the broker, and a pool of threads that push."""

    def __init__(self, broker: Broker, *, new_window: Callable[[], PushWindow]) -> None:
        self._broker = broker
        self._windows: dict[str, PushWindow] = defaultdict(new_window)
        self._flights: dict[str, _Flight] = {}
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="pubsub-dispatcher", daemon=True)
        self._pool = ThreadPoolExecutor(max_workers=_MAX_THREADS, thread_name_prefix="pubsub-push")

    def start(self) -> None:
        """Begin to deliver."""
        self._thread.start()

    def is_idle(self) -> bool:
        """Say whether no push is under way and no push subscription holds a message."""
        return not self._flights and all(subscription.is_empty() for subscription in self._pushing())

    def stop(self, drain_seconds: float) -> None:
        """Start no push any more, leave those under way so much time, and cut the rest."""
        changed = self._broker.changed
        with changed:
            self._is_stopping = True
            changed.notify_all()
            changed.wait_for(lambda: not self._flights, drain_seconds)
            for flight in self._flights.values():
                flight.push.cut()
        if self._thread.is_alive():
            self._thread.join()
        self._pool.shutdown()

    def _run(self) -> None:
        with self._broker.changed:
            while not self._is_stopping:
                self._broker.expire()
                self._cut_ended()
                for subscription in self._pushing():
                    self._push_due(subscription)
                self._broker.clock.wait(self._broker.changed, self._next_event_at())

    def _cut_ended(self) -> None:
        """Cut pushes whose delivery is over: the ack deadline has passed, or the subscription is gone."""
        subscriptions = {subscription.name: subscription for subscription in self._broker.subscriptions()}
        for ack_id, flight in self._flights.items():
            subscription = subscriptions.get(flight.subscription)
            if subscription is None or not subscription.is_out(ack_id):
                flight.push.cut()

    def _push_due(self, subscription: Subscription) -> None:
        for delivery in subscription.take(self._room(subscription), self._broker.clock.now()):
            push = Push(
                endpoint=subscription.policy.push_endpoint,
                body=push_body(delivery, subscription=subscription.name),
                headers=push_headers(delivery, topic=subscription.resource.topic),
            )
            self._flights[delivery.ack_id] = _Flight(subscription=subscription.name, push=push)
            self._pool.submit(self._carry, subscription, delivery, push)

    def _carry(self, subscription: Subscription, delivery: Delivery, push: Push) -> None:
        is_acknowledged = False
        try:
            is_acknowledged = push.send()
        finally:
            with self._broker.changed:
                del self._flights[delivery.ack_id]
                self._resolve(subscription, delivery.ack_id, is_acknowledged)
                self._broker.changed.notify_all()

    def _resolve(self, subscription: Subscription, ack_id: str, is_acknowledged: bool) -> None:
        if subscription not in self._broker.subscriptions():
            return
        if is_acknowledged or not self._is_stopping:
            self._windows[subscription.name].note(is_acknowledged=is_acknowledged)
        if is_acknowledged:
            subscription.acknowledge([ack_id])
        elif not self._is_stopping:  # a push that we cut ourselves is no failure of the endpoint
            subscription.modify_deadlines([ack_id], 0, self._broker.clock.now())

    def _next_event_at(self) -> float | None:
        leases = [subscription.next_expiry_at() for subscription in self._broker.subscriptions()]
        pushes = [s.next_due_at() for s in self._pushing() if self._room(s) > 0]
        return earliest(*leases, *pushes)

    def _pushing(self) -> list[Subscription]:
        return [s for s in self._broker.subscriptions() if s.policy.push_endpoint]

    def _room(self, subscription: Subscription) -> int:
        flights = sum(flight.subscription == subscription.name for flight in self._flights.values())
        return self._windows[subscription.name].size - flights

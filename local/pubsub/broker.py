"""Keep the topics and subscriptions, and let threads share them: each method runs alone, under one lock."""

import threading
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any

from local.pubsub import wire
from local.pubsub.clock import Clock
from local.pubsub.disturbances import Disturbance, Disturber
from local.pubsub.journal import Journal
from local.pubsub.messages import Content, Message
from local.pubsub.names import check_subscription_name, check_topic_name
from local.pubsub.policies import check_topic, with_defaults
from local.pubsub.subscriptions import Subscription
from local.refusals import Refusal, already_exists, not_found, unavailable, unfit


class Broker:
    """All state of the server. `changed` is its lock, notified after each change that others wait for."""

    def __init__(self, *, clock: Clock, disturbance: Disturbance, journal: Journal) -> None:
        self.clock = clock
        self.changed = threading.Condition()
        self._disturbance = disturbance
        self._journal = journal
        self._topics: dict[str, Any] = {}
        self._subscriptions: dict[str, Subscription] = {}
        self._is_closed = False
        self._recover()

    # Topics

    def create_topic(self, topic: Any) -> Any:
        """Create a topic."""
        check_topic_name(topic.name)
        check_topic(topic)
        with self.changed:
            if topic.name in self._topics:
                raise already_exists(topic.name)
            self._topics[topic.name] = topic
            self._journal.saved("topic", topic.name, wire.as_record(topic))
        return topic

    def topic(self, name: str) -> Any:
        """Find a topic."""
        with self.changed:
            if name not in self._topics:
                raise not_found(name)
            return self._topics[name]

    def publish(self, topic: str, contents: Sequence[Content]) -> list[str]:
        """Give each content a message ID, and offer it to the subscriptions of a topic."""
        with self.changed:
            self.topic(topic)
            messages = [self._message(content) for content in contents]
            for subscription in self._subscriptions.values():
                if subscription.resource.topic == topic:
                    for message in messages:
                        subscription.offer(message, message.published_at)
            self.changed.notify_all()
        return [message.id for message in messages]

    # Subscriptions

    def create_subscription(self, resource: Any) -> Any:
        """Create a subscription."""
        check_subscription_name(resource.name)
        with self.changed:
            if resource.name in self._subscriptions:
                raise already_exists(resource.name)
            self.topic(resource.topic)
            subscription = self._add(with_defaults(resource))
            self._journal.saved("subscription", subscription.name, wire.as_record(subscription.resource))
        return subscription.resource

    def subscription(self, name: str) -> Subscription:
        """Find a subscription; whoever touches its messages holds `changed`."""
        with self.changed:
            if name not in self._subscriptions:
                raise not_found(name)
            return self._subscriptions[name]

    def subscriptions(self) -> list[Subscription]:
        """List all subscriptions."""
        with self.changed:
            return list(self._subscriptions.values())

    def set_push_config(self, name: str, push_config: Any) -> None:
        """Let a subscription push somewhere else, or be pulled."""
        with self.changed:
            subscription = self.subscription(name)
            subscription.configure(wire.with_push_config(subscription.resource, push_config))
            self._journal.saved("subscription", name, wire.as_record(subscription.resource))
            self.changed.notify_all()

    def delete_subscription(self, name: str) -> None:
        """Delete a subscription with all it holds."""
        with self.changed:
            self.subscription(name)
            del self._subscriptions[name]
            self._journal.deleted(name)
            self.changed.notify_all()

    # Deliveries

    def acknowledge(self, name: str, ack_ids: Iterable[str]) -> None:
        """Forget the messages of these deliveries."""
        with self.changed:
            self.subscription(name).acknowledge(ack_ids)
            self.changed.notify_all()

    def modify_deadlines(self, name: str, ack_ids: Iterable[str], seconds: float) -> None:
        """Let the leases of these deliveries end so many seconds from now; 0 gives the messages back."""
        with self.changed:
            self.subscription(name).modify_deadlines(ack_ids, seconds, self.clock.now())
            self.changed.notify_all()

    def pullable(self, name: str) -> Subscription:
        """Find a subscription that messages can be pulled from; call it with `changed` held."""
        if self._is_closed:
            raise unavailable("the server is stopping")
        subscription = self.subscription(name)
        if subscription.policy.push_endpoint:
            raise unfit(f"{name} pushes its messages: they cannot be pulled")
        return subscription

    def expire(self) -> None:
        """Give back every message whose lease has ended; call it with `changed` held."""
        now = self.clock.now()
        has_expired = [subscription.expire(now) for subscription in self._subscriptions.values()]
        if any(has_expired):
            self.changed.notify_all()

    def wake(self) -> None:
        """Let every waiting thread look again."""
        with self.changed:
            self.changed.notify_all()

    def close(self) -> None:
        """Send every waiting puller away."""
        with self.changed:
            self._is_closed = True
            self.changed.notify_all()

    def _message(self, content: Content) -> Message:
        return Message(id=str(next(self._sequences)), published_at=self.clock.now(), content=content)

    def _add(self, resource: Any) -> Subscription:
        if topic := resource.dead_letter_policy.dead_letter_topic:
            self.topic(topic)
        subscription = Subscription(
            resource,
            sequences=self._sequences,
            disturber=Disturber(self._disturbance, resource.name),
            journal=self._journal,
            publish=self.publish,
        )
        self._subscriptions[subscription.name] = subscription
        return subscription

    def _recover(self) -> None:
        """Take on what the journal kept. Sequences follow the clock, so that no message ID comes twice."""
        now = self.clock.now()
        recovered = self._journal.recover(now)
        latest = max((held.sequence for _, held in recovered.held), default=0)
        self._sequences = count(max(int(now * 1e6), latest + 1))
        for topic in recovered.topics:
            self._topics[topic["name"]] = wire.from_record(wire.Topic, topic)
        for subscription in recovered.subscriptions:
            self._recover_subscription(wire.from_record(wire.Subscription, subscription))
        for name, held in recovered.held:
            self._subscriptions[name].restore(held)

    def _recover_subscription(self, resource: Any) -> None:
        try:
            self._add(resource)
        except Refusal as refusal:  # It is of a server that served more.
            raise ValueError(f"{resource.name} in the Pub/Sub journal: {refusal}") from refusal

"""Let a puller wait for messages: one pull request, or a stream that comes again and again."""

from collections.abc import Callable
from dataclasses import dataclass

from local.pubsub.broker import Broker
from local.pubsub.clock import earliest
from local.pubsub.subscriptions import Delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class Puller:
    """Who waits for messages: how many it takes now, whether it left, how long it leases them (seconds)."""

    subscription: str
    room: Callable[[], int]
    is_gone: Callable[[], bool]
    lease_seconds: float | None = None


def wait_for_messages(broker: Broker, puller: Puller, *, until: float | None = None) -> list[Delivery]:
    """Lease messages as soon as there are some; none when the puller left, or the time `until` has come."""
    with broker.changed:
        while not puller.is_gone():
            broker.expire()
            subscription, room, now = broker.pullable(puller.subscription), puller.room(), broker.clock.now()
            taken = subscription.take(room, now, puller.lease_seconds)
            if taken or (until is not None and now >= until):
                return taken
            due_at = subscription.next_due_at() if room > 0 else None
            broker.clock.wait(broker.changed, earliest(until, due_at))
        return []

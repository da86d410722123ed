"""Move messages through one subscription: offered, delivered, acknowledged, tried again, dead-lettered."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from local.pubsub.backlogs import Backlog, Held
from local.pubsub.disturbances import Disturber
from local.pubsub.journal import Journal
from local.pubsub.messages import Content, Message
from local.pubsub.policies import policy_of

type Publish = Callable[[str, Sequence[Content]], object]
"""Publish contents to a topic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message on its way to a subscriber; `attempt` is 0 where there is no dead letter policy."""

    ack_id: str
    message: Message
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What has happened in a subscription since the server started, and (last two) what it holds now."""

    published: int = 0
    delivered: int = 0
    acked: int = 0
    nacked: int = 0
    expired: int = 0
    dead_lettered: int = 0
    held: int = 0
    leased: int = 0


class Subscription:
    """One subscription: its resource, policy and unacknowledged messages. The broker's lock guards it."""

    def __init__(
        self,
        resource: Any,
        *,
        sequences: Iterator[int],
        disturber: Disturber,
        journal: Journal,
        publish: Publish,
    ) -> None:
        self.resource = resource
        self.policy = policy_of(resource)
        self._sequences = sequences
        self._disturber = disturber
        self._journal = journal
        self._publish = publish
        self._backlog = Backlog()
        self._tally: Counter[str] = Counter()

    @property
    def name(self) -> str:
        """Return the full name."""
        return str(self.resource.name)

    def configure(self, resource: Any) -> None:
        """Take on a changed resource; messages that are out keep their leases."""
        self.policy = policy_of(resource)
        self.resource = resource

    def counts(self) -> Counts:
        """Tell what has happened so far."""
        return Counts(**self._tally, held=len(self._backlog), leased=self._backlog.leased)

    def offer(self, message: Message, now: float) -> None:
        """Take in a published message."""
        for arrival in self._disturber.arrivals(self._tally["published"]):
            due_at = now + arrival.delay_seconds
            held = Held(sequence=next(self._sequences), place=arrival.place, message=message, due_at=due_at)
            self._journal.held(self.name, held)
            self._backlog.add(held, may_be_overtaken=arrival.may_be_overtaken)
        self._tally["published"] += 1

    def restore(self, held: Held) -> None:
        """Take in a message that an earlier server held."""
        self._backlog.add(held)

    def take(self, limit: int, now: float) -> list[Delivery]:
        """Lease up to so many messages that are due, until the ack deadline."""
        lease_seconds = self.policy.ack_deadline_seconds
        taken: list[Delivery] = []
        while len(taken) < limit and (held := self._backlog.lease_next(now, lease_seconds)):
            self._journal.attempted(held)
            self._tally["delivered"] += 1
            if self._disturber.drops(held.place, held.attempts):
                self._backlog.extend(held, now + self._disturber.drop_seconds)
            else:
                taken.append(self._delivery(held))
        return taken

    def acknowledge(self, ack_ids: Iterable[str]) -> None:
        """Forget the messages of these deliveries; a delivery whose lease has ended counts no more."""
        for held in self._find(ack_ids):
            self._tally["acked"] += 1
            self._resolve(held)

    def modify_deadlines(self, ack_ids: Iterable[str], seconds: float, now: float) -> None:
        """Let leases end so many seconds from now; 0 gives the messages back at once."""
        for held in self._find(ack_ids):
            if seconds:
                self._backlog.extend(held, now + seconds)
            else:
                self._tally["nacked"] += 1
                self._give_back(held, now)

    def expire(self, now: float) -> bool:
        """Give back every message whose lease has ended, and say whether there was one."""
        before = self._tally["expired"]
        while held := self._backlog.next_expired(now):
            self._tally["expired"] += 1
            self._give_back(held, now)
        return self._tally["expired"] > before

    def is_out(self, ack_id: str) -> bool:
        """Say whether a delivery's lease still runs."""
        return self._backlog.find(ack_id) is not None

    def is_empty(self) -> bool:
        """Say whether every message is settled."""
        return len(self._backlog) == 0

    def next_due_at(self) -> float | None:
        """Tell when the next message may go out."""
        return self._backlog.next_due_at()

    def next_expiry_at(self) -> float | None:
        """Tell when the next lease ends."""
        return self._backlog.next_expiry_at()

    def _find(self, ack_ids: Iterable[str]) -> list[Held]:
        return [held for ack_id in dict.fromkeys(ack_ids) if (held := self._backlog.find(ack_id))]

    def _delivery(self, held: Held) -> Delivery:
        attempt = held.attempts if self.policy.dead_letter_topic else 0
        return Delivery(ack_id=held.ack_id, message=held.message, attempt=attempt)

    def _give_back(self, held: Held, now: float) -> None:
        if self.policy.is_exhausted(held.attempts):
            content = held.message.as_dead_letter(subscription=self.name, attempts=held.attempts)
            self._publish(self.policy.dead_letter_topic, [content])
            self._tally["dead_lettered"] += 1
            self._resolve(held)
        else:
            self._backlog.postpone(held, now + self.policy.backoff_seconds(held.attempts))

    def _resolve(self, held: Held) -> None:
        self._backlog.remove(held)
        self._journal.result(held)

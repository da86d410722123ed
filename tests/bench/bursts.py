"""Many long levels at once, in virtual time: how soon the last begins, by how early levels are given over.

The push window is the local Pub/Sub's; how many calls the instances take at once is what Terraform deploys. A
push that finds no instance free is refused, as Cloud Run does, and comes again after the subscription's
backoff. Jobs go on in BigQuery while nobody looks: a level ends with the first call that finds its time over.
"""

import heapq
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from common.settings import Settings
from local.instances import DEPLOYED
from local.pubsub.windows import SlowStart

LEVELS = 2_000
LEVEL_MINUTES = 30
SECONDS_BESIDE_WAITING = 2.0
"""What a call takes to find its jobs and to hand over."""
BACKOFF_SECONDS = (10.0, 600.0)
MAX_DELIVERIES = 10
PROMISED_SECONDS = 300
"""The last of them begins within five minutes: docs/exactly-once.md says so."""
COMPARED_SECONDS = (480.0, 60.0)
"""Longer calls, for comparison."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """What became of a burst with calls of one length."""

    call_seconds: float
    last_begun_seconds: float
    most_deliveries: int
    handovers_per_level: float

    @property
    def is_kept(self) -> bool:
        """Tell whether the promise is kept, and no message was given up."""
        return self.last_begun_seconds <= PROMISED_SECONDS and self.most_deliveries < MAX_DELIVERIES


def bursts() -> Iterator[Burst]:
    """Carry out the same burst by calls as long as they are by default, and by longer ones."""
    for call_seconds in (default_seconds(), *COMPARED_SECONDS):
        yield burst(call_seconds)


def burst(call_seconds: float) -> Burst:
    """Carry out a burst by calls that give their level over after so long."""
    return _Subscription(call_seconds=call_seconds).carry_out()


def default_seconds() -> float:
    """Return how long a call works on a level where nobody says otherwise."""
    return Settings.from_environment({"GCP_PROJECT_ID": "bench"}).level_budget.total_seconds()


@dataclass(order=True, slots=True)
class _Event:
    """A message that is due at a moment, or the end of the call that it has begun."""

    at: float
    order: int
    level: int = field(compare=False)
    deliveries: int = field(compare=False, default=0)


@dataclass(slots=True, kw_only=True)
class _Subscription:
    """The levels' push subscription, and the instances behind it."""

    call_seconds: float
    levels: int = LEVELS
    window: SlowStart = field(default_factory=SlowStart)
    begun: dict[int, float] = field(default_factory=dict)
    handovers: int = 0
    most_deliveries: int = 0
    orders: int = 0
    busy: int = 0
    due: list[_Event] = field(default_factory=list)
    ends: list[_Event] = field(default_factory=list)

    def carry_out(self) -> Burst:
        """Publish all levels at once, and go from event to event until all have ended."""
        for level in range(self.levels):
            self._publish(level, 0.0)
        now = 0.0
        while self.due or self.ends:
            self._push(now)
            now = min(events[0].at for events in (self.ends, self._waiting(now)) if events)
            while self.ends and self.ends[0].at <= now:
                self._answer(heapq.heappop(self.ends))
        return Burst(
            call_seconds=self.call_seconds,
            last_begun_seconds=max(self.begun.values()),
            most_deliveries=self.most_deliveries,
            handovers_per_level=self.handovers / self.levels,
        )

    def _waiting(self, now: float) -> list[_Event]:
        """Return what is due later; what is due now waits for the window, which answers open."""
        return self.due if self.due and self.due[0].at > now else []

    def _push(self, now: float) -> None:
        while self.due and self.due[0].at <= now and self.busy < self.window.size:
            event = heapq.heappop(self.due)
            event.deliveries += 1
            self.most_deliveries = max(self.most_deliveries, event.deliveries)
            if self.busy >= _capacity():
                self._refuse(event, now)
            else:
                self._begin(event, now)

    def _begin(self, event: _Event, now: float) -> None:
        begun = self.begun.setdefault(event.level, now)
        left = max(0.0, begun + LEVEL_MINUTES * 60 - now)
        self.busy += 1
        self.orders += 1
        took = min(left, self.call_seconds) + SECONDS_BESIDE_WAITING
        heapq.heappush(self.ends, _Event(now + took, self.orders, event.level))

    def _refuse(self, event: _Event, now: float) -> None:
        self.window.note(is_acknowledged=False)
        least, longest = BACKOFF_SECONDS
        event.at = now + min(longest, least * 2 ** (event.deliveries - 1))
        heapq.heappush(self.due, event)

    def _answer(self, event: _Event) -> None:
        self.busy -= 1
        self.window.note(is_acknowledged=True)
        if event.at < self.begun[event.level] + LEVEL_MINUTES * 60:
            self.handovers += 1
            self._publish(event.level, event.at)

    def _publish(self, level: int, now: float) -> None:
        self.orders += 1
        heapq.heappush(self.due, _Event(now, self.orders, level))


def _capacity() -> int:
    deployed: Mapping[str, int] = json.loads(DEPLOYED.read_text(encoding="utf-8"))["run_level"]
    return deployed["max_instances"] * deployed["concurrency"]

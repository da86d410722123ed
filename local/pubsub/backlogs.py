"""Hold the unacknowledged messages of one subscription: which may go out, which are out, and until when.

A held message is in one of two states:

    waiting   may go out once its time has come (in the heap `_waiting`)
    leased    is out with a subscriber until its lease ends (in the heap `_leases`)

Heap entries are never searched for: one that no longer tells the message's state is dropped when it comes up.
"""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from local.pubsub.messages import Message
from local.refusals import invalid


@dataclass(slots=True, kw_only=True, eq=False)
class Held:
    """One copy of a message in one subscription; times in seconds since 1970."""

    sequence: int
    place: str
    message: Message
    due_at: float
    attempts: int = 0
    leased_until: float | None = None

    @property
    def ack_id(self) -> str:
        """Name the present delivery: the next one has another name, so that a late ack cannot end it."""
        return f"{self.sequence}-{self.attempts}"


class Backlog:
    """The messages of one subscription that nobody has acknowledged."""

    def __init__(self) -> None:
        self._held: dict[int, Held] = {}
        self._waiting: list[tuple[float, int]] = []
        self._leases: list[tuple[float, int]] = []
        self._overtakable: list[Held] = []

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[Held]:
        return iter(self._held.values())

    @property
    def leased(self) -> int:
        """Count the messages that are out with a subscriber."""
        return sum(held.leased_until is not None for held in self)

    def add(self, held: Held, *, may_be_overtaken: bool = False) -> None:
        """Take in a message; one that may be overtaken goes out early behind a later one."""
        self._held[held.sequence] = held
        if may_be_overtaken:
            self._overtakable.append(held)
        self.postpone(held, held.due_at)

    def lease_next(self, now: float, lease_seconds: float) -> Held | None:
        """Lease the message that has been due longest, and count the attempt; None when nothing is due."""
        _drop_stale(self._waiting, self._is_waiting)
        if not self._waiting or self._waiting[0][0] > now:
            return None
        held = self._held[heapq.heappop(self._waiting)[1]]
        held.attempts += 1
        self.extend(held, now + lease_seconds)
        self._release_overtaken(held, now)
        return held

    def find(self, ack_id: str) -> Held | None:
        """Find the message of a delivery; None when it is gone, or its lease has ended."""
        sequence, _, attempt = ack_id.partition("-")
        if not (sequence.isdecimal() and attempt.isdecimal()):
            raise invalid(f"{ack_id!r} is not an ack ID of this server")
        held = self._held.get(int(sequence))
        is_current = held is not None and held.leased_until is not None and held.ack_id == ack_id
        return held if is_current else None

    def extend(self, held: Held, until: float) -> None:
        """Let a lease end at another time."""
        held.leased_until = until
        heapq.heappush(self._leases, (until, held.sequence))

    def postpone(self, held: Held, due_at: float) -> None:
        """Take a message back, and let it go out again once its time has come."""
        held.leased_until, held.due_at = None, due_at
        heapq.heappush(self._waiting, (due_at, held.sequence))

    def remove(self, held: Held) -> None:
        """Forget a message."""
        del self._held[held.sequence]

    def next_expired(self, now: float) -> Held | None:
        """Return a message whose lease has ended; None when there is none."""
        _drop_stale(self._leases, self._is_leased)
        if not self._leases or self._leases[0][0] > now:
            return None
        return self._held[heapq.heappop(self._leases)[1]]

    def next_due_at(self) -> float | None:
        """Tell when the next message may go out."""
        _drop_stale(self._waiting, self._is_waiting)
        return self._waiting[0][0] if self._waiting else None

    def next_expiry_at(self) -> float | None:
        """Tell when the next lease ends."""
        _drop_stale(self._leases, self._is_leased)
        return self._leases[0][0] if self._leases else None

    def _release_overtaken(self, overtaker: Held, now: float) -> None:
        """Send those that let a later message pass on their way, now that one has passed."""
        overtaken, self._overtakable = self._overtakable, []
        for held in overtaken:
            if held is not overtaker and held.due_at > now and self._is_waiting((held.due_at, held.sequence)):
                self.postpone(held, now)

    def _is_waiting(self, entry: tuple[float, int]) -> bool:
        held = self._held.get(entry[1])
        return held is not None and held.leased_until is None and held.due_at == entry[0]

    def _is_leased(self, entry: tuple[float, int]) -> bool:
        held = self._held.get(entry[1])
        return held is not None and held.leased_until == entry[0]


def _drop_stale(heap: list[tuple[float, int]], is_current: Callable[[tuple[float, int]], bool]) -> None:
    while heap and not is_current(heap[0]):
        heapq.heappop(heap)

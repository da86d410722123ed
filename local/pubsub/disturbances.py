"""Make delivery as bad as Pub/Sub is allowed to be, in a way that one seed repeats.

Each decision is drawn from a `random.Random` of its own, made from the seed, the subscription and the place
of the message in it. So a seed troubles the same messages in the same way, whatever the threads do meanwhile.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturbance:
    """How often (probabilities from 0 to 1) and for how long delivery goes wrong; the default is never.

    duplicate  a message is delivered a second time, by itself, whether the first is acknowledged or not
    delay      a message comes up to `delay_seconds` late
    reorder    a message waits until a later one has gone out, at most `reorder_seconds`
    drop       an attempt reaches nobody; `drop_seconds` later it counts as a missed ack deadline
    """

    seed: int = 0
    duplicate: float = 0.0
    delay: float = 0.0
    reorder: float = 0.0
    drop: float = 0.0
    delay_seconds: float = 1.0
    reorder_seconds: float = 0.2
    drop_seconds: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One copy of a message on its way: its place, how late it comes, whether others may overtake it."""

    place: str
    delay_seconds: float = 0.0
    may_be_overtaken: bool = False


class Disturber:
    """Decide what goes wrong in one subscription."""

    def __init__(self, disturbance: Disturbance, subscription: str) -> None:
        self._disturbance = disturbance
        self._subscription = subscription

    def arrivals(self, number: int) -> Iterator[Arrival]:
        """Yield the copies in which the message with a number (0, 1, 2 …) in the subscription arrives."""
        dice = self._dice("arrival", number)
        copies = 2 if dice.random() < self._disturbance.duplicate else 1
        for copy in range(copies):
            yield self._arrival(dice, f"{number}/{copy}")

    def drops(self, place: str, attempt: int) -> bool:
        """Say whether an attempt to deliver the copy at a place is lost."""
        return self._dice("attempt", place, attempt).random() < self._disturbance.drop

    @property
    def drop_seconds(self) -> float:
        """Tell after what time a lost message comes again."""
        return self._disturbance.drop_seconds

    def _arrival(self, dice: Random, place: str) -> Arrival:
        disturbance = self._disturbance
        is_late, is_overtaken = dice.random() < disturbance.delay, dice.random() < disturbance.reorder
        late_seconds = dice.uniform(0, disturbance.delay_seconds) if is_late else 0.0
        rest_seconds = disturbance.reorder_seconds if is_overtaken else 0.0
        return Arrival(place=place, delay_seconds=late_seconds + rest_seconds, may_be_overtaken=is_overtaken)

    def _dice(self, *parts: object) -> Random:
        place = "/".join(map(str, (self._disturbance.seed, self._subscription, *parts)))
        return Random(place)  # noqa: S311 (repeatable is what it has to be)

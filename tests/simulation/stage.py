"""A stage on which actors take turns: one acts at a time, and the seed decides which one goes on.

Actors are greenlets. An actor gives up its turn wherever a port is touched (`at`) and wherever it sleeps;
time passes only when all actors sleep. So a seed is one exact interleaving, and replays it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from random import Random

from greenlet import getcurrent, greenlet

from common.errors import Unavailable


class Killed(BaseException):
    """The actor's process dies here; no code may catch it."""


@dataclass(slots=True, kw_only=True)
class Odds:
    """How likely each trouble is at each point."""

    kill: float = 0.0
    unavailable: float = 0.0


@dataclass(slots=True, kw_only=True)
class Actor:
    """One process: an HTTP request, the delivery of a message, a minute of the dispatcher."""

    name: str
    greenlet: greenlet
    odds: Odds
    wakes_at: datetime
    children: list["Actor"] = field(default_factory=list)
    parent: "Actor | None" = None
    death: BaseException | None = None
    is_doomed: bool = False


class Stage:
    """Runs actors to their ends."""

    def __init__(self, random: Random, now: datetime) -> None:
        self.random = random
        self.now = now
        self.trace: list[str] = []
        self._actors: dict[greenlet, Actor] = {}
        self._sleeping: list[tuple[datetime, int, Actor]] = []
        self._ready: list[Actor] = []
        self._entered = 0
        self._main = getcurrent()

    def clock(self) -> datetime:
        """Return the virtual time."""
        return self.now

    def enter(
        self, name: str, work: Callable[[], None], *, odds: Odds, delay: timedelta = timedelta()
    ) -> Actor:
        """Let an actor begin after a delay."""
        actor = Actor(name=name, greenlet=greenlet(work, self._main), odds=odds, wakes_at=self.now + delay)
        self._actors[actor.greenlet] = actor
        self._wait(actor)
        return actor

    def run(self, until: datetime) -> None:
        """Let the actors act until all have ended, or time is up."""
        while self._actors and self.now <= until:
            while self._sleeping and (self._sleeping[0][0] <= self.now or not self._ready):
                wakes_at, _, actor = heappop(self._sleeping)
                self.now = max(self.now, wakes_at)
                self._ready.append(actor)
            self._turn(self._ready.pop(self.random.randrange(len(self._ready))))

    def at(self, point: str) -> None:
        """Give up the turn; on the way back the process may be dead, or its call may have failed."""
        actor = self._actors[getcurrent()]
        self._ready.append(actor)
        self._main.switch()
        self._perhaps_trouble(actor, point)

    def sleep(self, seconds: float) -> None:
        """Give up the turn until virtual time has passed."""
        actor = self._actors[getcurrent()]
        actor.wakes_at = self.now + timedelta(seconds=seconds)
        self._wait(actor)
        self._main.switch()
        self._perhaps_trouble(actor, f"sleep {seconds:g}")

    def at_once[T, R](self, work: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """Do the same to all items at once, each by a child; a child's death is its parent's."""
        parent = self._actors[getcurrent()]
        results: dict[int, R] = {}

        def part(index: int, item: T) -> Callable[[], None]:
            def run() -> None:
                results[index] = work(item)

            return run

        for index, item in enumerate(items):
            child = self.enter(f"{parent.name}/{index}", part(index, item), odds=parent.odds)
            child.parent = parent
            parent.children.append(child)
        self._main.switch()
        if parent.death:
            raise parent.death
        return [results[index] for index in range(len(items))]

    def _turn(self, actor: Actor) -> None:
        self.trace.append(f"{self.now:%d %H:%M:%S.%f} {actor.name}")
        try:
            actor.greenlet.switch()
        except (Killed, Exception) as death:  # noqa: BLE001 - the actor's end is its owner's business
            actor.death = death
        if actor.greenlet.dead:
            self._leave(actor)

    def _leave(self, actor: Actor) -> None:
        del self._actors[actor.greenlet]
        parent = actor.parent
        if parent is None:
            return
        parent.children.remove(actor)
        parent.death = parent.death or actor.death
        if not parent.children:
            self._ready.append(parent)
        if isinstance(actor.death, Killed):
            for sibling in list(parent.children):
                sibling.is_doomed = True

    def _perhaps_trouble(self, actor: Actor, point: str) -> None:
        self.trace.append(f"    {actor.name}: {point}")
        if actor.is_doomed or self.random.random() < actor.odds.kill:
            raise Killed(point)
        if self.random.random() < actor.odds.unavailable:
            raise Unavailable(f"no answer at {point}")

    def _wait(self, actor: Actor) -> None:
        self._entered += 1
        heappush(self._sleeping, (actor.wakes_at, self._entered, actor))

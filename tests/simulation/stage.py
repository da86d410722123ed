"""A stage on which actors take turns: one acts at a time, and the seed decides which one goes on.

Actors are greenlets. An actor gives up its turn wherever a port is touched (`at`) and wherever it sleeps;
time passes only when all actors sleep. So a seed is one exact interleaving, and replays it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heappop, heappush
from random import Random

from greenlet import getcurrent, greenlet

from common.errors import Unavailable

MAX_POINTS = 30_000
"""A world that comes to more is a storm: messages that make more messages."""


class Killed(BaseException):
    """The actor's process dies here; no code may catch it."""


@dataclass(slots=True, kw_only=True)
class Odds:
    """How likely each trouble is at each point."""

    kill: float = 0.0
    unavailable: float = 0.0


class Actor(greenlet):
    """One process: an HTTP request, the delivery of a message, a minute of the dispatcher."""

    def __init__(self, name: str, work: Callable[[], None], odds: Odds, stage: greenlet) -> None:
        super().__init__(work, stage)
        self.name = name
        self.odds = odds
        self.children: list[Actor] = []
        self.owner: Actor | None = None
        self.death: BaseException | None = None
        self.is_doomed = False


class Stage:
    """Runs actors to their ends."""

    def __init__(self, random: Random, now: datetime) -> None:
        self.random = random
        self.now = now
        self._until = now
        self._trace: list[tuple[datetime, str, str]] = []
        self._sleeping: list[tuple[datetime, int, Actor]] = []
        self._ready: list[Actor] = []
        self._entered = 0
        self._main = getcurrent()
        self._acting: greenlet = self._main

    @property
    def trace(self) -> list[str]:
        """What happened: who came to which point, and when."""
        return [f"{moment:%d %H:%M:%S.%f} {name}: {point}" for moment, name, point in self._trace]

    @property
    def acting_process(self) -> str:
        """The name of the process whose turn it is; its children act in its name."""
        return self._acting.name.partition("/")[0] if isinstance(self._acting, Actor) else ""

    @property
    def has_no_end(self) -> bool:
        """Tell whether so much has happened that nothing will ever come to rest."""
        return len(self._trace) > MAX_POINTS

    def clock(self) -> datetime:
        """Return the virtual time."""
        return self.now

    def enter(
        self, name: str, work: Callable[[], None], *, odds: Odds, delay: timedelta = timedelta()
    ) -> Actor:
        """Let an actor begin after a delay."""
        actor = Actor(name, work, odds, self._main)
        self._wake(actor, self.now + delay)
        return actor

    def run(self, until: datetime) -> None:
        """Let the actors act until all have ended, or time is up."""
        self._until = until
        while (self._ready or self._sleeping) and not self.has_no_end:
            actor = self._next()
            if actor is self._main:
                break
            self._turn(actor)

    def at(self, point: str) -> None:
        """Give up the turn; on the way back the process may be dead, or its call may have failed."""
        actor: Actor = getcurrent()  # type: ignore[assignment]
        if self._ready or self._somebody_wakes_by(self.now):
            self._ready.append(actor)
            self._give_way(actor)
        self._trace.append((self.now, actor.name, point))
        draw = self.random.random()
        if actor.is_doomed or draw < actor.odds.kill:
            raise Killed(point)
        if draw < actor.odds.kill + actor.odds.unavailable:
            raise Unavailable(f"no answer at {point}")

    def sleep(self, seconds: float) -> None:
        """Give up the turn until virtual time has passed."""
        actor: Actor = getcurrent()  # type: ignore[assignment]
        moment = self.now + timedelta(seconds=seconds)
        if self._ready or moment > self._until or self._somebody_wakes_by(moment):
            self._wake(actor, moment)
            self._give_way(actor)
        else:
            self.now = moment

    def at_once[T, R](self, work: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """Do the same to all items at once, each by a child; a child's death is its parent's.

        One item alone, the parent does itself.
        """
        if len(items) < 2:
            return [work(item) for item in items]
        parent: Actor = getcurrent()  # type: ignore[assignment]
        results: dict[int, R] = {}

        def part(index: int, item: T) -> Callable[[], None]:
            def run() -> None:
                results[index] = work(item)

            return run

        for index, item in enumerate(items):
            child = self.enter(f"{parent.name}/{index}", part(index, item), odds=parent.odds)
            child.owner = parent
            parent.children.append(child)
        self._give_way(parent)
        if parent.death:
            raise parent.death
        return [results[index] for index in range(len(items))]

    @property
    def somebody_sleeps(self) -> bool:
        """Tell whether anybody waits for a moment to come: in the midst of its work, or to begin it."""
        return bool(self._sleeping)

    def _somebody_wakes_by(self, moment: datetime) -> bool:
        return bool(self._sleeping) and self._sleeping[0][0] <= moment

    def _next(self) -> greenlet:
        """Take the one whose turn it is, and let time pass where nobody is ready; in the end the stage."""
        ready, sleeping = self._ready, self._sleeping
        while sleeping and (not ready or sleeping[0][0] <= self.now):
            wakes_at, _, actor = heappop(sleeping)
            self.now = max(self.now, wakes_at)
            ready.append(actor)
        if self.now > self._until:
            return self._main
        return ready.pop(int(self.random.random() * len(ready)))

    def _give_way(self, actor: Actor) -> None:
        """Go on once it is this actor's turn. Another goes on right away, not by way of the stage."""
        following = self._next()
        if following is not actor:
            self._acting = following
            following.switch()

    def _turn(self, actor: greenlet) -> None:
        self._acting = actor
        death: BaseException | None = None
        try:
            actor.switch()
        except (Killed, Exception) as error:  # noqa: BLE001 - the actor's end is its owner's business
            death = error
        ended = self._acting
        if isinstance(ended, Actor) and ended.dead:
            ended.death = death
            self._leave(ended)

    def _leave(self, actor: Actor) -> None:
        parent = actor.owner
        if parent is None:
            return
        parent.children.remove(actor)
        parent.death = parent.death or actor.death
        if not parent.children:
            self._ready.append(parent)
        if isinstance(actor.death, Killed):
            for sibling in list(parent.children):
                sibling.is_doomed = True

    def _wake(self, actor: Actor, moment: datetime) -> None:
        self._entered += 1
        heappush(self._sleeping, (moment, self._entered, actor))

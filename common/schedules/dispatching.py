"""One minute of the dispatcher: end what is dead, continue what is quiet, write down what tenants used."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from common.runs.dead_letters import DeadLetterHandler
from common.runs.sweeping import Sweeper
from common.times import Clock

# The roll-up looks back further than a minute, so that a minute without a dispatcher is made up for.
ROLL_UP_WINDOW = timedelta(minutes=5)


class UsageLog(Protocol):
    """Where the use of plans is reported."""

    def roll_up(self, changed_since: datetime, now: datetime) -> None:
        """Append the use of the tenants whose runs have changed since a moment, once a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Minute:
    """What one minute came to: runs ended by dead letters, runs continued, tickets settled."""

    dead_letters: int
    continued: int
    settled: int
    rolled_up: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatcher:
    """Called each minute; a second call, a late or a concurrent one does no harm."""

    sweeper: Sweeper
    dead_letters: DeadLetterHandler
    usage: UsageLog
    clock: Clock

    def tick(self) -> Minute:
        """Do what is due."""
        ended = self.dead_letters.handle()
        swept = self.sweeper.sweep()
        now = self.clock()
        changed_since = now - ROLL_UP_WINDOW
        is_changed = swept.last_recorded_at is not None and swept.last_recorded_at >= changed_since
        if is_changed:
            self.usage.roll_up(changed_since, now)
        return Minute(
            dead_letters=ended, continued=swept.continued, settled=swept.settled, rolled_up=is_changed
        )

"""The log tables of a world: an operator remakes them amid the runs, and streaming learns of it late."""

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from random import Random

from common.at_once import one_by_one
from common.errors import Unavailable
from common.setup.readiness import LOOK_AGAIN, STREAMED_TABLES, StreamingReadiness
from common.setup.tables import TableDefinition, central_tables
from tests.simulation.stage import Stage

LOST = timedelta(days=365)
"""When rows can be read that went to a table which is no more."""
NEVER = datetime.min.replace(tzinfo=UTC)
STREAMED = tuple(one for one in central_tables() if one.name in STREAMED_TABLES)


class LogTables:
    """`StreamTargets`: all are held and let go as one; rows for new ones are lost for a time."""

    def __init__(self, stage: Stage, random: Random) -> None:
        self.has_holds = True
        self._stage = stage
        self._random = random
        self._holds = [(NEVER, NEVER)]
        self._arrives_from = NEVER

    def require(self) -> None:
        """Raise Unavailable where rows are kept; whoever streams has looked some seconds ago."""
        now = self._stage.now
        looked_at = now - self._random.random() * LOOK_AGAIN
        until = next(until for moment, until in reversed(self._holds) if moment <= looked_at)
        if until > now:
            raise Unavailable("the log tables take no rows yet")

    def lag(self, lag: timedelta) -> timedelta:
        """Say how long a row takes that is streamed now."""
        return LOST if self._stage.now < self._arrives_from else lag

    def remake(self, delay: timedelta) -> None:
        """Do as bootstrap does, again and again where rows do not arrive in its time."""
        numbers = count()
        readiness = StreamingReadiness(
            targets=self,
            clock=self._stage.clock,
            new_id=lambda: str(next(numbers)),
            sleep=self._stage.sleep,
            at_once=one_by_one,
        )
        if self.has_holds:
            readiness.hold(STREAMED_TABLES)
        self._stage.at("tables are remade")
        self._arrives_from = self._stage.now + delay
        while self.has_holds and readiness.release_ready(STREAMED, dict.fromkeys(STREAMED_TABLES, ())):
            self._stage.sleep(60)

    def kept(self) -> Iterator[tuple[datetime, datetime]]:
        """Say from when to when rows were kept, and everybody knew."""
        for (moment, until), (released_at, _) in pairwise([*self._holds, (self._stage.now, NEVER)]):
            if until > moment:
                yield moment + LOOK_AGAIN, min(until, released_at)

    def hold(self, table: str, until: datetime) -> None:
        """Have nobody stream to the tables before a moment."""
        if self._holds[-1][1] != until:
            self._holds.append((self._stage.now, until))

    def release(self, table: str) -> None:
        """Let everybody stream to the tables."""
        self.hold(table, NEVER)

    def held(self, now: datetime) -> Mapping[str, datetime]:
        """Return the tables that are held."""
        until = self._holds[-1][1]
        return dict.fromkeys(STREAMED_TABLES, until) if until > now else {}

    def stream_probe(self, definition: TableDefinition, probe_id: str, columns: Collection[str]) -> bool:
        """Stream a row that is nobody's."""
        self._stage.at("stream a probe")
        return True

    def count_probes(self, definition: TableDefinition, probe_id: str) -> int:
        """Find none as long as rows are lost."""
        self._stage.at("count probes")
        return 0 if self._stage.now < self._arrives_from else 2

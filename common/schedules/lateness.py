"""Pipelines that are late: none of their runs has completed by the time that their file says.

Each minute looks at the deadlines that have just passed, each of them once for an instance; who is late is
told of once, by whichever dispatcher: the name of the deadline is claimed.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Protocol
from uuid import uuid4

from common.claims import ClaimJobs, try_claim
from common.pipelines.lateness import Deadline, Lateness
from common.runs.events import Announcer, LateEvent
from common.times import Clock

logger = logging.getLogger(__name__)

UNTIL_READABLE = timedelta(minutes=2)
"""How long the row of a run that has completed takes to be read, and more."""
LOOKED_BACK = timedelta(hours=1)
"""How long ago a deadline can have passed: so long the dispatcher may be away."""
MAX_A_MINUTE = 500
"""Pipelines that one minute looks at; the others' turn is the next."""
MAX_DEADLINES = 20
"""Moments at which the deadlines of a minute's pipelines are: one query each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedPipeline:
    """A config that says by when it is to have completed, by the version that has said so since `since`."""

    tenant_id: str
    config_id: str
    version: int
    since: datetime
    lateness: Lateness

    @property
    def key(self) -> tuple[str, str]:
        """What it is called among all tenants'."""
        return self.tenant_id, self.config_id


class LatenessReader(Protocol):
    """Where it is read who is expected, and who has come."""

    def expected(self, now: datetime) -> Sequence[ExpectedPipeline]:
        """Return the configs of active tenants that say by when they are to have completed."""

    def completed(self, keys: Collection[tuple[str, str]], deadline: Deadline) -> Collection[tuple[str, str]]:
        """Return those of some configs (tenant, config) of which a run has completed in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LatePipelines:
    """Tells of pipelines that are late. Two at once do no harm."""

    reader: LatenessReader
    claims: ClaimJobs
    announcer: Announcer
    is_paused: Callable[[str, str], bool]
    """Tells whether a tenant has paused the schedule of a config: then nobody expects it."""
    clock: Clock
    _looked_at: dict[tuple[str, str], datetime] = field(default_factory=dict, repr=False)
    """The last deadline of each that this instance has looked at."""

    def __call__(self) -> int:
        """Do one round, and count the pipelines that are late."""
        now = self.clock()
        due = islice(self._due(now), MAX_A_MINUTE)
        by_deadline: dict[Deadline, list[ExpectedPipeline]] = defaultdict(list)
        for expected, deadline in due:
            by_deadline[deadline].append(expected)
        return sum(
            self._look(deadline, expected, now)
            for deadline, expected in islice(sorted(by_deadline.items(), key=_order), MAX_DEADLINES)
        )

    def _due(self, now: datetime) -> Iterator[tuple[ExpectedPipeline, Deadline]]:
        for expected in self.reader.expected(now):
            try:
                deadline = expected.lateness.last_deadline(now - UNTIL_READABLE)
            except Exception:  # whatever it is, it concerns this pipeline alone
                logger.exception("deadline cannot be worked out", extra={"config": expected.config_id})
                continue
            if deadline is None or now - deadline.by > LOOKED_BACK or expected.since > deadline.by:
                continue
            if self._looked_at.get(expected.key) != deadline.by:
                yield expected, deadline

    def _look(self, deadline: Deadline, expected: Sequence[ExpectedPipeline], now: datetime) -> int:
        completed = self.reader.completed({one.key for one in expected}, deadline)
        late = [one for one in expected if one.key not in completed]
        found = sum(self._told(one, deadline, now) for one in late)
        self._looked_at.update({one.key: deadline.by for one in expected})
        return found

    def _told(self, late: ExpectedPipeline, deadline: Deadline, now: datetime) -> bool:
        if late.lateness.schedule and self.is_paused(late.tenant_id, late.config_id):
            return False
        event = LateEvent(
            tenant_id=late.tenant_id,
            config_id=late.config_id,
            config_version=late.version,
            by=deadline.by,
            occurred_at=now,
        )
        mine = {"tenant": late.tenant_id, "purpose": "late", "delivery": uuid4().hex}
        holder = try_claim(self.claims, event.claim_id, mine)
        if holder is None or not holder.is_held_by(mine):
            return False
        self.announcer.announce([event])
        logger.info("pipeline is late", extra={"tenant": late.tenant_id, "config": late.config_id})
        return True


def _order(pair: tuple[Deadline, Sequence[ExpectedPipeline]]) -> datetime:
    return pair[0].by

"""Who follows whom, in memory; what has completed, and has been followed, by the rows of runs and queue."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from common.runs.run import RunStatus, TriggerType
from common.schedules.following import Completion, Follower
from tests.fakes.jobs import nowhere
from tests.fakes.runs import MemoryRuns
from tests.fakes.schedules import MemoryQueue


@dataclass(slots=True, kw_only=True)
class MemoryFollowing:
    """`FollowingReader`."""

    rows: MemoryRuns
    queue: MemoryQueue
    found: list[Follower] = field(default_factory=list)
    asked: list[Collection[tuple[str, str]]] = field(default_factory=list)
    at: Callable[[str], None] = nowhere

    def followers(self, now: datetime) -> Sequence[Follower]:
        return self.found

    def completions(self, keys: Collection[tuple[str, str]], since: datetime) -> Sequence[Completion]:
        self.at("read completions")
        self.asked.append(keys)
        return [one for one in self.known(keys) if one.ended_at >= since]

    def known(self, keys: Collection[tuple[str, str]]) -> Sequence[Completion]:
        """Return all that have completed."""
        current = list(self.rows.current().values())
        triggers = [(row.run.trigger, row.run.config_id) for row in current]
        entries = self.queue.entries().values()
        triggers += [(entry.waiting.trigger, entry.waiting.config_id) for entry in entries]
        return [
            Completion(
                tenant_id=row.run.tenant_id,
                config_id=row.run.config_id,
                run_id=row.run.run_id,
                run_date=row.run.run_date,
                interval=row.run.interval,
                ended_at=row.recorded_at,
                followed_by=frozenset(
                    config_id
                    for trigger, config_id in triggers
                    if trigger.type is TriggerType.AFTER and trigger.by == row.run.run_id
                ),
            )
            for row in current
            if row.status is RunStatus.COMPLETED and (row.run.tenant_id, row.run.config_id) in keys
        ]

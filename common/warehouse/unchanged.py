"""What need not be read again while nothing has changed: `tables.get` says so, and bills nothing.

It holds for tables that are appended to by INSERT; of streamed rows a table tells late. So everything is read
again every quarter of an hour all the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from common.queue.firings import ScheduledConfig, due_firings
from common.queue.run_queue import LOOK_ANYWAY_MINUTES
from common.runs.offboarding_cleanup import LeftoverWork, LeftoverWorkReader
from common.schedules.timetable import EVERY_TENANT, Timetable
from common.times import Clock
from common.warehouse.bigquery import Central
from common.warehouse.clients import RETRY, TIMEOUT_SECONDS
from common.warehouse.translation import translated

type Stamps = tuple[tuple[str, ...], ...]

SCHEDULED = ("tenant_pipeline_configs", "tenant_profiles", "tenant_scheduled_pipeline_runs")
PROFILES = ("tenant_profiles",)


@dataclass(slots=True, kw_only=True)
class Memory[Answer]:
    """The last answer of this instance, and of which state of its tables it was."""

    central: Central
    tables: Sequence[str]
    stamps: Stamps = ()
    answer: Answer | None = None

    def recall(self, now: datetime) -> tuple[Answer | None, Stamps]:
        """Return the answer where it still holds, and the state of the tables now."""
        stamps = tuple(map(self._stamp, self.tables))
        is_kept = stamps == self.stamps and now.minute % LOOK_ANYWAY_MINUTES != 0
        return self.answer if is_kept else None, stamps

    def keep(self, answer: Answer, stamps: Stamps) -> Answer:
        """Keep an answer with the state of its tables from before it was asked for."""
        self.answer, self.stamps = answer, stamps
        return answer

    def _stamp(self, name: str) -> tuple[str, ...]:
        with translated():
            table = self.central.client.get_table(
                self.central.table(name), retry=RETRY, timeout=TIMEOUT_SECONDS
            )
        return str(table.etag), str(table.num_rows), str(table.modified)


@dataclass(frozen=True, slots=True, kw_only=True)
class RememberedTimetable:
    """`Timetable`: what was read stands for nothing being due, and for nothing else."""

    timetable: Timetable
    clock: Clock
    memory: Memory[Sequence[ScheduledConfig]]

    def read(self, tenant_id: str, since: datetime) -> Sequence[ScheduledConfig]:
        """Return the schedules of a tenant, or of every one; what was fired before `since` is not told."""
        if tenant_id != EVERY_TENANT:
            return self.timetable.read(tenant_id, since)
        now = self.clock()
        known, stamps = self.memory.recall(now)
        if known is not None and not any(_may_be_due(config, now) for config in known):
            return known
        return self.memory.keep(self.timetable.read(tenant_id, since), stamps)

    def set_paused(self, config: ScheduledConfig, now: datetime, *, is_paused: bool) -> None:
        """Append that a schedule is paused or resumed."""
        self.timetable.set_paused(config, now, is_paused=is_paused)


@dataclass(frozen=True, slots=True, kw_only=True)
class RememberedLeftoverWork:
    """`LeftoverWorkReader`: where nothing was left and no tenant has changed since, nothing is."""

    reader: LeftoverWorkReader
    memory: Memory[LeftoverWork]

    def look(self, deleted_before: datetime, now: datetime) -> LeftoverWork:
        """Return open runs of tenants that are not ACTIVE, and datasets of those DELETED before a moment."""
        known, stamps = self.memory.recall(now)
        if known == LeftoverWork():
            return known
        found = self.reader.look(deleted_before, now)
        return self.memory.keep(
            LeftoverWork(
                runs=tuple(found.runs), datasets=tuple(found.datasets), may_be_more=found.may_be_more
            ),
            stamps,
        )


def _may_be_due(config: ScheduledConfig, now: datetime) -> bool:
    try:
        return bool(due_firings(config, now))
    except Exception:  # noqa: BLE001 - whatever it is, the fresh read is to find it again
        return True

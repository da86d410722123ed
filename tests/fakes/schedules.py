"""Schedules, firings, the queue and many admissions at once, in memory."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

from common.backfills.backfills import IntervalRun
from common.queue.firings import ScheduledConfig
from common.queue.refusals import Refusal
from common.queue.run_queue import QueueEntry
from common.queue.tenant_admissions import TenantAdmissionFacts
from common.queue.waiting import AdmissionResult, WaitingRun
from common.runs.level_messages import LevelMessage
from common.runs.ports import ConfigText
from common.runs.run import Run, RunStatus
from common.times import Clock
from tests.fakes.jobs import nowhere
from tests.fakes.runs import MemoryLevels, MemoryRuns


@dataclass(frozen=True, kw_only=True)
class SettledRow:
    """One appended row of the queue, or of a firing."""

    result: AdmissionResult
    recorded_at: datetime
    visible_at: datetime

    @cached_property
    def entry(self) -> QueueEntry:
        """The row as readers of the queue see it."""
        return QueueEntry(
            waiting=replace(self.result.waiting, is_queued=True, is_due=False),
            status=self.result.status,
            error=self.result.error,
            recorded_at=self.recorded_at,
        )


class SettledRows:
    """Rows that become visible to readers after `lag`, as streamed rows do, and are kept as `check` says."""

    def __init__(
        self,
        at: Callable[[str], None] = nowhere,
        lag: Callable[[], timedelta] = timedelta,
        clock: Clock | None = None,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self.check = check
        self.at = at
        self.lag = lag
        self.clock = clock
        self.rows: list[SettledRow] = []
        self.calls = 0

    def _append(self, name: str, result: Sequence[AdmissionResult], now: datetime) -> None:
        self.at(f"before {name} rows")
        self.check()
        self.calls += 1
        self.rows += [SettledRow(result=one, recorded_at=now, visible_at=now + self.lag()) for one in result]
        self.at(f"after {name} rows")

    def visible(self) -> list[SettledRow]:
        """Return the rows that can be read by now."""
        return [row for row in self.rows if not self.clock or row.visible_at <= self.clock()]


class MemoryFirings(SettledRows):
    """`FiringStore`."""

    def append_firings(self, result: Sequence[AdmissionResult], now: datetime) -> None:
        self._append("firing", result, now)

    def record_firings(self, ended_since: datetime, now: datetime) -> None:
        self.at("settle firings")

    def last_fired(self) -> dict[tuple[str, str], datetime]:
        """Return the latest time of each config that has a row."""
        latest: dict[tuple[str, str], datetime] = {}
        for row in self.visible():
            waiting = row.result.waiting
            key = (waiting.tenant_id, waiting.config_id)
            latest[key] = max(latest.get(key, waiting.due_at), waiting.due_at)
        return latest

    def refusals(self) -> dict[tuple[str, str], set[str]]:
        """Return the refusals of each config."""
        found: dict[tuple[str, str], set[str]] = defaultdict(set)
        for row in self.visible():
            if row.result.is_refused_firing:
                waiting = row.result.waiting
                found[waiting.tenant_id, waiting.config_id].add(row.result.entry_id)
        return found


class MemoryRefusals:
    """`RefusalReader` over the rows of firings, of the queue and of runs."""

    def __init__(self, firings: MemoryFirings, queue: "MemoryQueue", rows: MemoryRuns) -> None:
        self.firings = firings
        self.queue = queue
        self.rows = rows

    def read_refusals(self, tenant_id: str, since: datetime) -> Sequence[Refusal]:
        begun = {*self.queue.entries(), *self.rows.current()}
        first: dict[str, SettledRow] = {}
        for row in sorted(self.firings.visible(), key=lambda row: (row.recorded_at, row.result.entry_id)):
            waiting = row.result.waiting
            is_asked = waiting.tenant_id == tenant_id and waiting.due_at >= since
            if is_asked and row.result.is_refused_firing and waiting.run_id not in begun:
                first.setdefault(waiting.run_id, row)
        by_entry: dict[str, list[SettledRow]] = defaultdict(list)
        for row in first.values():
            by_entry[row.result.entry_id].append(row)
        found = [_refusal(entry_id, rows) for entry_id, rows in by_entry.items()]
        return sorted(found, key=lambda one: (-one.recorded_at.timestamp(), one.refusal_id))

    def find_refusal(self, tenant_id: str, refusal_id: str, now: datetime) -> Refusal | None:
        refusals = self.read_refusals(tenant_id, now - timedelta(days=400))
        return next((one for one in refusals if one.refusal_id == refusal_id), None)


def _refusal(entry_id: str, rows: list[SettledRow]) -> Refusal:
    rows = sorted(rows, key=lambda row: row.result.waiting.due_at)
    last = rows[-1].result.waiting
    return Refusal(
        refusal_id=entry_id,
        tenant_id=last.tenant_id,
        config_id=last.config_id,
        config_version=last.config_version,
        status=rows[-1].result.status,
        error=rows[-1].result.error,
        firings=len(rows),
        first_time=rows[0].result.waiting.due_at,
        last_time=last.due_at,
        asked_at=min(row.result.waiting.added_at for row in rows),
        recorded_at=max(row.recorded_at for row in rows),
        run_date=last.run_date,
        interval=last.interval,
    )


class MemoryTimetable:
    """`Timetable`: a test lays the schedules down; with firings, their rows say how far each has come."""

    def __init__(self, firings: MemoryFirings | None = None) -> None:
        self.configs: dict[tuple[str, str], ScheduledConfig] = {}
        self.firings = firings
        self.reads = 0

    def add(self, config: ScheduledConfig) -> None:
        """Have a config with a schedule."""
        self.configs[config.tenant_id, config.config_id] = config

    def read(self, tenant_id: str, since: datetime) -> Sequence[ScheduledConfig]:
        self.reads += 1
        if self.firings:
            self.firings.at("read timetable")
        found = [config for key, config in sorted(self.configs.items()) if tenant_id in {"", key[0]}]
        if self.firings is None:
            return found
        fired, refusals = self.firings.last_fired(), self.firings.refusals()
        return [
            replace(config, last_fired=fired.get(key), refusals=frozenset(refusals[key]))
            for config in found
            if (key := (config.tenant_id, config.config_id))
        ]

    def set_paused(self, config: ScheduledConfig, now: datetime, *, is_paused: bool) -> None:
        self.add(replace(config, is_paused=is_paused, since=config.since if is_paused else now))


class MemoryQueue(SettledRows):
    """`QueueStore`."""

    reads = 0

    def append(self, result: Sequence[AdmissionResult], now: datetime) -> None:
        self._append("queue", result, now)

    def read_waiting(self, tenant_id: str, now: datetime) -> Sequence[WaitingRun]:
        self.reads += 1
        self.at("read waiting")
        entries = [entry for entry in self.entries().values() if entry.status is RunStatus.QUEUED]
        mine = [entry.waiting for entry in entries if tenant_id in {"", entry.waiting.tenant_id}]
        waiting = [one for one in mine if one.due_at <= now]
        return sorted(waiting, key=lambda one: (one.tenant_id, one.turn))

    def find(self, tenant_id: str, run_id: str, now: datetime) -> QueueEntry | None:
        self.at("find entry")
        entry = self.entries().get(run_id)
        return entry if entry and entry.waiting.tenant_id == tenant_id else None

    def entries(self) -> dict[str, QueueEntry]:
        """Return each entry by its first row that ends it, or else its latest."""
        found: dict[str, QueueEntry] = {}
        for row in self.visible():
            run_id = row.result.waiting.run_id
            if run_id not in found or found[run_id].status is RunStatus.QUEUED:
                found[run_id] = row.entry
        return found


class MemoryBackfills:
    """`BackfillReader` over the queue and the rows of runs."""

    def __init__(self, queue: MemoryQueue, rows: MemoryRuns) -> None:
        self.queue = queue
        self.rows = rows

    def read_backfills(
        self, tenant_id: str, backfill_ids: Sequence[str], now: datetime
    ) -> Sequence[IntervalRun]:
        runs = self.rows.current()
        found = []
        for run_id, entry in self.queue.entries().items():
            waiting = entry.waiting
            if waiting.tenant_id == tenant_id and waiting.backfill_id in backfill_ids and waiting.interval:
                status = runs[run_id].status if run_id in runs else entry.status
                found.append(
                    IntervalRun(
                        run_id=run_id,
                        config_id=waiting.config_id,
                        config_version=waiting.config_version,
                        backfill_id=waiting.backfill_id,
                        interval_start=waiting.interval.start,
                        status=status,
                        error=entry.error,
                    )
                )
        return sorted(found, key=lambda run: run.interval_start)


class MemoryTenantAdmissions:
    """`TenantAdmissionStore` over the rows of `MemoryRuns`."""

    def __init__(self, rows: MemoryRuns) -> None:
        self.rows = rows
        self.reads = 0

    def read_tenant_admissions(
        self, tenant_ids: Collection[str], run_ids: Collection[str], now: datetime
    ) -> Mapping[str, TenantAdmissionFacts]:
        self.reads += 1
        self.rows.at("read tenants")
        current = self.rows.current()
        begun = {run_id: row.status for run_id, row in current.items() if run_id in run_ids}
        active = [id_ for id_ in tenant_ids if self.rows.tenants[id_].status == "ACTIVE"]
        return {
            tenant_id: TenantAdmissionFacts(ledger=ledger, begun=begun)
            for tenant_id, ledger in self.rows.ledgers(active, now).items()
        }

    def read_configs(
        self, keys: Collection[tuple[str, str, int]]
    ) -> Mapping[tuple[str, str, int], ConfigText]:
        found = {}
        for tenant_id, config_id, version in keys:
            config = self.rows.tenants[tenant_id].configs.get(config_id)
            if config and config.version == version:
                found[tenant_id, config_id, version] = config
        return found

    def append_begun(self, runs: Sequence[Run], now: datetime) -> None:
        self.rows.append_runs(runs, RunStatus.PENDING, now)


class MemoryBulkLevels:
    """`LevelsPublisher` that sends through a `MemoryLevels`."""

    def __init__(self, levels: MemoryLevels) -> None:
        self.levels = levels

    def publish_levels(self, messages: Sequence[LevelMessage]) -> None:
        for message in messages:
            self.levels.publish_level(message)

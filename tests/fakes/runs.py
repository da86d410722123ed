"""Run and step rows, and level messages, in memory."""

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from common.costs.budgets import Budget, Owner, Spending
from common.errors import NotFound
from common.quality.results import CheckResult
from common.quality.verdicts import CheckStatus
from common.runs import attempts
from common.runs.level_messages import LevelMessage, decode, encode
from common.runs.ports import AdmissionFacts, ConfigText, StoredRun
from common.runs.progress import OpenRun, Progress
from common.runs.quotas import Limits, Use
from common.runs.run import UNCOUNTED, EndReason, Run, RunStatus, StepRow, StepStatus, TriggerType
from common.runs.sweeping import Findings, Gap
from common.runs.tickets import Ledger, gaps_between, may_count_since
from common.times import Clock, start_of_day, start_of_month
from tests.fakes.jobs import nowhere


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One appended row of a run."""

    run: Run
    status: RunStatus
    recorded_at: datetime
    error: str = ""
    reason: EndReason | None = None
    bytes_billed: int | None = None
    visible_at: datetime

    @property
    def is_open(self) -> bool:
        """Tell whether the run has not ended by this row."""
        return not self.status.is_terminal


@dataclass(slots=True, kw_only=True)
class MemoryTenant:
    """What the central tables hold of a tenant besides its runs."""

    limits: Limits = field(default_factory=lambda: Limits(daily=6, monthly=180, concurrent=3))
    status: str = "ACTIVE"
    refusal: str = ""
    configs: dict[str, ConfigText] = field(default_factory=dict)
    budgets: dict[Owner, Budget] = field(default_factory=dict)


class MemoryRuns:
    """`AdmissionReads`, `RunWrites`, `CheckWrites`: the latest row counts, and the first end beats all.

    With a clock, rows become visible to readers after `lag`, as streamed rows do; `check` raises while they
    are kept from the tables.
    """

    def __init__(
        self,
        at: Callable[[str], None] = nowhere,
        lag: Callable[[], timedelta] = timedelta,
        clock: Clock | None = None,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self.at = at
        self.lag = lag
        self.clock = clock
        self.check = check
        self.tenants: dict[str, MemoryTenant] = {}
        self.run_rows: list[RunRow] = []
        self.step_rows: list[tuple[str, StepRow]] = []
        self.uncounted = UNCOUNTED
        """Ends of runs that do not count against the day."""
        self.results: list[tuple[Run, CheckResult]] = []
        self.heard_of: dict[str, list[datetime]] = defaultdict(list)
        self.calls = 0
        self._lock = threading.Lock()

    def read_admission(self, tenant_id: str, config_id: str, run_id: str, now: datetime) -> AdmissionFacts:
        self.at(f"read admission {tenant_id}")
        if tenant_id not in self.tenants:
            raise NotFound(tenant_id)
        tenant = self.tenants[tenant_id]
        rows = {id_: row for id_, row in self.current().items() if row.run.tenant_id == tenant_id}
        repeated = rows.get(run_id)
        return AdmissionFacts(
            tenant_status=tenant.status,
            refusal=tenant.refusal,
            ledger=_ledger(tenant, list(rows.values()), now, self.uncounted),
            config=tenant.configs.get(config_id),
            repeated=_stored(repeated) if repeated else None,
        )

    def check_rows_arrive(self) -> None:
        self.check()

    def append_run(
        self,
        run: Run,
        status: RunStatus,
        now: datetime,
        error: str = "",
        reason: EndReason | None = None,
        bytes_billed: int | None = None,
    ) -> None:
        self.at(f"before run row {run.run_id} {status}")
        self.check()
        with self._lock:
            self.calls += 1
            visible_at = now + self.lag()
            row = RunRow(
                run=run,
                status=status,
                recorded_at=now,
                error=error,
                reason=reason,
                bytes_billed=bytes_billed if status.is_terminal else None,
                visible_at=visible_at,
            )
            self.run_rows.append(row)
        self.at(f"after run row {run.run_id} {status}")

    def append_runs(self, runs: Sequence[Run], status: RunStatus, now: datetime) -> None:
        """Append the rows of many runs in one call."""
        self.at(f"before rows of {len(runs)} runs")
        self.check()
        with self._lock:
            self.calls += 1
            visible_at = now + self.lag()
            self.run_rows += [
                RunRow(run=run, status=status, recorded_at=now, visible_at=visible_at) for run in runs
            ]
        self.at(f"after rows of {len(runs)} runs")

    def ledgers(self, tenant_ids: Collection[str], now: datetime) -> dict[str, Ledger]:
        """Return the ledgers of tenants as their rows tell them."""
        rows: dict[str, list[RunRow]] = {tenant_id: [] for tenant_id in tenant_ids}
        for row in self.current().values():
            if row.run.tenant_id in rows:
                rows[row.run.tenant_id].append(row)
        return {
            tenant_id: _ledger(self.tenants[tenant_id], mine, now, self.uncounted)
            for tenant_id, mine in rows.items()
        }

    def append_steps(self, run: Run, rows: Sequence[StepRow], now: datetime) -> None:
        if not rows:
            return
        self.at(f"before step rows {run.run_id}")
        self.check()
        with self._lock:
            self.calls += 1
            self.step_rows.extend((run.run_id, row) for row in rows)
            self.heard_of[run.run_id].append(now)
        self.at(f"after step rows {run.run_id}")

    def append_checks(self, run: Run, results: Sequence[CheckResult], now: datetime) -> None:
        if not results:
            return
        self.at(f"before checks {run.run_id}")
        self.check()
        with self._lock:
            self.calls += 1
            self.results.extend((run, one) for one in results)
        self.at(f"after checks {run.run_id}")

    def read_earlier(self, run: Run, table: str, check: str, most: int) -> Sequence[float]:
        found: dict[str, float] = {}
        for other, one in self.results:
            is_of_check = (one.table, one.verdict.check.name) == (table, check)
            is_of_pipeline = (other.tenant_id, other.config_id) == (run.tenant_id, run.config_id)
            is_earlier = one.ended_at < run.started_at and one.verdict.status is not CheckStatus.FAILED
            if is_of_check and is_of_pipeline and is_earlier and one.verdict.value is not None:
                found.setdefault(one.key, one.verdict.value)
        return list(found.values())[::-1][:most]

    def current(self) -> dict[str, RunRow]:
        """Return the row that counts of each run, as far as rows are visible yet."""
        latest: dict[str, RunRow] = {}
        for row in self.run_rows:
            if self.clock and row.visible_at > self.clock():
                continue
            known = latest.get(row.run.run_id)
            if known is None or not known.status.is_terminal:
                latest[row.run.run_id] = row
        return latest

    def retries_of(self, run_id: str) -> list[str]:
        """Return the runs that make up for a run, the first one first."""
        runs = [row.run for row in self.current().values() if row.run.retry_of == run_id]
        return [run.run_id for run in sorted(runs, key=lambda run: (run.started_at, run.ticket))]

    def last_trouble(self, run_id: str) -> str:
        """Return what the latest row of a step under way says that it waits for."""
        said = (row.error_message for owner, row in self.step_rows if owner == run_id and not row.ended_at)
        return next((message for message in reversed(list(said)) if message), "")

    def billed(self, run_id: str) -> dict[int, int | None]:
        """Return what jobs were billed for, by level."""
        ended = [row for owner, row in self.step_rows if owner == run_id and row.ended_at and row.job_id]
        once = {(row.step_id, row.job_index, row.attempt): row for row in reversed(ended)}
        return {
            level: attempts.bytes_billed([row for row in once.values() if row.level == level])
            for level in {row.level for row in once.values()}
        }

    def steps_of(self, run_id: str) -> dict[str, StepRow]:
        """Return the row that counts of each step: of its last job's latest attempt, a terminal one."""
        latest: dict[str, StepRow] = {}
        for owner, row in self.step_rows:
            known = latest.get(row.step_id)
            if owner == run_id and (known is None or _beats(row, known)):
                latest[row.step_id] = row
        return latest


class MemoryProgress:
    """`ProgressReader` and `SweepReader` over the rows of `MemoryRuns`."""

    def __init__(self, rows: MemoryRuns) -> None:
        self.rows = rows

    def find(self, tenant_id: str, run_id: str, now: datetime) -> OpenRun | None:
        row = self.rows.current().get(run_id)
        return self._open_run(row) if row and row.run.tenant_id == tenant_id else None

    def look(self, quiet_before: datetime, now: datetime) -> Findings:
        self.rows.at("look")
        rows = list(self.rows.current().values())
        found = [self._open_run(row) for row in rows if not row.status.is_terminal]
        return Findings(
            open_runs=[run for run in found if run.progress.last_activity < quiet_before],
            gaps=[gap for tenant_id in self.rows.tenants for gap in _gaps(tenant_id, rows)],
            last_recorded_at=max((row.recorded_at for row in rows), default=None),
        )

    def _open_run(self, row: RunRow) -> OpenRun:
        run = row.run
        steps = self.rows.steps_of(run.run_id)
        progress = Progress(
            completed=frozenset(id_ for id_, step in steps.items() if step.status is StepStatus.COMPLETED),
            skipped=frozenset(id_ for id_, step in steps.items() if step.status is StepStatus.SKIPPED),
            reached_level=max(
                (step.level for step in steps.values() if step.status is not StepStatus.SKIPPED), default=0
            ),
            has_begun=bool(steps),
            last_activity=max([row.recorded_at, *self.rows.heard_of.get(run.run_id, [])]),
            billed=self.rows.billed(run.run_id),
            last_trouble=self.rows.last_trouble(run.run_id),
        )
        config = self.rows.tenants[run.tenant_id].configs.get(run.config_id)
        return OpenRun(run=run, status=row.status, config=config, progress=progress)


def _gaps(tenant_id: str, rows: list[RunRow]) -> list[Gap]:
    tickets = sorted(row.run.ticket for row in rows if row.run.tenant_id == tenant_id)
    pairs = pairwise([0, *tickets])
    return [Gap(tenant_id=tenant_id, after=low, before=high) for low, high in pairs if high > low + 1]


class MemoryLevels:
    """`LevelPublisher`: a queue of encoded messages, so that what cannot be written cannot be sent.

    A simulation has `on_sent` take them as they are: it sends too many.
    """

    def __init__(self, at: Callable[[str], None] = nowhere) -> None:
        self.at = at
        self.sent: list[bytes] = []
        self.on_sent: Callable[[LevelMessage], None] = lambda message: self.sent.append(encode(message))

    def publish_level(self, message: LevelMessage) -> None:
        self.at(f"before publish {message.run.run_id} {message.level}")
        self.on_sent(message)
        self.at(f"after publish {message.run.run_id} {message.level}")

    def take(self) -> LevelMessage:
        """Take the oldest message."""
        return decode(self.sent.pop(0))


def _stored(row: RunRow) -> StoredRun:
    secret_names = frozenset(one.name for one in row.run.secrets)
    return StoredRun(run=row.run, status=row.status, secret_names=secret_names)


def _ledger(
    tenant: MemoryTenant, rows: list[RunRow], now: datetime, uncounted: frozenset[EndReason] = UNCOUNTED
) -> Ledger:
    counted = [row for row in rows if row.status is not RunStatus.FAILED or row.reason not in uncounted]
    tickets = sorted(row.run.ticket for row in rows)
    return Ledger(
        limits=tenant.limits,
        use=Use(
            today=sum(row.run.started_at >= start_of_day(now) for row in counted),
            month=sum(row.run.started_at >= start_of_month(now) for row in rows),
            running=sum(not row.status.is_terminal for row in rows),
            scheduled=sum(_is_scheduled(row) and row.run.started_at >= start_of_day(now) for row in counted),
        ),
        last_ticket=tickets[-1] if tickets else 0,
        first_ticket=tickets[0] if tickets and _first_start(rows) >= may_count_since(now) else 0,
        gaps=gaps_between(pairwise(tickets)),
        backfills=Counter(id_ for row in rows if (id_ := row.run.trigger.backfill_id) and row.is_open),
        schedules=_schedules(row for row in rows if row.is_open and _is_scheduled(row)),
        spending=_spending(row for row in rows if row.run.started_at >= start_of_month(now)),
        budgets=dict(tenant.budgets),
    )


def _spending(rows: Iterable[RunRow]) -> dict[str, Spending]:
    found: dict[str, Spending] = {}
    for row in rows:
        config_id, held = row.run.config_id, row.run.bytes_held
        if row.is_open:
            spent = Spending(boundless=1) if held is None else Spending(held=held)
        elif row.bytes_billed is None and held is None:
            spent = Spending(unknown=1)
        else:
            spent = Spending(billed=(row.bytes_billed if row.bytes_billed is not None else held) or 0)
        found[config_id] = found.get(config_id, Spending()) + spent
    return found


def _is_scheduled(row: RunRow) -> bool:
    return row.run.trigger.type is TriggerType.SCHEDULE


def _schedules(rows: Iterable[RunRow]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for row in sorted(rows, key=lambda row: row.run.ticket):
        found[row.run.config_id] = (*found.get(row.run.config_id, ()), row.run.run_id)
    return found


def _first_start(rows: list[RunRow]) -> datetime:
    return min(row.run.started_at for row in rows)


def _beats(row: StepRow, known: StepRow) -> bool:
    is_newer = _rank(row) == _rank(known) and row.status is StepStatus.RUNNING
    return _rank(row) > _rank(known) or is_newer


def _rank(row: StepRow) -> tuple[int, int, bool]:
    return row.job_index, row.attempt, row.status is not StepStatus.RUNNING

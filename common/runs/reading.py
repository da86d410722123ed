"""Reading runs: one with its levels and steps, and the history of a tenant page by page.

The history is in the order in which runs were asked for: by the moment at which a run joined the queue, or
else was admitted. Neither changes any more, so a run keeps its place from QUEUED to its end, and pages
neither lose it nor show it twice.
"""

import json
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import BoundedSemaphore
from typing import Any, Protocol

from common.claims import ClaimJobs
from common.costs.budgets import Budget, Owner, Spending
from common.cursors import cursor_at, position_of
from common.errors import InvalidInput, NotFound, Violation
from common.pipelines.plans import CHECKS
from common.runs.holds import spending_now
from common.runs.ports import AdmissionReads
from common.runs.quotas import Quota, quotas
from common.runs.run import RunStatus, StepStatus
from common.runs.tickets import counted, without_rows
from common.times import Clock

HISTORY_WINDOW = timedelta(days=400)
MAX_WAITING = 10
"""How many requests at a time one instance lets wait for runs: a quarter of its threads."""
FIRST_PAUSE_SECONDS, PAUSE_GROWTH, MAX_PAUSE_SECONDS = 0.25, 1.2, 5.0
"""How often a run is looked at for who waits for it: each look is a query."""
END_OF_IDS = "~"  # sorts after every run ID


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """What a tenant's runs may come to, and do: their number, and the bytes of this month's by config."""

    quotas: tuple[Quota, Quota, Quota]
    budgets: Mapping[Owner, Budget]
    spending: Mapping[str, Spending]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryFilter:
    """Which runs of a tenant are wanted; "" leaves a filter out, `before_*` is where the page begins."""

    since: datetime
    until: datetime
    before_time: datetime
    before_id: str = END_OF_IDS
    status: str = ""
    config_id: str = ""
    page_size: int = 20


class RunReader(Protocol):
    """Where runs are read."""

    def read_run(self, tenant_id: str, run_id: str, now: datetime) -> Mapping[str, Any] | None:
        """Return a run's columns and its `steps` (latest attempts, in order), None where there is none."""

    def read_receipt(self, tenant_id: str, run_id: str, since: datetime) -> Sequence[Mapping[str, Any]]:
        """Return the columns of every attempt of every step of a run that began at `since`, in order."""

    def read_checks(self, tenant_id: str, run_id: str, since: datetime) -> Sequence[Mapping[str, Any]]:
        """Return what came of the checks of a run that began at `since`, each once, by step and name."""

    def read_figures(
        self, tenant_id: str, run_ids: Collection[str], since: datetime
    ) -> Sequence[Mapping[str, Any]]:
        """Return what the steps of runs have come to, each run once; the first of them began at `since`."""

    def read_history(self, tenant_id: str, wanted: HistoryFilter) -> Sequence[Mapping[str, Any]]:
        """Return the columns of runs, those in the queue too, the last asked for first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLog:
    """What a tenant can learn of its runs."""

    reader: RunReader
    facts: AdmissionReads
    claims: ClaimJobs
    clock: Clock
    sleep: Callable[[float], None] = time.sleep
    waiting: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(MAX_WAITING))
    """Those who wait for a run; an instance keeps its other threads for everybody else."""

    def status(self, tenant_id: str, run_id: str, wait_seconds: float = 0) -> dict[str, Any]:
        """Return a run with its levels and steps; NotFound where this tenant has none of that ID.

        With `wait_seconds` the answer comes once the run has ended or got further, or the time is up: at once
        where too many wait already.
        """
        run = self._status(tenant_id, run_id)
        if wait_seconds and not RunStatus(run["status"]).is_terminal and self.waiting.acquire(blocking=False):
            try:
                return self._further(run, tenant_id, self.clock() + timedelta(seconds=wait_seconds))
            finally:
                self.waiting.release()
        return run

    def _further(self, run: dict[str, Any], tenant_id: str, until: datetime) -> dict[str, Any]:
        seen, pause = _picture(run), FIRST_PAUSE_SECONDS
        while _picture(run) == seen and self.clock() + timedelta(seconds=pause) <= until:
            self.sleep(pause)
            pause = min(pause * PAUSE_GROWTH, MAX_PAUSE_SECONDS)
            run = self._status(tenant_id, run["pipeline_logging_id"])
        return run

    def _status(self, tenant_id: str, run_id: str) -> dict[str, Any]:
        row = self.reader.read_run(tenant_id, run_id, self.clock())
        if row is None:
            raise NotFound(f"there is no run {run_id!r}")
        # Most runs check nothing, and this is a query of its own.
        checks = self.reader.read_checks(tenant_id, run_id, row["start_time"]) if _has_checks(row) else ()
        return described(row, checks)

    def receipt(self, tenant_id: str, run_id: str) -> dict[str, Any]:
        """Return a run with every job that it made in BigQuery; NotFound where the tenant has none such."""
        run = self._status(tenant_id, run_id)
        attempts = self.reader.read_receipt(tenant_id, run_id, run["start_time"])
        return run | {"attempts": [_attempt(attempt) for attempt in attempts if attempt["job_id"]]}

    def history(
        self, tenant_id: str, *, cursor: str = "", with_figures: bool = False, **filters: Any
    ) -> tuple[list[dict[str, Any]], str]:
        """Return a page of runs, the last asked for first, and the cursor of the next ("" at the end).

        With `with_figures` each has `figures`: what its steps have come to so far.
        """
        wanted = history_filter(self.clock(), cursor=cursor, **filters)
        rows = [dict(row) for row in self.reader.read_history(tenant_id, wanted)]
        if with_figures:
            self._add_figures(tenant_id, rows)
        is_full = len(rows) == wanted.page_size
        names = ("status", "config_id", "since", "until")
        if not is_full:
            return rows, ""
        last, asked = rows[-1], [filters.get(name) for name in names]
        moment = last.get("queued_at") or last["start_time"]
        return rows, cursor_at(moment, last["pipeline_logging_id"], asked)

    def _add_figures(self, tenant_id: str, rows: Sequence[dict[str, Any]]) -> None:
        """Add what runs have come to; a page without runs that have begun asks for nothing."""
        begun = [row for row in rows if row["status"] != RunStatus.QUEUED and not row.get("refused_firings")]
        ids = [row["pipeline_logging_id"] for row in begun]
        since = min((row["start_time"] for row in begun), default=None)
        found = self.reader.read_figures(tenant_id, ids, since) if since else ()
        figures = {one["pipeline_logging_id"]: one for one in found}
        for row in rows:
            row["figures"] = figures.get(row["pipeline_logging_id"], {})

    def allowed(self, tenant_id: str) -> Allowed:
        """Return the use of the three limits and of budgets, counted as an admission would count it now."""
        now = self.clock()
        ledger = self.facts.read_admission(tenant_id, "", "", now).ledger
        rowless = without_rows(self.claims, tenant_id, ledger)
        return Allowed(
            quotas=quotas(counted(ledger.use, rowless, now), ledger.limits, now),
            budgets=ledger.budgets,
            spending=spending_now(ledger, rowless, now),
        )


def history_filter(
    now: datetime,
    *,
    cursor: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    status: str = "",
    config_id: str = "",
    page_size: int = 20,
) -> HistoryFilter:
    """Put a filter together; InvalidInput for a cursor that is none of ours."""
    end = until or now + timedelta(days=1)
    if since and since >= end:
        raise InvalidInput([Violation("/query/to", "must be later than `from`")])
    before_time, before_id = (
        position_of(cursor, [status, config_id, since, until]) if cursor else (end, END_OF_IDS)
    )
    return HistoryFilter(
        since=since or now - HISTORY_WINDOW,
        until=end,
        before_time=before_time,
        before_id=before_id,
        status=status,
        config_id=config_id,
        page_size=page_size,
    )


def described(row: Mapping[str, Any], checks: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """Arrange a run's columns and steps as levels; steps that have no row yet are PENDING."""
    metadata = json.loads(row["run_metadata"] or "{}")
    steps = {step["step_id"]: dict(step) for step in row["steps"]}
    for step_id, step in steps.items():
        step["checks"] = [dict(check) for check in checks if check["step_id"] == step_id]
    outline: list[list[str]] = metadata.get("levels", [])
    levels = [_level(number, step_ids, steps) for number, step_ids in enumerate(outline, start=1)]
    run = {name: value for name, value in row.items() if name not in {"steps", "run_metadata", "parameters"}}
    if run["status"] == RunStatus.PENDING and steps:
        run["status"] = RunStatus.RUNNING.value
    return run | {
        "queued_at": row.get("queued_at") or metadata.get("queued_at"),
        "parameters": json.loads(row["parameters"] or "{}"),
        "retry_of": metadata.get("retry_of"),
        "left_out": metadata.get("left_out", []),
        "levels": levels,
    }


def figures_of(run: Mapping[str, Any]) -> dict[str, int | None]:
    """Sum up what the steps of a run have come to; None where none of them says anything."""
    steps = [step for level in run["levels"] for step in level["steps"]]
    own = [step for step in steps if step.get("job_project")]
    platforms = [step for step in steps if not step.get("job_project")]
    return {
        "rows_processed": _sum(steps, "rows_processed"),
        "bytes_processed": _sum(steps, "bytes_processed"),
        "bytes_billed": _sum(platforms, "bytes_billed"),
        "own_project_bytes_billed": _sum(own, "bytes_billed"),
    }


def _sum(steps: Sequence[Mapping[str, Any]], name: str) -> int | None:
    known = [step[name] for step in steps if step.get(name) is not None]
    return sum(known) if known else None


def _attempt(row: Mapping[str, Any]) -> dict[str, Any]:
    return dict(row) | {"metadata": json.loads(row["metadata"] or "{}")}


def _has_checks(row: Mapping[str, Any]) -> bool:
    outlines = json.loads(row["run_metadata"] or "{}").get("steps", [])
    return any(CHECKS in outline.get("jobs", ()) for outline in outlines)


def _picture(run: Mapping[str, Any]) -> tuple[object, ...]:
    """Return what changes as a run gets further."""
    steps = (step for level in run["levels"] for step in level["steps"])
    return run["status"], *((step["status"], step.get("attempt")) for step in steps)


def _level(number: int, step_ids: Sequence[str], rows: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    steps = [
        rows.get(step_id) or {"step_id": step_id, "status": StepStatus.PENDING.value} for step_id in step_ids
    ]
    return {"level": number, "status": level_status({step["status"] for step in steps}), "steps": steps}


def level_status(states: set[str]) -> str:
    """Sum up the states of a level's steps in one word."""
    for status in (StepStatus.RUNNING, StepStatus.FAILED, StepStatus.CANCELLED):
        if status in states:
            return status.value
    if len(states) == 1:
        return next(iter(states))
    return StepStatus.RUNNING.value

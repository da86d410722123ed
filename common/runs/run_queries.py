"""Reading runs: one with its levels and steps, and the history of a tenant page by page.

The history is in the order in which runs were asked for: by the moment at which a run joined the queue, or
else was admitted. Neither changes any more, so a run keeps its place from QUEUED to its end, and pages
neither lose it nor show it twice.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import BoundedSemaphore
from typing import Protocol

from common.claims import ClaimJobs
from common.costs.budgets import Budget, Owner, Spending
from common.cursors import cursor_at, position_of
from common.errors import InvalidInput, NotFound, Violation
from common.quality.check_queries import CheckView
from common.runs.holds import spending_now
from common.runs.ports import AdmissionReads
from common.runs.quotas import Quota, quotas
from common.runs.run import RunStatus
from common.runs.tickets import counted, without_rows
from common.runs.views import AttemptView, Figures, Receipt, RunDetails, RunView
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


class RunReads(Protocol):
    """Where runs are read to be looked at."""

    def read_run(self, tenant_id: str, run_id: str, now: datetime) -> RunDetails | None:
        """Return a run with its levels and steps, None where there is none."""

    def read_receipt(self, tenant_id: str, run_id: str, since: datetime) -> Sequence[AttemptView]:
        """Return every attempt of every job of the steps of a run that began at `since`, in order."""

    def read_checks(self, tenant_id: str, run_id: str, since: datetime) -> Sequence[CheckView]:
        """Return what came of the checks of a run that began at `since`, each once, by step and name."""

    def read_figures(
        self, tenant_id: str, run_ids: Collection[str], since: datetime
    ) -> Mapping[str, Figures]:
        """Return what the steps of runs have come to, by run; the first of them began at `since`."""

    def read_history(self, tenant_id: str, wanted: HistoryFilter) -> Sequence[RunView]:
        """Return runs, those in the queue too, the last asked for first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunQueries:
    """What a tenant can learn of its runs."""

    reads: RunReads
    facts: AdmissionReads
    claims: ClaimJobs
    clock: Clock
    sleep: Callable[[float], None] = time.sleep
    waiting: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(MAX_WAITING))
    """Those who wait for a run; an instance keeps its other threads for everybody else."""

    def status(self, tenant_id: str, run_id: str, wait_seconds: float = 0) -> RunDetails:
        """Return a run with its levels and steps; NotFound where this tenant has none of that ID.

        With `wait_seconds` the answer comes once the run has ended or got further, or the time is up: at once
        where too many wait already.
        """
        run = self._status(tenant_id, run_id)
        if wait_seconds and not run.status.is_terminal and self.waiting.acquire(blocking=False):
            try:
                return self._further(run, self.clock() + timedelta(seconds=wait_seconds))
            finally:
                self.waiting.release()
        return run

    def _further(self, run: RunDetails, until: datetime) -> RunDetails:
        seen, pause = _picture(run), FIRST_PAUSE_SECONDS
        while _picture(run) == seen and self.clock() + timedelta(seconds=pause) <= until:
            self.sleep(pause)
            pause = min(pause * PAUSE_GROWTH, MAX_PAUSE_SECONDS)
            run = self._status(run.tenant_id, run.run_id)
        return run

    def _status(self, tenant_id: str, run_id: str) -> RunDetails:
        run = self.reads.read_run(tenant_id, run_id, self.clock())
        if run is None:
            raise NotFound(f"there is no run {run_id!r}")
        # Most runs check nothing, and this is a query of its own.
        if not run.has_checks:
            return run
        return run.with_checks(self.reads.read_checks(tenant_id, run_id, run.started_at))

    def receipt(self, tenant_id: str, run_id: str) -> Receipt:
        """Return a run with every job that it made in BigQuery; NotFound where the tenant has none such."""
        run = self._status(tenant_id, run_id)
        attempts = self.reads.read_receipt(tenant_id, run_id, run.started_at)
        return Receipt(run=run, attempts=tuple(attempt for attempt in attempts if attempt.job_id))

    def history(
        self,
        tenant_id: str,
        *,
        cursor: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
        status: str = "",
        config_id: str = "",
        page_size: int = 20,
        with_figures: bool = False,
    ) -> tuple[Sequence[RunView], str]:
        """Return a page of runs, the last asked for first, and the cursor of the next ("" at the end).

        With `with_figures` each has `figures`: what its steps have come to so far.
        """
        wanted = history_filter(
            self.clock(),
            cursor=cursor,
            since=since,
            until=until,
            status=status,
            config_id=config_id,
            page_size=page_size,
        )
        runs = self.reads.read_history(tenant_id, wanted)
        if with_figures:
            runs = self._with_figures(tenant_id, runs)
        if len(runs) < wanted.page_size:
            return runs, ""
        return runs, cursor_at(runs[-1].asked_at, runs[-1].run_id, [status, config_id, since, until])

    def _with_figures(self, tenant_id: str, runs: Sequence[RunView]) -> Sequence[RunView]:
        """Add what runs have come to; a page without runs that have begun asks for nothing."""
        begun = [run for run in runs if run.status is not RunStatus.QUEUED and not run.refused_firings]
        since = min((run.started_at for run in begun), default=None)
        ids = [run.run_id for run in begun]
        found = self.reads.read_figures(tenant_id, ids, since) if since else {}
        return [replace(run, figures=found.get(run.run_id, Figures())) for run in runs]

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


def _picture(run: RunDetails) -> tuple[object, ...]:
    """Return what changes as a run gets further."""
    return run.status, *((step.status, step.attempt) for step in run.steps)

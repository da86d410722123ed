"""The sweeper: each minute it finds what died half-way, and sets it going again or ends it.

It decides nothing by itself: a run gone quiet gets its current level delivered once more, and the level's
worker sees in BigQuery what has been done (`common.runs.levels`). So two sweepers at once, or a sweeper and a
live worker, do no harm.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from common.claims import ClaimJobs
from common.errors import ConvergenceError, InvalidInput, NotFound
from common.logs import log_context
from common.pipelines.pipeline import Pipeline
from common.runs.level_messages import LevelMessage
from common.runs.ports import ConfigText, LevelPublisher, RunWrites
from common.runs.progress import OpenRun
from common.runs.run import EndReason, Run, RunStatus, Trigger, TriggerType
from common.runs.tickets import MAX_GAPS, Ticket, look_up
from common.times import Clock

logger = logging.getLogger(__name__)

# A run whose first level has not begun has lost its message; a running one speaks up within a level's budget.
QUIET_BEFORE_START = timedelta(minutes=1)
MAX_UNBEGUN = 100
"""Where more runs than these have not begun after a minute, their messages are not lost: they wait."""
MAX_CONTINUED = 500
"""Runs that one round continues: where more are quiet, workers are missing, and messages do not help."""


NEVER_BEGUN = "the run was admitted and never begun"
MAX_REASON = 2_000
"""Of a run's error, in characters: a file can break many rules."""
MAX_UNKNOWN_TICKETS = 3
"""Numbers of a gap that nobody holds, before the rest of the gap is taken for forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Tickets of a tenant that no run row has: those between two numbers, both of which are not in it."""

    tenant_id: str
    after: int
    before: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What one look at all tenants' runs has found."""

    open_runs: Sequence[OpenRun]
    gaps: Sequence[Gap]
    last_recorded_at: datetime | None
    """When the newest run row was appended, None where there is none."""


class SweepReader(Protocol):
    """What the sweeper reads of all tenants: one query a minute where all is well."""

    def look(self, quiet_before: datetime, now: datetime) -> Findings:
        """Return the runs that are open and were last heard of before a moment, and the recent gaps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What one round did, and when the newest row was appended that it saw."""

    continued: int
    tickets_closed: int
    last_recorded_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweeper:
    """Continues quiet runs and closes orphaned tickets; a failure of one does not keep it from the others."""

    reader: SweepReader
    store: RunWrites
    claims: ClaimJobs
    levels: LevelPublisher
    compile: Callable[[str, ConfigText], Pipeline]
    clock: Clock
    quiet_after: timedelta
    """Longer than a level call works and its next message waits: what is merely slow is not disturbed."""

    def sweep(self) -> Swept:
        """Do one round."""
        now = self.clock()
        findings = self.reader.look(now - QUIET_BEFORE_START, now)
        quiet = self._quiet(findings.open_runs, now)
        return Swept(
            continued=sum(self._continued(found) for found in _turn(quiet, now)),
            tickets_closed=sum(self._close_all(gap, now) for gap in findings.gaps),
            last_recorded_at=findings.last_recorded_at,
        )

    def _quiet(self, open_runs: Sequence[OpenRun], now: datetime) -> list[OpenRun]:
        """Return the runs whose message is lost, or whose worker died, as far as silence tells."""
        begun = [found for found in open_runs if found.progress.has_begun]
        unbegun = [found for found in open_runs if not found.progress.has_begun]
        late = _silent(unbegun, QUIET_BEFORE_START, now)
        if len(late) > MAX_UNBEGUN:  # More messages would only make all of them wait longer.
            late = _silent(unbegun, self.quiet_after, now)
        return [*_silent(begun, self.quiet_after, now), *late]

    def _continued(self, found: OpenRun) -> bool:
        with log_context(tenant=found.run.tenant_id, run=found.run.run_id):
            try:
                message = self._next_message(found)
                self.levels.publish_level(message)
            except ConvergenceError:
                logger.exception("quiet run could not be continued")
                return False
            logger.warning("quiet run continued", extra={"level": message.level})
            return True

    def _next_message(self, found: OpenRun) -> LevelMessage:
        """Have the run go on; or end it, where today's rules refuse what it was to do next."""
        try:
            return found.message(self.compile)
        except (InvalidInput, NotFound) as refused:
            logger.warning("quiet run ends", extra={"error": str(refused)})
            return found.ending_message(f"it could not be continued: {refused}"[:MAX_REASON])

    def _close_all(self, gap: Gap, now: datetime) -> int:
        """Give the tickets of a gap whose admissions died the rows that they lack; count them."""
        tickets_closed = unknown = 0
        for number in range(gap.before - 1, max(gap.after, gap.before - 1 - MAX_GAPS), -1):
            ticket = look_up(self.claims, gap.tenant_id, number)
            if ticket is None:
                # Tickets are claimed without gaps: what is below is older than BigQuery's memory of jobs, or
                # one of the few numbers that were taken and told nobody by whom.
                unknown += 1
                if unknown > MAX_UNKNOWN_TICKETS:
                    break
                continue
            if ticket.is_orphaned(now):
                self._close(gap.tenant_id, ticket, now)
                tickets_closed += 1
        return tickets_closed

    def _close(self, tenant_id: str, ticket: Ticket, now: datetime) -> None:
        run = Run(
            tenant_id=tenant_id,
            run_id=ticket.run_id,
            config_id=ticket.config_id,
            config_version=0,
            ticket=ticket.number,
            started_at=ticket.admitted_at,
            run_date=ticket.admitted_at.date(),
            trigger=Trigger(
                type=TriggerType.SCHEDULE if ticket.is_scheduled else TriggerType.API, by="unknown"
            ),
        )
        with log_context(tenant=tenant_id, run=run.run_id):
            self.store.append_run(run, RunStatus.FAILED, now, NEVER_BEGUN, EndReason.NEVER_BEGUN, 0)
            logger.warning("orphaned ticket closed", extra={"ticket": ticket.number})


def _silent(runs: Sequence[OpenRun], since: timedelta, now: datetime) -> list[OpenRun]:
    return [found for found in runs if now - found.progress.last_activity >= since]


def _turn(quiet: Sequence[OpenRun], now: datetime) -> Sequence[OpenRun]:
    """Return the runs whose turn it is this minute: where they are too many, others than a minute ago."""
    if len(quiet) <= MAX_CONTINUED:
        return quiet
    ordered = sorted(quiet, key=lambda found: found.run.run_id)
    start = int(now.timestamp() // 60) * MAX_CONTINUED % len(ordered)
    return [*ordered, *ordered][start : start + MAX_CONTINUED]

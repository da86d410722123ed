"""Runs that have not begun: what is in the queue, or was refused, is looked at like any run."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from common.pipelines.secret_values import shown
from common.quality.check_queries import CheckView
from common.queue.refusals import Refusal, RefusalReader, is_refusal
from common.queue.run_queue import QueueEntry, QueueStore
from common.queue.waiting import SCHEDULER
from common.runs.run import EndReason, RunStatus, TriggerType
from common.runs.run_queries import HistoryFilter, RunReads
from common.runs.views import AttemptView, Figures, RefusedFirings, RunDetails, RunView


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedRunReads:
    """`RunReads` that also find runs in the queue, by ID, and refused firings of schedules."""

    reads: RunReads
    queue: QueueStore
    refusals: RefusalReader

    def read_run(self, tenant_id: str, run_id: str, now: datetime) -> RunDetails | None:
        """Return a run, from the queue where it has no rows of its own."""
        if is_refusal(run_id):
            refusal = self.refusals.find_refusal(tenant_id, run_id, now)
            return view_of_refusal(refusal) if refusal else None
        if run := self.reads.read_run(tenant_id, run_id, now):
            return run
        entry = self.queue.find(tenant_id, run_id, now)
        return view_of_entry(entry) if entry else None

    def read_receipt(self, tenant_id: str, run_id: str, since: datetime) -> Sequence[AttemptView]:
        """Return the attempts of a run's steps."""
        return self.reads.read_receipt(tenant_id, run_id, since)

    def read_checks(self, tenant_id: str, run_id: str, since: datetime) -> Sequence[CheckView]:
        """Return what came of a run's checks."""
        return self.reads.read_checks(tenant_id, run_id, since)

    def read_figures(
        self, tenant_id: str, run_ids: Collection[str], since: datetime
    ) -> Mapping[str, Figures]:
        """Return what runs have come to: those that have not begun come to nothing."""
        return self.reads.read_figures(tenant_id, run_ids, since)

    def read_history(self, tenant_id: str, wanted: HistoryFilter) -> Sequence[RunView]:
        """Return runs, those in the queue too: one query reads both."""
        return self.reads.read_history(tenant_id, wanted)


def view_of_entry(entry: QueueEntry) -> RunDetails:
    """Show a run that waits, or that left the queue without having begun."""
    waiting, is_over = entry.waiting, entry.status.is_terminal
    interval = waiting.interval
    return RunDetails(
        run_id=waiting.run_id,
        tenant_id=waiting.tenant_id,
        config_id=waiting.config_id,
        config_version=waiting.config_version,
        status=entry.status,
        trigger_type=waiting.trigger.type.value,
        trigger_by=waiting.trigger.by,
        queued_at=waiting.added_at,
        started_at=waiting.added_at,
        ended_at=entry.recorded_at if is_over else None,
        run_date=waiting.run_date,
        interval_start=interval.start if interval else None,
        interval_end=interval.end if interval else None,
        error_reason=EndReason.CANCELLED.value if entry.status is RunStatus.CANCELLED else None,
        error_message=entry.error or None,
        left_out=waiting.left_out,
        parameters=shown(waiting.parameters),
    )


def view_of_refusal(refusal: Refusal) -> RunDetails:
    """Show refused firings as the history does."""
    interval = refusal.interval
    return RunDetails(
        run_id=refusal.refusal_id,
        tenant_id=refusal.tenant_id,
        config_id=refusal.config_id,
        config_version=refusal.config_version,
        status=refusal.status,
        trigger_type=TriggerType.SCHEDULE.value,
        trigger_by=SCHEDULER,
        started_at=refusal.asked_at,
        ended_at=refusal.recorded_at,
        run_date=refusal.run_date,
        interval_start=interval.start if interval else None,
        interval_end=interval.end if interval else None,
        error_message=refusal.error,
        refused_firings=RefusedFirings(
            count=refusal.firings, first_time=refusal.first_time, last_time=refusal.last_time
        ),
    )

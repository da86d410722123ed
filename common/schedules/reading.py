"""Reading runs that have not begun: what is in the queue, or was refused, is shown like any run."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common.pipelines.secret_values import shown
from common.runs.reading import HistoryFilter, RunReader
from common.runs.run import EndReason, RunStatus, TriggerType
from common.schedules.queue import QueueEntry, QueueStore
from common.schedules.refusals import Refusal, RefusalReader, is_refusal
from common.schedules.waiting import SCHEDULER


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedRunReader:
    """A `RunReader` that also finds runs in the queue, by ID, and refused firings of schedules."""

    reader: RunReader
    queue: QueueStore
    refusals: RefusalReader

    def read_run(self, tenant_id: str, run_id: str, now: datetime) -> Mapping[str, Any] | None:
        """Return a run's columns, from the queue where it has no rows of its own."""
        if is_refusal(run_id):
            refusal = self.refusals.find_refusal(tenant_id, run_id, now)
            return row_of_refusal(refusal) if refusal else None
        if row := self.reader.read_run(tenant_id, run_id, now):
            return row
        entry = self.queue.find(tenant_id, run_id, now)
        return _row(entry) if entry else None

    def read_receipt(self, tenant_id: str, run_id: str, since: datetime) -> Sequence[Mapping[str, Any]]:
        """Return the attempts of a run's steps."""
        return self.reader.read_receipt(tenant_id, run_id, since)

    def read_checks(self, tenant_id: str, run_id: str, since: datetime) -> Sequence[Mapping[str, Any]]:
        """Return what came of a run's checks."""
        return self.reader.read_checks(tenant_id, run_id, since)

    def read_figures(
        self, tenant_id: str, run_ids: Collection[str], since: datetime
    ) -> Sequence[Mapping[str, Any]]:
        """Return what runs have come to: those that have not begun come to nothing."""
        return self.reader.read_figures(tenant_id, run_ids, since)

    def read_history(self, tenant_id: str, wanted: HistoryFilter) -> Sequence[Mapping[str, Any]]:
        """Return the columns of runs, those in the queue too: one query reads both."""
        return self.reader.read_history(tenant_id, wanted)


def _row(entry: QueueEntry) -> dict[str, Any]:
    waiting = entry.waiting
    return {
        "pipeline_logging_id": waiting.run_id,
        "tenant_id": waiting.tenant_id,
        "pipeline_id": waiting.config_id,
        "config_version": waiting.config_version,
        "status": entry.status.value,
        "trigger_type": waiting.trigger.type.value,
        "trigger_by": waiting.trigger.by,
        "queued_at": waiting.added_at,
        "start_time": waiting.added_at,
        "end_time": entry.recorded_at if entry.status.is_terminal else None,
        "duration_ms": None,
        "run_date": waiting.run_date,
        "interval_start": waiting.interval.start if waiting.interval else None,
        "interval_end": waiting.interval.end if waiting.interval else None,
        "error_reason": EndReason.CANCELLED.value if entry.status is RunStatus.CANCELLED else None,
        "error_message": entry.error or None,
        "parameters": json.dumps(shown(waiting.parameters)),
        "run_metadata": json.dumps({"left_out": waiting.left_out}),
        "retried_by": [],
        "steps": [],
    }


def row_of_refusal(refusal: Refusal) -> dict[str, Any]:
    """Show refused firings as the history does."""
    interval = refusal.interval
    return {
        "pipeline_logging_id": refusal.refusal_id,
        "tenant_id": refusal.tenant_id,
        "pipeline_id": refusal.config_id,
        "config_version": refusal.config_version,
        "status": refusal.status.value,
        "trigger_type": TriggerType.SCHEDULE.value,
        "trigger_by": SCHEDULER,
        "queued_at": None,
        "start_time": refusal.asked_at,
        "end_time": refusal.recorded_at,
        "duration_ms": None,
        "run_date": refusal.run_date,
        "interval_start": interval.start if interval else None,
        "interval_end": interval.end if interval else None,
        "error_message": refusal.error,
        "refused_firings": refusal.firings,
        "first_refused_time": refusal.first_time,
        "last_refused_time": refusal.last_time,
        "parameters": "{}",
        "run_metadata": None,
        "steps": [],
    }

"""The queue's rows in the central dataset, those of firings, and the runs of backfills among them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from common.backfills.backfills import IntervalRun
from common.errors import AlreadyExists
from common.pipelines.schedule import Overlap
from common.pipelines.secret_values import shown
from common.queue.firings import CATCH_UP_WINDOW
from common.queue.run_queue import QueueEntry
from common.queue.waiting import MAX_WAIT, AdmissionResult, WaitingRun
from common.runs.quotas import ScheduleShare
from common.runs.run import RunStatus, Trigger, TriggerType
from common.times import from_rfc3339, to_rfc3339
from common.warehouse.bigquery import Queries, Row
from common.warehouse.refusals import refusal_parameters
from common.warehouse.run_columns import interval_columns, interval_of, sealed_parts, with_sealed_parts
from common.warehouse.run_views import READING_WINDOW
from common.warehouse.streaming import Streaming

TABLE = "tenant_pipeline_execution_queue"
# A plan has ten slots at the most; a fill looks at no more of a tenant's waiting runs than could go at once.
MAX_PER_TENANT = 50
MAX_OF_GROUP = 10
"""Of them, runs of one schedule or backfill before the others have had theirs."""
# A run that waits was due within the time that is caught up, and has waited no longer than allowed.
WAITING_WINDOW = CATCH_UP_WINDOW + 2 * MAX_WAIT
# An entry has done its part once the run has begun.
_STATUSES = {RunStatus.PENDING: "COMPLETED"}


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRows:
    """Appends entries by streaming; the first terminal row of an entry wins."""

    queries: Queries
    streaming: Streaming

    def read_waiting(self, tenant_id: str, now: datetime) -> Sequence[WaitingRun]:
        """Return whose turn is next and who has waited too long, of one tenant or of every one."""
        rows = self.queries.read(
            "queue/waiting",
            tenant_id=tenant_id,
            since=now - WAITING_WINDOW,
            now=now,
            expired_before=now - MAX_WAIT,
            most=MAX_PER_TENANT,
            most_of_group=MAX_OF_GROUP,
        )
        return [_waiting(row) for row in rows]

    def find(self, tenant_id: str, run_id: str, now: datetime) -> QueueEntry | None:
        """Return a tenant's entry, None where it has none of that ID."""
        since = now - READING_WINDOW
        for row in self.queries.read("queue/entry", tenant_id=tenant_id, run_id=run_id, since=since):
            status = RunStatus.PENDING if row["status"] == "COMPLETED" else RunStatus(row["status"])
            error = row["error_message"] or ""
            return QueueEntry(
                waiting=_waiting(row), status=status, error=error, recorded_at=row["recorded_at"]
            )
        return None

    def append(self, result: Sequence[AdmissionResult], now: datetime) -> None:
        """Append what became of runs, all in one call."""
        rows = {f"{one.waiting.run_id}-{one.status.value}": _row(one, now) for one in result}
        self.streaming.append(TABLE, rows)


def _row(result: AdmissionResult, now: datetime) -> dict[str, Any]:
    waiting = result.waiting
    has_begun = result.status is RunStatus.PENDING
    return {
        "queue_id": waiting.run_id,
        "tenant_id": waiting.tenant_id,
        "config_id": waiting.config_id,
        "status": _STATUSES.get(result.status, result.status.value),
        "scheduled_time": to_rfc3339(waiting.due_at),
        "priority": waiting.priority,
        "parameters": json.dumps(shown(waiting.parameters)),
        "pipeline_logging_id": waiting.run_id if has_begun else None,
        "run_metadata": json.dumps(_metadata(waiting)),
        "added_at": to_rfc3339(waiting.added_at),
        "processing_started_at": to_rfc3339(now) if has_begun else None,
        "error_message": result.error or None,
        "recorded_at": to_rfc3339(now),
    }


def _metadata(waiting: WaitingRun) -> dict[str, Any]:
    return {
        "config_version": waiting.config_version,
        "run_date": waiting.run_date.isoformat(),
        "trigger_type": waiting.trigger.type.value,
        "trigger_by": waiting.trigger.by,
        "api_key_id": waiting.trigger.api_key_id,
        "user_id": waiting.trigger.user_id,
        "request_hash": waiting.request_hash,
        "traceparent": waiting.traceparent,
        **interval_columns(waiting.interval),
        "max_parallel": waiting.max_parallel,
        "over_days": waiting.over_days,
        "left_out": list(waiting.left_out),
        "share": asdict(waiting.share) if waiting.share else None,
        "overlap": waiting.overlap.value,
        "sealed_parameters": sealed_parts(waiting.parameters),
    }


def _waiting(row: Row) -> WaitingRun:
    metadata = json.loads(row["run_metadata"])
    return WaitingRun(
        tenant_id=row["tenant_id"],
        run_id=row["queue_id"],
        config_id=row["config_id"],
        config_version=metadata["config_version"],
        priority=row["priority"],
        due_at=row["scheduled_time"],
        added_at=row["added_at"],
        run_date=date.fromisoformat(metadata["run_date"]),
        trigger=Trigger(
            type=TriggerType(metadata["trigger_type"]),
            by=metadata["trigger_by"],
            api_key_id=metadata["api_key_id"],
            user_id=metadata.get("user_id", ""),
        ),
        parameters=with_sealed_parts(json.loads(row["parameters"] or "{}"), metadata),
        request_hash=metadata["request_hash"],
        traceparent=metadata["traceparent"],
        interval=interval_of(metadata),
        max_parallel=metadata.get("max_parallel", 0),
        over_days=metadata.get("over_days", False),
        left_out=tuple(metadata.get("left_out", ())),
        share=_share(metadata),
        overlap=Overlap(metadata.get("overlap", Overlap.WAIT)),
        is_queued=True,
    )


def _share(metadata: Mapping[str, Any]) -> ScheduleShare | None:
    """Read what a schedule may take; entries of before shares say nothing of it, and may take all."""
    if metadata["trigger_type"] != TriggerType.SCHEDULE:
        return None
    return ScheduleShare(**metadata.get("share") or {})


FIRINGS_TABLE = "tenant_scheduled_pipeline_runs"
# A firing waits for a day and runs for a day at the most.
FIRING_WINDOW = CATCH_UP_WINDOW + timedelta(days=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class FiringRows:
    """`common.queue.run_queue.FiringStore`."""

    queries: Queries
    streaming: Streaming

    def append_firings(self, result: Sequence[AdmissionResult], now: datetime) -> None:
        """Append what became of firings, all in one call."""
        rows = {_firing_insert_id(one): _firing_row(one, now) for one in result}
        self.streaming.append(FIRINGS_TABLE, rows)

    def record_firings(self, ended_since: datetime, now: datetime) -> None:
        """Append how the runs of firings have ended since a moment, once a minute over all dispatchers."""
        try:
            self.queries.write(
                "schedules/record",
                job_id=f"cvg-firings-{int(now.timestamp()) // 60}",
                labels={"purpose": "firings"},
                ended_since=ended_since,
                since=now - FIRING_WINDOW,
                now=now,
            )
        except AlreadyExists:
            return


def _firing_insert_id(result: AdmissionResult) -> str:
    # Each firing of a refusal has a row of its own: readers count them.
    place = f"-{to_rfc3339(result.waiting.due_at)}" if result.is_refused_firing else ""
    return f"{result.entry_id}-{result.status.value}{place}"


def _firing_row(result: AdmissionResult, now: datetime) -> dict[str, Any]:
    waiting = result.waiting
    has_begun, has_ended = result.status is RunStatus.PENDING, result.status.is_terminal
    is_refused = result.is_refused_firing
    return {
        "scheduled_run_id": result.entry_id,
        "config_id": waiting.config_id,
        "tenant_id": waiting.tenant_id,
        "status": result.status.value,
        "scheduled_time": to_rfc3339(waiting.due_at),
        "priority": waiting.priority,
        "parameters": refusal_parameters(waiting) if is_refused else json.dumps(shown(waiting.parameters)),
        "pipeline_logging_id": waiting.run_id if has_begun else None,
        "retry_count": 0,
        "max_retries": 0,
        "failed_at": to_rfc3339(now) if has_ended else None,
        "error_message": result.error or None,
        "created_at": to_rfc3339(waiting.added_at),
        "recorded_at": to_rfc3339(now),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillRows:
    """Reads backfills from the queue, where all of their runs begin."""

    queries: Queries

    def read_backfills(
        self, tenant_id: str, backfill_ids: Sequence[str], now: datetime
    ) -> Sequence[IntervalRun]:
        """Return all runs that backfills have made, in the order of their intervals."""
        rows = self.queries.read(
            "backfills/runs",
            tenant_id=tenant_id,
            backfill_ids=list(backfill_ids),
            since=now - READING_WINDOW,
        )
        return [
            IntervalRun(
                run_id=row["run_id"],
                config_id=row["config_id"],
                config_version=row["config_version"],
                backfill_id=row["backfill_id"],
                interval_start=from_rfc3339(row["interval_start"]),
                status=RunStatus(row["status"]),
                error=row["error"],
            )
            for row in rows
        ]

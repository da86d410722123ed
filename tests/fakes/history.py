"""The history of runs in memory: those that have rows, and those in the queue."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from common.runs.reading import HistoryFilter
from common.runs.run import RunStatus, StepRow, StepStatus
from common.schedules.reading import row_of_refusal
from tests.fakes.runs import MemoryRuns, RunRow
from tests.fakes.schedules import MemoryQueue, MemoryRefusals


class MemoryHistory:
    """What `RunReader` has of the history, over `MemoryRuns`, `MemoryQueue` and `MemoryRefusals`."""

    def __init__(self, rows: MemoryRuns, queue: MemoryQueue, refusals: MemoryRefusals) -> None:
        self.rows = rows
        self.queue = queue
        self.refusals = refusals

    def read_history(self, tenant_id: str, wanted: HistoryFilter) -> Sequence[dict[str, Any]]:
        current = self.rows.current()
        found = [self._begun(row) for row in current.values()]
        found += [self._waiting(run_id) for run_id in self.queue.entries() if run_id not in current]
        refused = self.refusals.read_refusals(tenant_id, wanted.since - timedelta(days=9))
        found += [row_of_refusal(one) for one in refused]
        mine = [row for row in found if row["tenant_id"] == tenant_id and _is_wanted(row, wanted)]
        return sorted(mine, key=_place, reverse=True)[: wanted.page_size]

    def read_figures(
        self, tenant_id: str, run_ids: Collection[str], since: datetime
    ) -> Sequence[dict[str, Any]]:
        mine = {run_id for run_id, row in self.rows.current().items() if row.run.tenant_id == tenant_id}
        found = []
        for run_id in mine.intersection(run_ids):
            jobs = self._jobs(run_id, since)
            if jobs:
                last = self.rows.steps_of(run_id).values()
                found.append({"pipeline_logging_id": run_id, **_figures(last, jobs)})
        return found

    def _jobs(self, run_id: str, since: datetime) -> list[StepRow]:
        """Return the row that counts of each attempt at a job: its end, or else its latest."""
        jobs: dict[tuple[str, int, int], StepRow] = {}
        for owner, row in self.rows.step_rows:
            key = (row.step_id, row.job_index, row.attempt)
            known = jobs.get(key)
            has_ended = known is not None and known.status is not StepStatus.RUNNING
            if owner == run_id and row.started_at >= since and not has_ended:
                jobs[key] = row
        return list(jobs.values())

    def _begun(self, row: RunRow) -> dict[str, Any]:
        run = row.run
        is_under_way = row.status is RunStatus.PENDING and bool(self.rows.steps_of(run.run_id))
        return {
            "pipeline_logging_id": run.run_id,
            "tenant_id": run.tenant_id,
            "pipeline_id": run.config_id,
            "config_version": run.config_version,
            "status": "RUNNING" if is_under_way else row.status.value,
            "trigger_type": run.trigger.type.value,
            "trigger_by": run.trigger.by,
            "queued_at": run.queued_at,
            "start_time": run.started_at,
            "end_time": row.recorded_at if row.status.is_terminal else None,
            "run_date": run.run_date,
            "interval_start": run.interval.start if run.interval else None,
            "interval_end": run.interval.end if run.interval else None,
            "error_message": row.error or None,
            "refused_firings": None,
            "retry_of": run.retry_of or None,
            "retried_by": self.rows.retries_of(run.run_id),
            "left_out": list(run.left_out),
        }

    def _waiting(self, run_id: str) -> dict[str, Any]:
        entry = self.queue.entries()[run_id]
        waiting = entry.waiting
        return {
            "pipeline_logging_id": run_id,
            "tenant_id": waiting.tenant_id,
            "pipeline_id": waiting.config_id,
            "config_version": waiting.config_version,
            "status": entry.status.value,
            "trigger_type": waiting.trigger.type.value,
            "trigger_by": waiting.trigger.by,
            "queued_at": waiting.added_at,
            "start_time": waiting.added_at,
            "end_time": entry.recorded_at if entry.status.is_terminal else None,
            "run_date": waiting.run_date,
            "interval_start": waiting.interval.start if waiting.interval else None,
            "interval_end": waiting.interval.end if waiting.interval else None,
            "error_message": entry.error or None,
            "refused_firings": None,
            "retry_of": None,
            "retried_by": [],
            "left_out": list(waiting.left_out),
        }


def _figures(last: Iterable[StepRow], jobs: Sequence[StepRow]) -> dict[str, int | None]:
    own = [job for job in jobs if job.job_project]
    platforms = [job for job in jobs if not job.job_project]
    return {
        "rows_processed": _sum(row.rows for row in last),
        "bytes_processed": _sum(job.bytes_processed for job in jobs),
        "bytes_billed": _sum(job.bytes_billed for job in platforms),
        "own_project_bytes_billed": _sum(job.bytes_billed for job in own),
    }


def _sum(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _place(row: dict[str, Any]) -> tuple[datetime, str]:
    return row["queued_at"] or row["start_time"], row["pipeline_logging_id"]


def _is_wanted(row: dict[str, Any], wanted: HistoryFilter) -> bool:
    asked_at, run_id = _place(row)
    return (
        wanted.since <= asked_at < wanted.until
        and wanted.status in {"", row["status"]}
        and wanted.config_id in {"", row["pipeline_id"]}
        and (asked_at, run_id) < (wanted.before_time, wanted.before_id)
    )

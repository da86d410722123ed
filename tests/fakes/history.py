"""The history of runs in memory: those that have rows, and those in the queue."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from common.queue.queued_runs import view_of_entry, view_of_refusal
from common.runs.run import RunStatus, StepRow, StepStatus
from common.runs.run_queries import HistoryFilter
from common.runs.views import Figures, RunView
from tests.fakes.runs import MemoryRuns, RunRow
from tests.fakes.schedules import MemoryQueue, MemoryRefusals


class MemoryHistory:
    """What `RunReads` has of the history, over `MemoryRuns`, `MemoryQueue` and `MemoryRefusals`."""

    def __init__(self, rows: MemoryRuns, queue: MemoryQueue, refusals: MemoryRefusals) -> None:
        self.rows = rows
        self.queue = queue
        self.refusals = refusals

    def read_history(self, tenant_id: str, wanted: HistoryFilter) -> Sequence[RunView]:
        current = self.rows.current()
        found: list[RunView] = [self._begun(row) for row in current.values()]
        found += [view_of_entry(entry) for id_, entry in self.queue.entries().items() if id_ not in current]
        refused = self.refusals.read_refusals(tenant_id, wanted.since - timedelta(days=9))
        found += [view_of_refusal(one) for one in refused]
        mine = [run for run in found if run.tenant_id == tenant_id and _is_wanted(run, wanted)]
        return sorted(mine, key=_place, reverse=True)[: wanted.page_size]

    def read_figures(
        self, tenant_id: str, run_ids: Collection[str], since: datetime
    ) -> Mapping[str, Figures]:
        mine = {run_id for run_id, row in self.rows.current().items() if row.run.tenant_id == tenant_id}
        found = {}
        for run_id in mine.intersection(run_ids):
            if jobs := self._jobs(run_id, since):
                found[run_id] = _figures(self.rows.steps_of(run_id).values(), jobs)
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

    def _begun(self, row: RunRow) -> RunView:
        run = row.run
        is_under_way = row.status is RunStatus.PENDING and bool(self.rows.steps_of(run.run_id))
        return RunView(
            run_id=run.run_id,
            tenant_id=run.tenant_id,
            config_id=run.config_id,
            config_version=run.config_version,
            status=RunStatus.RUNNING if is_under_way else row.status,
            trigger_type=run.trigger.type.value,
            trigger_by=run.trigger.by,
            queued_at=run.queued_at,
            started_at=run.started_at,
            ended_at=row.recorded_at if row.status.is_terminal else None,
            run_date=run.run_date,
            interval_start=run.interval.start if run.interval else None,
            interval_end=run.interval.end if run.interval else None,
            error_message=row.error or None,
            retry_of=run.retry_of or None,
            retried_by=tuple(self.rows.retries_of(run.run_id)),
            left_out=run.left_out,
        )


def _figures(last: Iterable[StepRow], jobs: Sequence[StepRow]) -> Figures:
    return Figures(
        rows_processed=_sum(row.rows for row in last),
        bytes_processed=_sum(job.bytes_processed for job in jobs),
        bytes_billed=_sum(job.bytes_billed for job in jobs if not job.job_project),
        own_project_bytes_billed=_sum(job.bytes_billed for job in jobs if job.job_project),
    )


def _sum(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _place(run: RunView) -> tuple[datetime, str]:
    return run.asked_at, run.run_id


def _is_wanted(run: RunView, wanted: HistoryFilter) -> bool:
    return (
        wanted.since <= run.asked_at < wanted.until
        and wanted.status in {"", run.status}
        and wanted.config_id in {"", run.config_id}
        and _place(run) < (wanted.before_time, wanted.before_id)
    )

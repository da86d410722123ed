"""Runs as they are looked at, read of the central dataset (`RunReads` of `common.runs`)."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from common.pipelines.plans import CHECKS
from common.quality.check_queries import CheckView
from common.runs.run import RunStatus, StepStatus
from common.runs.run_queries import HistoryFilter
from common.runs.views import (
    AttemptView,
    Figures,
    RefusedFirings,
    RunDetails,
    RunView,
    StepView,
    levels_of,
)
from common.times import from_rfc3339
from common.warehouse.bigquery import Queries, Row
from common.warehouse.check_rows import check_view
from common.warehouse.step_rows import CLOCKS_APART

READING_WINDOW = timedelta(days=400)
# Who looks at a run mostly looks at one that is under way: a run takes a day at the most.
LATELY = timedelta(days=3)
# What joins the queue was due no longer ago than schedules catch up with, and begins within a day or never.
MAX_BEFORE_QUEUE = timedelta(days=9)
MAX_IN_QUEUE = timedelta(days=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunViewRows:
    """Reads rows by queries that name tenant and days."""

    queries: Queries

    def read_run(self, tenant_id: str, run_id: str, now: datetime) -> RunDetails | None:
        """Read one run with its steps, None where the tenant has none of that ID."""
        for window in (LATELY, READING_WINDOW):
            since = now - window
            if rows := self.queries.read("runs/status", tenant_id=tenant_id, run_id=run_id, since=since):
                return _details(rows[0])
        return None

    def read_receipt(self, tenant_id: str, run_id: str, since: datetime) -> list[AttemptView]:
        """Read every attempt of every step of a run that has begun at `since`, in order."""
        since -= CLOCKS_APART
        rows = self.queries.read("runs/receipt", tenant_id=tenant_id, run_id=run_id, since=since)
        return [_attempt(row) for row in rows]

    def read_checks(self, tenant_id: str, run_id: str, since: datetime) -> list[CheckView]:
        """Read what came of the checks of a run that has begun at `since`, each once."""
        day = (since - CLOCKS_APART).date()
        rows = self.queries.read("quality/of_run", tenant_id=tenant_id, run_id=run_id, since=day)
        return [check_view(row, run_id) for row in rows]

    def read_figures(
        self, tenant_id: str, run_ids: Collection[str], since: datetime
    ) -> Mapping[str, Figures]:
        """Read what runs have come to, of which the first began at `since`; without steps, nothing."""
        rows = self.queries.read(
            "runs/figures", tenant_id=tenant_id, run_ids=sorted(run_ids), since=since - CLOCKS_APART
        )
        return {row.pop("pipeline_logging_id"): Figures(**row) for row in rows}

    def read_history(self, tenant_id: str, wanted: HistoryFilter) -> list[RunView]:
        """Read a page of runs, those in the queue too, the last asked for first."""
        rows = self.queries.read(
            "runs/history",
            tenant_id=tenant_id,
            since=wanted.since,
            until=wanted.until,
            due_since=wanted.since - MAX_BEFORE_QUEUE,
            started_before=wanted.until + MAX_IN_QUEUE,
            status=wanted.status,
            config_id=wanted.config_id,
            before_time=wanted.before_time,
            before_id=wanted.before_id,
            page_size=wanted.page_size,
        )
        return [_view(row) for row in rows]


def _view(row: Row) -> RunView:
    return RunView(
        **_told_by_any_row(row),
        status=RunStatus(row["status"]),
        queued_at=row["queued_at"],
        retry_of=row["retry_of"],
        retried_by=tuple(row["retried_by"] or ()),
        left_out=tuple(json.loads(row["left_out"] or "[]")),
        refused_firings=_refused(row),
    )


def _told_by_any_row(row: Row) -> dict[str, Any]:
    """Return the members of a run's view that a row of the history and one of the status tell alike."""
    return {
        "run_id": row["pipeline_logging_id"],
        "tenant_id": row["tenant_id"],
        "config_id": row["pipeline_id"],
        "config_version": row["config_version"],
        "trigger_type": row["trigger_type"],
        "trigger_by": row["trigger_by"],
        "started_at": row["start_time"],
        "ended_at": row["end_time"],
        "duration_ms": row["duration_ms"],
        "run_date": row["run_date"],
        "interval_start": row["interval_start"],
        "interval_end": row["interval_end"],
        "error_message": row["error_message"],
    }


def _refused(row: Row) -> RefusedFirings | None:
    if row["refused_firings"] is None:
        return None
    return RefusedFirings(
        count=row["refused_firings"],
        first_time=row["first_refused_time"],
        last_time=row["last_refused_time"],
    )


def _details(row: Row) -> RunDetails:
    metadata = _object(row["run_metadata"])
    status, steps = RunStatus(row["status"]), [_step(step) for step in row["steps"]]
    queued_at = metadata.get("queued_at")
    return RunDetails(
        **_told_by_any_row(row),
        status=RunStatus.RUNNING if status is RunStatus.PENDING and steps else status,
        queued_at=from_rfc3339(queued_at) if queued_at else None,
        error_reason=row["error_reason"],
        retry_of=metadata.get("retry_of"),
        retried_by=tuple(row["retried_by"]),
        left_out=tuple(metadata.get("left_out", ())),
        parameters=_object(row["parameters"]),
        levels=levels_of(metadata.get("levels", ()), steps),
        has_checks=any(CHECKS in outline.get("jobs", ()) for outline in metadata.get("steps", ())),
    )


def _object(text: str | None) -> dict[str, Any]:
    """Read a column of JSON; one that is NULL is written as `null`."""
    return json.loads(text or "null") or {}


def _step(row: Row) -> StepView:
    return StepView(
        step_id=row["step_id"],
        status=StepStatus(row["status"]),
        ps_type=row["step_type"],
        attempt=row["attempt"],
        started_at=row["start_time"],
        ended_at=row["end_time"],
        duration_ms=row["duration_ms"],
        rows_processed=row["rows_processed"],
        bytes_processed=row["bytes_processed"],
        bytes_billed=row["bytes_billed"],
        job_id=row["job_id"],
        job_project=row["job_project"],
        job_name=row["job_name"],
        target_table=row["target_table"],
        error_reason=row["error_reason"],
        error_message=row["error_message"],
    )


def _attempt(row: Row) -> AttemptView:
    return AttemptView(
        step_id=row["step_id"],
        level=row["level"],
        attempt=row["attempt"],
        status=row["status"],
        job_id=row["job_id"],
        job_name=row["job_name"],
        job_project=row["job_project"],
        target_table=row["target_table"],
        statement_hash=row["statement_hash"],
        started_at=row["start_time"],
        ended_at=row["end_time"],
        rows_processed=row["rows_processed"],
        bytes_processed=row["bytes_processed"],
        bytes_billed=row["bytes_billed"],
        error_reason=row["error_reason"],
        metadata=_object(row["metadata"]),
    )

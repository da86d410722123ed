"""Rows of the step log, as they are streamed."""

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from common.pipelines.plans import MAIN
from common.runs.run import Run, StepRow, StepStatus
from common.times import to_rfc3339

CLOCKS_APART = timedelta(hours=1)
"""A run's start is by our clock, those of its steps are by BigQuery's."""
_TEXTS = ("job_id", "job_project", "target_table", "statement_hash", "error_message", "error_reason")


def step_row(run: Run, row: StepRow, now: datetime) -> dict[str, Any]:
    """Write the row of an attempt at one of a step's jobs."""
    plain = asdict(row)
    return (
        {
            "step_logging_id": _step_logging_id(run, row),
            "step_id": row.step_id,
            "tenant_id": run.tenant_id,
            "pipeline_logging_id": run.run_id,
            "pipeline_id": run.config_id,
            "step_type": row.ps_type,
            "user_id": run.trigger.user_id or None,
            "step_index": row.index,
            "level": row.level,
            "attempt": row.attempt,
            "job_name": row.job_name,
            "job_index": row.job_index,
            "status": row.status.value,
            "start_time": to_rfc3339(row.started_at),
            "end_time": to_rfc3339(row.ended_at) if row.ended_at else None,
            "duration_ms": milliseconds(row.started_at, row.ended_at) if row.ended_at else None,
            "rows_processed": row.rows,
            "metadata": json.dumps(dict(row.metadata)) if row.metadata else None,
            "recorded_at": to_rfc3339(now),
        }
        | {name: plain[name] or None for name in _TEXTS}
        | {name: plain[name] for name in ("bytes_processed", "bytes_billed")}
    )


def step_insert_id(run: Run, row: StepRow, now: datetime) -> str:
    """Name a row, so that BigQuery drops a repeat of it."""
    # A hand-over says once more that an attempt is under way, and must be heard of.
    moment = f"-{to_rfc3339(now)}" if row.status is StepStatus.RUNNING else ""
    return f"{_step_logging_id(run, row)}-{row.status.value}{moment}"


def _step_logging_id(run: Run, row: StepRow) -> str:
    name = "" if row.job_name == MAIN else f"-{row.job_name}"
    return f"{run.run_id}-{row.step_id}-{row.attempt}{name}"


def milliseconds(start: datetime, end: datetime) -> int:
    """Return how long something took."""
    return round((end - start).total_seconds() * 1000)

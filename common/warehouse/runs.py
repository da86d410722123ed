"""Run and step rows in the central dataset (`RunWrites` of `common.runs`)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common.pipelines.codec import to_json
from common.pipelines.pipeline import BoundParameter
from common.pipelines.secret_values import shown
from common.runs.run import EndReason, Run, RunStatus, StepRow
from common.times import to_rfc3339
from common.warehouse.run_columns import interval_columns, sealed_parts, with_sealed_parts
from common.warehouse.step_rows import milliseconds, step_insert_id, step_row
from common.warehouse.streaming import Streaming

RUNS = "tenant_pipeline_runs"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRows:
    """Appends rows by streaming."""

    streaming: Streaming

    def check_rows_arrive(self) -> None:
        """Raise Unavailable or NotConfigured where no row can be appended now: a ticket would be lost."""
        self.streaming.check(RUNS)

    def append_run(
        self,
        run: Run,
        status: RunStatus,
        now: datetime,
        error: str = "",
        reason: EndReason | None = None,
        bytes_billed: int | None = None,
    ) -> None:
        """Append a run's row; a terminal status also sets its end, and what its jobs were billed for."""
        row = _run_row(run) | {
            "status": status.value,
            "recorded_at": to_rfc3339(now),
            "error_message": error or None,
        }
        if status.is_terminal:
            row |= {
                "end_time": to_rfc3339(now),
                "duration_ms": milliseconds(run.started_at, now),
                "error_reason": reason.value if reason else None,
                "bytes_billed": bytes_billed,
            }
        self.streaming.append(RUNS, {f"{run.run_id}-{status.value}": row})

    def append_steps(self, run: Run, rows: Sequence[StepRow], now: datetime) -> None:
        """Append step rows, all in one call."""
        named = {step_insert_id(run, row, now): step_row(run, row, now) for row in rows}
        self.streaming.append("tenant_step_logs", named)


def pending_row(run: Run, now: datetime) -> dict[str, Any]:
    """Write the row of a run that has just been admitted."""
    return _run_row(run) | {"status": RunStatus.PENDING.value, "recorded_at": to_rfc3339(now)}


def _run_row(run: Run) -> dict[str, Any]:
    return {
        "pipeline_logging_id": run.run_id,
        "tenant_id": run.tenant_id,
        "pipeline_id": run.config_id,
        "config_version": run.config_version,
        "trigger_type": run.trigger.type.value,
        "trigger_by": run.trigger.by,
        "tenant_api_key_id": run.trigger.api_key_id or None,
        "user_id": run.trigger.user_id or None,
        "ticket": run.ticket,
        "start_time": to_rfc3339(run.started_at),
        "run_date": run.run_date.isoformat(),
        "bytes_held": run.bytes_held,
        "parameters": json.dumps(shown(_values(run))),
        "run_metadata": json.dumps(_metadata(run)),
    }


def _metadata(run: Run) -> dict[str, Any]:
    return {
        "request_hash": run.request_hash,
        "traceparent": run.traceparent,
        "retry_of": run.retry_of or None,
        "left_out": list(run.left_out),
        "queued_at": to_rfc3339(run.queued_at) if run.queued_at else None,
        **interval_columns(run.interval),
        "parameter_types": {parameter.name: parameter.type for parameter in run.parameters},
        "sealed_parameters": sealed_parts(_values(run)),
        "levels": [list(level) for level in run.levels],
        "steps": [to_json(outline) for outline in run.steps],
        "is_isolated": run.is_isolated,
    }


def _values(run: Run) -> dict[str, Any]:
    return {parameter.name: parameter.value for parameter in run.parameters}


def parameters_of(values: dict[str, Any], metadata: dict[str, Any]) -> tuple[BoundParameter, ...]:
    """Put a stored run's parameters together again."""
    types = metadata.get("parameter_types", {})
    return tuple(
        BoundParameter(name=name, type=types[name], value=value)
        for name, value in with_sealed_parts(values, metadata).items()
    )

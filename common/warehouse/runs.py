"""Run and step rows in the central dataset (`RunStore` and `RunReader` of `common.runs`)."""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from common.costs.budgets import Spending
from common.errors import NotFound
from common.pipelines.codec import to_json
from common.pipelines.pipeline import BoundParameter
from common.pipelines.secret_values import shown
from common.runs.ports import AdmissionFacts, ConfigText, StoredRun
from common.runs.quotas import Limits, Use
from common.runs.reading import HistoryFilter
from common.runs.run import EndReason, Run, RunStatus, StepRow, Trigger, TriggerType
from common.runs.tickets import Ledger, by_schedule, gaps_between, may_count_since
from common.tenants.tenant import why_ended
from common.times import start_of_day, start_of_month, to_rfc3339
from common.warehouse.bigquery import Queries, Row
from common.warehouse.run_columns import (
    budgets_of,
    grants_of,
    interval_columns,
    interval_of,
    priority_of,
    sealed_names,
    sealed_parts,
    with_sealed_parts,
)
from common.warehouse.step_rows import milliseconds, step_insert_id, step_row
from common.warehouse.streaming import Streaming

RUNS = "tenant_pipeline_runs"
FIGURES = ("billed", "held", "boundless", "unknown")
"""What rows tell of the spending of a config, behind its ID and in this order."""
# BigQuery keeps job IDs for 180 days; a ticket must be known for longer than its claim.
TICKET_WINDOW = timedelta(days=200)
READING_WINDOW = timedelta(days=400)
# Who looks at a run mostly looks at one that is under way: a run takes a day at the most.
LATELY = timedelta(days=3)
# A run's start is by our clock, those of its steps are by BigQuery's.
CLOCKS_APART = timedelta(hours=1)
# What a month's limit counts, and before it what a filler may still find that it has begun.
BEFORE_MONTH = timedelta(days=10)
# What joins the queue was due no longer ago than schedules catch up with, and begins within a day or never.
MAX_BEFORE_QUEUE = timedelta(days=9)
MAX_IN_QUEUE = timedelta(days=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRows:
    """Appends rows by streaming and reads them by queries that name tenant and days."""

    queries: Queries
    streaming: Streaming

    def read_admission(self, tenant_id: str, config_id: str, run_id: str, now: datetime) -> AdmissionFacts:
        """Read all that an admission decides on."""
        (row,) = self.queries.read(
            "runs/admission",
            tenant_id=tenant_id,
            config_id=config_id,
            run_id=run_id,
            since=now - TICKET_WINDOW,
            recent_since=recent_since(now),
            month_start=start_of_month(now),
            may_count_since=may_count_since(now),
            day_start=start_of_day(now),
        )
        if row["tenant_status"] is None or row["daily_limit"] is None:
            raise NotFound(f"the tenant {tenant_id!r} has no subscription")
        ledger = ledger_of(row)
        if row["is_old"] and not ledger.last_ticket:
            last = last_tickets(self.queries, [tenant_id], now)
            ledger = replace(ledger, last_ticket=last.get(tenant_id, 0))
        return AdmissionFacts(
            tenant_status=row["tenant_status"],
            refusal=why_ended(
                row["subscription_status"], row["trial_end_date"], row["subscription_end_date"], now.date()
            ),
            ledger=ledger,
            config=_config(config_id, row),
            repeated=_stored_run(tenant_id, run_id, row),
        )

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

    def read_run(self, tenant_id: str, run_id: str, now: datetime) -> Row | None:
        """Read one run with its steps, None where the tenant has none of that ID."""
        for window in (LATELY, READING_WINDOW):
            since = now - window
            if rows := self.queries.read("runs/status", tenant_id=tenant_id, run_id=run_id, since=since):
                return rows[0]
        return None

    def read_receipt(self, tenant_id: str, run_id: str, since: datetime) -> list[Row]:
        """Read every attempt of every step of a run that has begun at `since`, in order."""
        since -= CLOCKS_APART
        return self.queries.read("runs/receipt", tenant_id=tenant_id, run_id=run_id, since=since)

    def read_checks(self, tenant_id: str, run_id: str, since: datetime) -> list[Row]:
        """Read what came of the checks of a run that has begun at `since`, each once."""
        day = (since - CLOCKS_APART).date()
        return self.queries.read("quality/of_run", tenant_id=tenant_id, run_id=run_id, since=day)

    def read_figures(self, tenant_id: str, run_ids: Collection[str], since: datetime) -> list[Row]:
        """Read what runs have come to, of which the first began at `since`; without steps, nothing."""
        return self.queries.read(
            "runs/figures", tenant_id=tenant_id, run_ids=sorted(run_ids), since=since - CLOCKS_APART
        )

    def read_history(self, tenant_id: str, wanted: HistoryFilter) -> list[Row]:
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
        return [row | {"left_out": json.loads(row["left_out"] or "[]")} for row in rows]


def last_tickets(queries: Queries, tenant_ids: Collection[str], now: datetime) -> Mapping[str, int]:
    """Read the greatest ticket of each tenant from before the window in which tickets are looked up."""
    if not tenant_ids:
        return {}
    before = now - TICKET_WINDOW
    rows = queries.read("runs/last_tickets", tenant_ids=sorted(tenant_ids), before=before)
    return {row["tenant_id"]: row["last_ticket"] for row in rows}


def recent_since(now: datetime) -> datetime:
    """Return since when runs count, or may be under way; of those before only their tickets are asked for."""
    return start_of_month(now) - BEFORE_MONTH


def ledger_of(row: Row) -> Ledger:
    """Read what a tenant's rows say of its tickets."""
    return Ledger(
        limits=Limits(
            daily=row["daily_limit"], monthly=row["monthly_limit"], concurrent=row["concurrent_limit"]
        ),
        use=Use(**{name: row[name] for name in ("today", "month", "running", "scheduled")}),
        last_ticket=row["last_ticket"],
        first_ticket=row["first_ticket"] or 0,
        gaps=gaps_between(tuple(map(int, gap.split("-"))) for gap in row["gaps"] or ()),  # type: ignore[misc]
        backfills=Counter(row["running_backfills"] or ()),
        schedules=by_schedule(row["running_schedules"] or ()),
        spending=dict(map(_spending, row["spending"] or ())),
        budgets=budgets_of(row),
    )


def _spending(text: str) -> tuple[str, Spending]:
    config_id, *figures = text.split(" ")
    return config_id, Spending(**dict(zip(FIGURES, map(int, figures), strict=True)))


def _config(config_id: str, row: Row) -> ConfigText | None:
    if row["config_version"] is None:
        return None
    return ConfigText(
        config_id=config_id,
        version=row["config_version"],
        text=row["pipeline_yaml"],
        priority=priority_of(row),
        grants=grants_of(row),
    )


def _stored_run(tenant_id: str, run_id: str, row: Row) -> StoredRun | None:
    for found in row["repeated"]:
        run = Run(
            tenant_id=tenant_id,
            run_id=run_id,
            config_id=found["pipeline_id"],
            config_version=found["config_version"],
            ticket=found["ticket"],
            started_at=found["start_time"],
            run_date=found["run_date"],
            interval=interval_of(found),
            trigger=Trigger(type=TriggerType(found["trigger_type"]), by=found["trigger_by"]),
            request_hash=found["request_hash"] or "",
            retry_of=found["retry_of"] or "",
        )
        return StoredRun(
            run=run,
            status=RunStatus(found["status"]),
            secret_names=sealed_names(found["sealed_parameters"]),
        )
    return None


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

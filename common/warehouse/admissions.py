"""What an admission decides on, read of a tenant's rows (`AdmissionReads` of `common.runs`)."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from common.costs.budgets import Spending
from common.errors import NotFound
from common.runs.ports import AdmissionFacts, ConfigText, StoredRun
from common.runs.quotas import Limits, Use
from common.runs.run import Run, RunStatus, Trigger, TriggerType
from common.runs.tickets import Ledger, by_schedule, gaps_between, may_count_since
from common.tenants.tenant import why_ended
from common.times import start_of_day, start_of_month
from common.warehouse.bigquery import Queries, Row
from common.warehouse.run_columns import budgets_of, grants_of, interval_of, priority_of, sealed_names

FIGURES = ("billed", "held", "boundless", "unknown")
"""What rows tell of the spending of a config, behind its ID and in this order."""
# BigQuery keeps job IDs for 180 days; a ticket must be known for longer than its claim.
TICKET_WINDOW = timedelta(days=200)
# What a month's limit counts, and before it what a filler may still find that it has begun.
BEFORE_MONTH = timedelta(days=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionRows:
    """Reads all that one admission needs by one query, which names tenant and days."""

    queries: Queries

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

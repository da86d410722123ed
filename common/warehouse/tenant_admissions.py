"""Many tenants' admissions read and written at once (`common.queue.filling.TenantAdmissionStore`)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from common.queue.tenant_admissions import TenantAdmissionFacts
from common.runs.ports import ConfigText
from common.runs.run import Run, RunStatus
from common.runs.tickets import may_count_since
from common.times import start_of_day, start_of_month
from common.warehouse.admissions import TICKET_WINDOW, last_tickets, ledger_of, recent_since
from common.warehouse.bigquery import Queries, Row
from common.warehouse.run_columns import grants_of, priority_of
from common.warehouse.runs import RUNS, pending_row
from common.warehouse.streaming import Streaming


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantAdmissionRows:
    """One query reads, and one streaming call writes, what many admissions need."""

    queries: Queries
    streaming: Streaming

    def read_tenant_admissions(
        self, tenant_ids: Collection[str], run_ids: Collection[str], now: datetime
    ) -> Mapping[str, TenantAdmissionFacts]:
        """Return the ledgers of active tenants with those of the asked runs that have rows, in one query."""
        rows = self.queries.read(
            "queue/tenant_admissions",
            tenant_ids=sorted(tenant_ids),
            run_ids=sorted(run_ids),
            since=now - TICKET_WINDOW,
            recent_since=recent_since(now),
            month_start=start_of_month(now),
            may_count_since=may_count_since(now),
            day_start=start_of_day(now),
        )
        found = {row["tenant_id"]: _facts(row) for row in rows}
        idle = [row["tenant_id"] for row in rows if row["is_old"] and not row["last_ticket"]]
        for tenant_id, last_ticket in last_tickets(self.queries, idle, now).items():
            facts = found[tenant_id]
            found[tenant_id] = replace(facts, ledger=replace(facts.ledger, last_ticket=last_ticket))
        return found

    def read_configs(
        self, keys: Collection[tuple[str, str, int]]
    ) -> Mapping[tuple[str, str, int], ConfigText]:
        """Return versions of configs (tenant, config, version) that are not deleted, in one query."""
        tenant_ids = sorted({tenant_id for tenant_id, _, _ in keys})
        names = [" ".join(map(str, key)) for key in sorted(keys)]
        rows = self.queries.read("queue/configs", tenant_ids=tenant_ids, keys=names)
        return {(row["tenant_id"], row["config_id"], row["version"]): _config(row) for row in rows}

    def append_begun(self, runs: Sequence[Run], now: datetime) -> None:
        """Append the PENDING rows of runs, all in one call."""
        rows = {f"{run.run_id}-{RunStatus.PENDING.value}": pending_row(run, now) for run in runs}
        self.streaming.append(RUNS, rows)


def _facts(row: Row) -> TenantAdmissionFacts:
    begun = (text.split(" ", 1) for text in row["begun"] or ())
    return TenantAdmissionFacts(
        ledger=ledger_of(row),
        begun={run_id: RunStatus(status) for status, run_id in begun},
    )


def _config(row: Row) -> ConfigText:
    return ConfigText(
        config_id=row["config_id"],
        version=row["version"],
        text=row["pipeline_yaml"],
        priority=priority_of(row),
        grants=grants_of(row),
    )

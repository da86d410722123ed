"""What the dispatcher reads of all tenants' runs, and the roll-up of their use that it appends."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from common.errors import AlreadyExists
from common.runs.ports import StoredConfig
from common.runs.run import Run, Trigger, TriggerType
from common.runs.sweeping import Findings, Gap, OpenRun
from common.times import start_of_day, start_of_month
from common.warehouse.queries import Queries, Row
from common.warehouse.runs import TICKET_WINDOW, parameters_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRows:
    """`common.runs.sweeping.SweepReader`: a second query follows only where a run has been quiet."""

    queries: Queries

    def look(self, quiet_before: datetime, now: datetime) -> Findings:
        """Return the open runs that were last heard of before a moment, and this month's gaps."""
        since = now - TICKET_WINDOW
        (row,) = self.queries.read(
            "runs/minute", since=since, month_start=start_of_month(now), quiet_before=quiet_before
        )
        return Findings(
            open_runs=self._open_runs(row["open_runs"], since) if row["open_runs"] else [],
            gaps=[_gap(text) for text in row["gaps"]],
            last_recorded_at=row["last_recorded_at"],
        )

    def _open_runs(self, run_ids: list[str], since: datetime) -> list[OpenRun]:
        return [_open_run(row) for row in self.queries.read("runs/open_runs", run_ids=run_ids, since=since)]


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRows:
    """The table tenant_usage_quotas: a report for operators, appended once a minute while anything runs."""

    queries: Queries

    def roll_up(self, changed_since: datetime, now: datetime) -> None:
        """Append the use of the tenants whose runs have changed; two dispatchers in one minute append it once."""
        yesterday = start_of_day(now) - timedelta(days=1)
        minute = int(now.timestamp()) // 60
        try:
            self.queries.write(
                "usage/roll_up",
                job_id=f"cvg-usage-{minute}",
                labels={"purpose": "usage"},
                changed_since=changed_since,
                month_start=start_of_month(yesterday),
                yesterday=yesterday.date(),
                now=now,
            )
        except AlreadyExists:
            return


def _gap(text: str) -> Gap:
    tenant_id, after, before = text.split(" ")
    return Gap(tenant_id=tenant_id, after=int(after), before=int(before))


def _open_run(row: Row) -> OpenRun:
    metadata = json.loads(row["run_metadata"] or "{}")
    run = Run(
        tenant_id=row["tenant_id"],
        run_id=row["pipeline_logging_id"],
        config_id=row["pipeline_id"],
        config_version=row["config_version"],
        ticket=row["ticket"],
        started_at=row["start_time"],
        run_date=row["run_date"],
        trigger=Trigger(
            type=TriggerType(row["trigger_type"]),
            by=row["trigger_by"],
            api_key_id=row["tenant_api_key_id"] or "",
        ),
        parameters=parameters_of(json.loads(row["parameters"] or "{}"), metadata.get("parameter_types", {})),
        levels=tuple(tuple(level) for level in metadata.get("levels", [])),
        request_hash=metadata.get("request_hash", ""),
        traceparent=metadata.get("traceparent", ""),
    )
    return OpenRun(
        run=run,
        config=StoredConfig(config_id=run.config_id, version=run.config_version, text=row["pipeline_yaml"]),
        ended_steps=frozenset(row["ended_steps"] or []),
        has_begun=row["has_begun"],
        last_activity=row["last_activity"],
    )

"""How far runs have come: one for its tenant, or all that the sweeper asks for."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from common.pipelines.codec import from_json
from common.runs.ports import ConfigText
from common.runs.progress import OpenRun, Progress
from common.runs.run import Run, RunStatus, StepOutline, Trigger, TriggerType
from common.runs.sweeping import Findings, Gap
from common.times import from_rfc3339, start_of_month
from common.warehouse.admissions import TICKET_WINDOW, recent_since
from common.warehouse.bigquery import Queries, Row
from common.warehouse.run_columns import grants_of, interval_of, priority_of
from common.warehouse.runs import parameters_of
from common.warehouse.step_rows import CLOCKS_APART

EVERY_TENANT = ""
WHOLE_LOOK = 30
"""The minute of each hour in which all runs are looked at whose tickets can be known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressRows:
    """`SweepReader` and `ProgressReader` of `common.runs`; where all is well a look is one query."""

    queries: Queries

    def look(self, quiet_before: datetime, now: datetime) -> Findings:
        """Return the open runs that were last heard of before a moment, and the recent gaps.

        Once an hour it looks for runs that are open although their time was up long ago.
        """
        since = now - TICKET_WINDOW
        (row,) = self.queries.read(
            "runs/minute",
            since=since,
            recent_since=since if now.minute == WHOLE_LOOK else recent_since(now),
            gaps_since=start_of_month(now - timedelta(days=1)),
            quiet_before=quiet_before,
        )
        return Findings(
            open_runs=self._open_runs(row),
            gaps=[_gap(text) for text in row["gaps"]],
            last_recorded_at=row["last_recorded_at"],
        )

    def find(self, tenant_id: str, run_id: str, now: datetime) -> OpenRun | None:
        """Return a tenant's run, open or ended, None where it has none of that ID."""
        found = self._progress(tenant_id, [run_id], now - TICKET_WINDOW)
        return found[0] if found else None

    def _open_runs(self, row: Row) -> list[OpenRun]:
        """Read the runs of a look; of all tenants' days only those since the first of these runs began."""
        if not row["open_runs"]:
            return []
        return self._progress(EVERY_TENANT, row["open_runs"], row["open_since"] - CLOCKS_APART)

    def _progress(self, tenant_id: str, run_ids: list[str], since: datetime) -> list[OpenRun]:
        rows = self.queries.read("runs/progress", tenant_id=tenant_id, run_ids=run_ids, since=since)
        return [_open_run(row) for row in rows]


def _gap(text: str) -> Gap:
    tenant_id, after, before = text.split(" ")
    return Gap(tenant_id=tenant_id, after=int(after), before=int(before))


def _billed(text: str) -> tuple[int, int | None]:
    level, figure = text.split(" ")
    return int(level), None if figure == "NULL" else int(figure)


def _config(run: Run, row: Row) -> ConfigText | None:
    if row["pipeline_yaml"] is None:
        return None
    return ConfigText(
        config_id=run.config_id,
        version=run.config_version,
        text=row["pipeline_yaml"],
        priority=priority_of(row),
        grants=grants_of(row),
    )


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
        interval=interval_of(metadata),
        trigger=Trigger(
            type=TriggerType(row["trigger_type"]),
            by=row["trigger_by"],
            api_key_id=row["tenant_api_key_id"] or "",
            user_id=row["user_id"] or "",
        ),
        parameters=parameters_of(json.loads(row["parameters"] or "{}"), metadata),
        levels=tuple(tuple(level) for level in metadata.get("levels", [])),
        request_hash=metadata.get("request_hash", ""),
        traceparent=metadata.get("traceparent", ""),
        retry_of=metadata.get("retry_of") or "",
        left_out=tuple(metadata.get("left_out", ())),
        steps=tuple(from_json(StepOutline, outline) for outline in metadata.get("steps", [])),
        is_isolated=metadata.get("is_isolated", False),
        queued_at=from_rfc3339(queued_at) if (queued_at := metadata.get("queued_at")) else None,
        bytes_held=row["bytes_held"],
    )
    return OpenRun(
        run=run,
        status=RunStatus(row["status"]),
        config=_config(run, row),
        progress=Progress(
            completed=frozenset(row["completed_steps"] or []),
            skipped=frozenset(row["skipped_steps"] or []),
            reached_level=row["reached_level"] or 0,
            has_begun=row["has_begun"],
            last_activity=row["last_activity"],
            billed=dict(map(_billed, row["billed"] or ())),
            last_trouble=row["last_trouble"] or "",
        ),
    )

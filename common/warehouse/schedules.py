"""Schedules in the central dataset (`common.schedules.timetable.Timetable`)."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from common.pipelines.schedule import Schedule
from common.queue.firings import FIRINGS, ScheduledConfig
from common.queue.refusals import refused_since
from common.times import Clock, utc_now
from common.warehouse.bigquery import Queries, Row

# The rows of schedules themselves lie in a partition of their own: to read them is to read nothing else.
STATES_AT = datetime(1970, 1, 1, tzinfo=UTC)
DEFAULT_PRIORITY = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRows:
    """Reads schedules from the configs, and what has become of them from tenant_scheduled_pipeline_runs."""

    queries: Queries
    clock: Clock = utc_now

    def read(self, tenant_id: str, since: datetime) -> Sequence[ScheduledConfig]:
        """Return the schedules of a tenant, or of every one; what was fired before `since` is not told."""
        rows = self.queries.read(
            "schedules/timetable",
            tenant_id=tenant_id,
            since=since,
            refused_since=refused_since(self.clock()),
            states_at=STATES_AT,
        )
        return [_scheduled(row) for row in rows]

    def is_paused(self, tenant_id: str, config_id: str) -> bool:
        """Tell whether a tenant has paused the schedule of a config."""
        found = self.read(tenant_id, self.clock())
        return any(one.is_paused for one in found if one.config_id == config_id)

    def set_paused(self, config: ScheduledConfig, now: datetime, *, is_paused: bool) -> None:
        """Append that a schedule is paused or resumed, so that it can be read at once."""
        name = f"schedule\n{config.tenant_id}\n{config.config_id}"
        self.queries.write(
            "schedules/set_state",
            job_id=f"cvg-schedule-{uuid.uuid4()}",
            labels={"tenant": config.tenant_id, "purpose": "schedule"},
            scheduled_run_id=str(uuid.uuid5(FIRINGS, name)),
            tenant_id=config.tenant_id,
            config_id=config.config_id,
            status="PAUSED" if is_paused else "ACTIVE",
            priority=config.priority,
            states_at=STATES_AT,
            now=now,
        )


def _scheduled(row: Row) -> ScheduledConfig:
    schedule, error = _schedule(row)
    return ScheduledConfig(
        tenant_id=row["tenant_id"],
        config_id=row["config_id"],
        version=row["version"],
        priority=DEFAULT_PRIORITY if row["priority"] is None else row["priority"],
        schedule=schedule,
        since=row["since"],
        last_fired=row["last_fired"],
        is_paused=row["is_paused"],
        refusals=frozenset(row["refusals"] or ()),
        error=error,
    )


def _schedule(row: Row) -> tuple[Schedule, str]:
    """Read a file's schedule, or tell why it is none: it may have been uploaded before a rule came."""
    try:
        return Schedule.declared(json.loads(row["schedule"]), f"{row['tenant_id']}/{row['config_id']}"), ""
    except Exception as broken:  # noqa: BLE001 - one tenant's row does not keep all others from firing
        error = str(broken) or type(broken).__name__
        return Schedule(cron=str(row["schedule_cron"]), is_enabled=False), error

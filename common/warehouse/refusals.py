"""Refused firings in the central dataset (`common.queue.refusals.RefusalReader`)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from common.queue.refusals import Refusal
from common.queue.waiting import WaitingRun
from common.runs.run import RunStatus
from common.warehouse.bigquery import Queries, Row
from common.warehouse.run_columns import interval_columns, interval_of
from common.warehouse.run_views import READING_WINDOW


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalRows:
    """Counts the rows of firings that no run has come of."""

    queries: Queries

    def read_refusals(self, tenant_id: str, since: datetime) -> Sequence[Refusal]:
        """Return those of a tenant's firings since a moment, the last refused first."""
        return self._read(tenant_id, "", since)

    def find_refusal(self, tenant_id: str, refusal_id: str, now: datetime) -> Refusal | None:
        """Return a tenant's refusal, None where it has none of that ID."""
        return next(iter(self._read(tenant_id, refusal_id, now - READING_WINDOW)), None)

    def _read(self, tenant_id: str, refusal_id: str, since: datetime) -> Sequence[Refusal]:
        rows = self.queries.read(
            "schedules/refusals", tenant_id=tenant_id, refusal_id=refusal_id, since=since
        )
        return [_refusal(row) for row in rows]


def refusal_parameters(waiting: WaitingRun) -> str:
    """Write what a refused firing's row says of the run that it would have become."""
    return json.dumps(
        {
            "run_id": waiting.run_id,
            "config_version": waiting.config_version,
            "run_date": waiting.run_date.isoformat(),
            **interval_columns(waiting.interval),
        }
    )


def _refusal(row: Row) -> Refusal:
    return Refusal(
        refusal_id=row["scheduled_run_id"],
        tenant_id=row["tenant_id"],
        config_id=row["config_id"],
        config_version=row["config_version"],
        status=RunStatus(row["status"]),
        error=row["error_message"] or "",
        firings=row["firings"],
        first_time=row["first_time"],
        last_time=row["last_time"],
        asked_at=row["asked_at"],
        recorded_at=row["last_recorded_at"],
        run_date=row["run_date"],
        interval=interval_of(row),
    )

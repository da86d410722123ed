"""The runs of backfills (`common.schedules.backfilling.BackfillReader`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from common.runs.run import RunStatus
from common.schedules.backfilling import IntervalRun
from common.times import from_rfc3339
from common.warehouse.queries import Queries
from common.warehouse.runs import READING_WINDOW


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillRows:
    """Reads backfills from the queue, where all of their runs begin."""

    queries: Queries

    def read_backfills(
        self, tenant_id: str, backfill_ids: Sequence[str], now: datetime
    ) -> Sequence[IntervalRun]:
        """Return all runs that backfills have made, in the order of their intervals."""
        rows = self.queries.read(
            "backfills/runs",
            tenant_id=tenant_id,
            backfill_ids=list(backfill_ids),
            since=now - READING_WINDOW,
        )
        return [
            IntervalRun(
                run_id=row["run_id"],
                config_id=row["config_id"],
                config_version=row["config_version"],
                backfill_id=row["backfill_id"],
                interval_start=from_rfc3339(row["interval_start"]),
                status=RunStatus(row["status"]),
                error=row["error"],
            )
            for row in rows
        ]

"""The rows of firings in the central dataset."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from common.errors import AlreadyExists
from common.pipelines.secret_values import shown
from common.runs.run import RunStatus
from common.schedules.firings import CATCH_UP_WINDOW
from common.schedules.waiting import Settled
from common.times import to_rfc3339
from common.warehouse.queries import Queries
from common.warehouse.streaming import Streaming

TABLE = "tenant_scheduled_pipeline_runs"
# A firing waits for a day and runs for a day at the most.
FIRING_WINDOW = CATCH_UP_WINDOW + timedelta(days=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class FiringRows:
    """`common.schedules.queue.FiringStore`, and `common.schedules.dispatching.FiringLog`."""

    queries: Queries
    streaming: Streaming

    def append_firings(self, settled: Sequence[Settled], now: datetime) -> None:
        """Append what became of firings, all in one call."""
        rows = {f"{one.waiting.run_id}-{one.status.value}": _row(one, now) for one in settled}
        self.streaming.append(TABLE, rows)

    def settle_firings(self, ended_since: datetime, now: datetime) -> None:
        """Append how the runs of firings have ended since a moment, once a minute whoever asks."""
        try:
            self.queries.write(
                "schedules/settle",
                job_id=f"cvg-firings-{int(now.timestamp()) // 60}",
                labels={"purpose": "firings"},
                ended_since=ended_since,
                since=now - FIRING_WINDOW,
                now=now,
            )
        except AlreadyExists:
            return


def _row(settled: Settled, now: datetime) -> dict[str, Any]:
    waiting = settled.waiting
    has_begun, has_ended = settled.status is RunStatus.PENDING, settled.status.is_terminal
    return {
        "scheduled_run_id": waiting.run_id,
        "config_id": waiting.config_id,
        "tenant_id": waiting.tenant_id,
        "status": settled.status.value,
        "scheduled_time": to_rfc3339(waiting.due_at),
        "priority": waiting.priority,
        "parameters": json.dumps(shown(waiting.parameters)),
        "pipeline_logging_id": waiting.run_id if has_begun else None,
        "retry_count": 0,
        "max_retries": 0,
        "failed_at": to_rfc3339(now) if has_ended else None,
        "error_message": settled.error or None,
        "created_at": to_rfc3339(waiting.added_at),
        "recorded_at": to_rfc3339(now),
    }

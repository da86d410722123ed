"""Runs as they are looked at, read of the central dataset (`RunReads` of `common.runs`)."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from common.runs.reading import HistoryFilter
from common.warehouse.bigquery import Queries, Row

READING_WINDOW = timedelta(days=400)
# Who looks at a run mostly looks at one that is under way: a run takes a day at the most.
LATELY = timedelta(days=3)
# A run's start is by our clock, those of its steps are by BigQuery's.
CLOCKS_APART = timedelta(hours=1)
# What joins the queue was due no longer ago than schedules catch up with, and begins within a day or never.
MAX_BEFORE_QUEUE = timedelta(days=9)
MAX_IN_QUEUE = timedelta(days=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunViewRows:
    """Reads rows by queries that name tenant and days."""

    queries: Queries

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

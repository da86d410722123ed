"""Results of checks in the central dataset (`CheckWrites` and others of `common.runs`, `CheckReads`)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from common.pipelines.codec import to_json
from common.quality.check_queries import CheckFilter, CheckView, PastCheck
from common.quality.results import CheckResult
from common.quality.verdicts import CheckStatus
from common.runs.run import Run
from common.times import to_rfc3339
from common.warehouse.bigquery import Queries, Row
from common.warehouse.step_rows import milliseconds
from common.warehouse.streaming import Streaming

RESULTS = "tenant_dq_results"
EARLIER_WINDOW = timedelta(days=100)
"""How long ago a run may be for later ones to be held against it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRows:
    """Appends results by streaming and reads them by queries that name tenant and days."""

    queries: Queries
    streaming: Streaming

    def append_checks(self, run: Run, results: Sequence[CheckResult], now: datetime) -> None:
        """Append results, all in one call; readers take one row of each key."""
        if results:
            self.streaming.append(RESULTS, {one.key: _row(run, one, now) for one in results})

    def read_earlier(self, run: Run, table: str, check: str, most: int) -> Sequence[float]:
        """Return the last values of a check that a pipeline's earlier runs have passed, the latest first."""
        rows = self.queries.read(
            "quality/earlier",
            tenant_id=run.tenant_id,
            pipeline_id=run.config_id,
            table=table,
            check=check,
            since=(run.started_at - EARLIER_WINDOW).date(),
            before=run.started_at,
            most=most,
        )
        return [row["value"] for row in rows]

    def read_results(self, tenant_id: str, wanted: CheckFilter) -> list[PastCheck]:
        """Read a page of results, the latest first."""
        rows = self.queries.read(
            "quality/history",
            tenant_id=tenant_id,
            since=wanted.since.date(),
            table=wanted.table,
            check=wanted.check,
            config_id=wanted.config_id,
            status=wanted.status,
            before_time=wanted.before_time,
            before_id=wanted.before_id,
            page_size=wanted.page_size,
        )
        return [
            PastCheck(
                key=row["dq_result_id"],
                config_id=row["pipeline_id"],
                checked_at=row["executed_at"],
                value=row["value"],
                check=check_view(row, row["pipeline_logging_id"]),
            )
            for row in rows
        ]


def check_view(row: Row, run_id: str) -> CheckView:
    """Return what a row says of a check in a run."""
    return CheckView(
        run_id=run_id,
        step_id=row["step_id"],
        name=row["check_name"],
        type=row["check_type"],
        status=CheckStatus(row["status"]),
        severity=row["severity"],
        table=row["target_table"],
        row_count=row["row_count"],
        failed_rows=row["failed_rows"],
        failed_percent=row["failed_percent"],
        observed=row["observed"],
        expected=row["expected"],
        duration_ms=row["duration_ms"],
        job_id=row["job_id"],
        checked_at=row["executed_at"],
    )


def _row(run: Run, result: CheckResult, now: datetime) -> dict[str, Any]:
    verdict, check = result.verdict, result.verdict.check
    return {
        "dq_result_id": result.key,
        "check_name": check.name,
        "check_type": check.type,
        "status": verdict.status.value,
        "row_count": verdict.row_count,
        "failed_rows": verdict.failed_rows,
        "failed_percent": verdict.failed_percent,
        "observed": verdict.observed,
        "expected": verdict.expected,
        "value": verdict.value,
        "tenant_id": run.tenant_id,
        "pipeline_logging_id": run.run_id,
        "pipeline_id": run.config_id,
        "step_id": result.step_id,
        "target_table": result.table,
        "severity": check.severity.value,
        "details": json.dumps(to_json(check) | {"observed": verdict.observed}),
        "duration_ms": milliseconds(result.started_at, result.ended_at),
        "job_id": result.job_id,
        "executed_at": to_rfc3339(result.ended_at),
        "ingestion_date": result.ended_at.date().isoformat(),
        "recorded_at": to_rfc3339(now),
    }

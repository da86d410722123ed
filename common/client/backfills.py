"""Backfills: a pipeline run for each interval of a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict, cast

from common.client.api import Api
from common.client.calls import segment
from common.client.tenant import Price

BACKFILLS = "/api/v1/pipelines"


class IntervalsRan(TypedDict):
    """How many intervals a version ran already."""

    config_version: int
    intervals: int


class BackfillPlan(TypedDict):
    """What a backfill comes to."""

    backfill_id: str
    pipeline_id: str
    dry_run: bool
    intervals: int
    runs: int
    bytes_estimate: int | None
    runs_estimated: int
    cost_estimate: float | None
    price: Price
    days: int
    config_version: int
    ran: list[IntervalsRan]
    links: Mapping[str, str]


class IntervalRun(TypedDict):
    """The latest run of an interval."""

    interval_start: str
    config_version: int
    pipeline_logging_id: str
    status: str
    error_message: str | None
    links: Mapping[str, str]


class Backfill(TypedDict):
    """How far a backfill has come."""

    backfill_id: str
    pipeline_id: str
    states: Mapping[str, int]
    runs: list[IntervalRun]
    links: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Backfills:
    """A tenant's backfills."""

    api: Api

    def start(self, config_id: str, request: Mapping[str, Any]) -> BackfillPlan:
        """Run a pipeline for each interval of a time; the same request once more resumes it."""
        path = f"{BACKFILLS}/backfill/{segment(config_id)}"
        # With `rerun` a repeat would run intervals again that have completed meanwhile.
        return cast("BackfillPlan", self.api.post(path, request, is_repeatable="rerun" not in request))

    def read(self, backfill_id: str) -> Backfill:
        """Show how far a backfill has come."""
        return cast("Backfill", self.api.get(f"{BACKFILLS}/backfills/{segment(backfill_id)}"))

    def cancel(self, backfill_id: str) -> Backfill:
        """Cancel a backfill as a whole; a repeat does no harm."""
        path = f"{BACKFILLS}/backfills/{segment(backfill_id)}/cancel"
        return cast("Backfill", self.api.post(path, is_repeatable=True))

"""Data quality: what came of the checks of tables."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypedDict, cast

from common.client.api import Api
from common.client.paging import walk

QUALITY = "/api/v1/quality"


class Check(TypedDict):
    """What came of one check."""

    name: str
    type: str | None
    status: str
    severity: str | None
    table: str
    row_count: int | None
    failed_rows: int | None
    failed_percent: float | None
    observed: str | None
    expected: str | None
    duration_ms: int | None
    job_id: str | None
    checked_at: str | None


class CheckResult(Check):
    """What came of one check in one run."""

    pipeline_logging_id: str
    pipeline_id: str | None
    step_id: str | None
    value: float | None
    links: Mapping[str, str]


class CheckResults(TypedDict):
    """A page of results."""

    results: list[CheckResult]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Quality:
    """What came of a tenant's checks."""

    api: Api

    def results(self, **filters: Any) -> CheckResults:
        """Return a page of results, by `table`, `check`, `pipeline_id`, `status`, `limit`, `cursor`."""
        return cast("CheckResults", self.api.get(QUALITY, **filters))

    def each(self, **filters: Any) -> Iterator[CheckResult]:
        """Yield results, the latest first, over all pages."""
        return walk(lambda cursor: self.results(**filters, cursor=cursor), "results", "next_cursor")

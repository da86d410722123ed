"""Reading what came of checks: the history of a table's, or of one check, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from common.cursors import cursor_at, position_of
from common.quality.verdicts import CheckStatus
from common.times import Clock

WINDOW = timedelta(days=400)
END_OF_IDS = "~"  # sorts after every key


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckFilter:
    """Which results of a tenant are wanted; "" leaves a filter out, `before_*` is where the page begins."""

    since: datetime
    before_time: datetime
    before_id: str = END_OF_IDS
    table: str = ""
    check: str = ""
    config_id: str = ""
    status: str = ""
    page_size: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckView:
    """What came of one check in one run, as it is looked at; what it does not know is None."""

    run_id: str
    step_id: str | None
    name: str
    type: str | None
    status: CheckStatus
    severity: str | None
    table: str
    row_count: int | None = None
    failed_rows: int | None = None
    failed_percent: float | None = None
    observed: str | None = None
    expected: str | None = None
    duration_ms: int | None = None
    job_id: str | None = None
    checked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PastCheck:
    """What came of one check, in the history of many; `key` is its place among those of one moment."""

    key: str
    config_id: str
    checked_at: datetime
    value: float | None
    check: CheckView


class CheckReads(Protocol):
    """Where results are read."""

    def read_results(self, tenant_id: str, wanted: CheckFilter) -> Sequence[PastCheck]:
        """Return results, the latest first, and each result once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckQueries:
    """What a tenant can learn of the checks of its tables."""

    reads: CheckReads
    clock: Clock

    def history(
        self,
        tenant_id: str,
        *,
        table: str = "",
        check: str = "",
        config_id: str = "",
        status: str = "",
        cursor: str = "",
        page_size: int = 50,
    ) -> tuple[Sequence[PastCheck], str]:
        """Return a page of results, the latest first, and the cursor of the next ("" at the end)."""
        now, asked = self.clock(), (table, check, config_id, status)
        # A result that is written while somebody turns pages is on none of them.
        before_time, before_id = position_of(cursor, asked) if cursor else (now + WINDOW, END_OF_IDS)
        wanted = CheckFilter(
            since=now - WINDOW,
            before_time=before_time,
            before_id=before_id,
            table=table,
            check=check,
            config_id=config_id,
            status=status,
            page_size=page_size,
        )
        found = self.reads.read_results(tenant_id, wanted)
        if len(found) < page_size:
            return found, ""
        return found, cursor_at(found[-1].checked_at, found[-1].key, asked)

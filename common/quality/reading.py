"""Reading what came of checks: the history of a table's, or of one check, page by page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from common.cursors import cursor_at, position_of
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


class CheckReader(Protocol):
    """Where results are read."""

    def read_results(self, tenant_id: str, wanted: CheckFilter) -> Sequence[Mapping[str, Any]]:
        """Return the columns of results, the latest first, and each result once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityLog:
    """What a tenant can learn of the checks of its tables."""

    reader: CheckReader
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
    ) -> tuple[list[dict[str, Any]], str]:
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
        rows = [dict(row) for row in self.reader.read_results(tenant_id, wanted)]
        if len(rows) < page_size:
            return rows, ""
        return rows, cursor_at(rows[-1]["executed_at"], rows[-1]["dq_result_id"], asked)

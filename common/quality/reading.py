"""Reading what came of checks: the history of a table's, or of one check, page by page."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from common.errors import InvalidInput, Violation
from common.times import Clock, from_rfc3339, to_rfc3339

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
        before_time, before_id = _position(cursor, asked) if cursor else (now + WINDOW, END_OF_IDS)
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
        return rows, _cursor(rows[-1], asked) if len(rows) == page_size else ""


def _cursor(row: Mapping[str, Any], asked: Sequence[str]) -> str:
    position = json.dumps([to_rfc3339(row["executed_at"]), row["dq_result_id"], _hash(asked)])
    return base64.urlsafe_b64encode(position.encode()).decode().rstrip("=")


def _position(cursor: str, asked: Sequence[str]) -> tuple[datetime, str]:
    try:
        moment, key, hashed = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        position = from_rfc3339(moment), str(key)
    except (ValueError, TypeError) as error:
        raise InvalidInput(
            [Violation("/cursor", "use the next_cursor of the page before, unchanged")]
        ) from error
    if hashed != _hash(asked):
        told = "is of a page with other filters: repeat those, or leave it out"
        raise InvalidInput([Violation("/cursor", told)])
    return position


def _hash(asked: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:16]

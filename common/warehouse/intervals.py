"""A run's interval in its rows' metadata: what a log table says of a run, without a column of its own."""

from collections.abc import Mapping
from typing import Any

from common.pipelines.intervals import Interval
from common.times import from_rfc3339, to_rfc3339


def interval_columns(interval: Interval | None) -> dict[str, str | None]:
    """Write an interval."""
    return {
        "interval_start": to_rfc3339(interval.start) if interval else None,
        "interval_end": to_rfc3339(interval.end) if interval else None,
    }


def interval_of(metadata: Mapping[str, Any]) -> Interval | None:
    """Read an interval, None in rows of before."""
    start, end = metadata.get("interval_start"), metadata.get("interval_end")
    return Interval(start=from_rfc3339(start), end=from_rfc3339(end)) if start and end else None

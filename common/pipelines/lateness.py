"""By when a pipeline is to have completed, each day: `late: {by: "06:00", timezone: Europe/Berlin}`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from common.errors import ConvergenceError, Violation
from common.pipelines.clocks import zone_of
from common.pipelines.documents import read_document
from common.pipelines.schedule import Schedule
from common.pipelines.yaml_documents import Document

_A_DAY = timedelta(days=1)
_LATE = re.compile(r"\blate\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """A time by which a run is to have completed that was admitted since the one before (UTC)."""

    since: datetime
    by: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Lateness:
    """What a file says of being late. With a schedule, days on which that has no firing have no deadline."""

    by: time
    timezone: str
    schedule: Schedule | None = None

    def last_deadline(self, now: datetime) -> Deadline | None:
        """Return the latest deadline that has passed, None where nothing was due by it."""
        today = now.astimezone(zone_of(self.timezone)).date()
        moments = [self._on(today - number * _A_DAY) for number in range(3)]
        past = [moment for moment in moments if moment <= now]
        deadline = Deadline(since=past[1], by=past[0])
        schedule = self.schedule
        if schedule and (not schedule.is_enabled or not schedule.last_between(deadline.since, deadline.by)):
            return None
        return deadline

    def _on(self, day: date) -> datetime:
        return datetime.combine(day, self.by, zone_of(self.timezone)).astimezone(UTC)


def lateness_in(text: str, owner: str) -> Lateness | None:
    """Read a kept file; None where it says nothing of being late, or cannot be read any more."""
    if not _LATE.search(text):  # Most files that have the letters calculate or translate something.
        return None
    try:
        document = read_document(text.encode(), None)
        late, schedule = document.get("late"), document.get("schedule")
        if not isinstance(late, dict):
            return None
        declared = Schedule.declared(schedule, owner) if isinstance(schedule, dict) else None
        timezone = str(late.get("timezone") or (declared.timezone if declared else "UTC"))
        zone_of(timezone)
        return Lateness(by=time.fromisoformat(str(late["by"])), timezone=timezone, schedule=declared)
    except (ConvergenceError, ValueError, KeyError):
        return None


def lateness_violations(document: Document) -> list[Violation]:
    """Say what no shape tells of `late`: that its zone is none."""
    late: Mapping[str, Any] | Any = document.get("late")
    if not isinstance(late, dict) or not isinstance(zone := late.get("timezone"), str):
        return []
    try:
        zone_of(zone)
    except ValueError as error:
        return [Violation("/late/timezone", str(error))]
    return []

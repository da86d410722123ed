"""Refusals: firings of a schedule that no run has come of, those of one UTC day and one reason together.

Each such firing is a row, which says that it has been seen to. All of one day and one reason share an ID,
and readers count their times; so a schedule that is refused each minute is one entry with a count, and nobody
has to know the count to add to it. What a run's own rows say of a firing beats any refusal: of two
dispatchers one may refuse what the other has just begun.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from common.pipelines.intervals import Interval
from common.runs.run import RunStatus
from common.times import start_of_day, to_rfc3339

REFUSALS = uuid.UUID("8a0a4e0c-52f6-5c0e-9d0b-2f7f4bb6d1c5")
PREFIX = "refused-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What stands in the history for firings that no run has come of.

    `first_time` and `last_time` are times of the schedule; `asked_at` and `recorded_at` are when the first
    and the last of them were refused. Date, interval and version are those of the last.
    """

    refusal_id: str
    tenant_id: str
    config_id: str
    config_version: int
    status: RunStatus
    error: str
    firings: int
    first_time: datetime
    last_time: datetime
    asked_at: datetime
    recorded_at: datetime
    run_date: date
    interval: Interval | None


class RefusalReader(Protocol):
    """Where refusals are read."""

    def read_refusals(self, tenant_id: str, since: datetime) -> Sequence[Refusal]:
        """Return those of a tenant's firings since a moment, the last refused first."""

    def find_refusal(self, tenant_id: str, refusal_id: str, now: datetime) -> Refusal | None:
        """Return a tenant's refusal, None where it has none of that ID."""


def refusal_id(tenant_id: str, config_id: str, due_at: datetime, kind: str) -> str:
    """Name what stands for the firings of a config on a UTC day that were refused for one kind of reason."""
    name = "\n".join((tenant_id, config_id, to_rfc3339(start_of_day(due_at)), kind))
    return f"{PREFIX}{uuid.uuid5(REFUSALS, name)}"


def refused_since(now: datetime) -> datetime:
    """Return since when refusals are of interest by themselves: the beginning of yesterday."""
    return start_of_day(now) - timedelta(days=1)


def is_refusal(run_id: str) -> bool:
    """Tell whether an ID is that of a refusal, and of no run."""
    return run_id.startswith(PREFIX)

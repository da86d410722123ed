"""The load of plans (`common.schedules.control.LoadReader`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from common.schedules.control import PlanLoad
from common.times import start_of_day
from common.warehouse.queries import Queries
from common.warehouse.queue import WAITING_WINDOW

# A run takes a day at the most.
RUNNING_WINDOW = timedelta(days=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadRows:
    """Counts runs and entries of the queue, plan by plan."""

    queries: Queries

    def read_load(self, now: datetime, due: Sequence[str]) -> Sequence[PlanLoad]:
        """Return the load of each plan that has active tenants, in one query."""
        rows = self.queries.read(
            "schedules/load",
            since=now - RUNNING_WINDOW,
            day_start=start_of_day(now),
            waiting_since=now - WAITING_WINDOW,
            due_tenants=list(due),
        )
        return [PlanLoad(**row) for row in rows]

"""What tenants use of their plans: the load of the moment, and the roll-up of each day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from common.errors import AlreadyExists
from common.schedules.control import PlanLoad
from common.times import start_of_day, start_of_month
from common.warehouse.bigquery import Queries
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


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRows:
    """The table tenant_usage_quotas: a report for operators, appended once a minute while anything runs."""

    queries: Queries

    def roll_up(self, changed_since: datetime, now: datetime) -> None:
        """Append the use of the tenants whose runs have changed, once a minute whoever asks."""
        yesterday = start_of_day(now) - timedelta(days=1)
        minute = int(now.timestamp()) // 60
        try:
            self.queries.write(
                "usage/roll_up",
                job_id=f"cvg-usage-{minute}",
                labels={"purpose": "usage"},
                changed_since=changed_since,
                month_start=start_of_month(yesterday),
                yesterday=yesterday.date(),
                now=now,
            )
        except AlreadyExists:
            return

"""The roll-up of what tenants have used of their plans."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from common.errors import AlreadyExists
from common.times import start_of_day, start_of_month
from common.warehouse.queries import Queries


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

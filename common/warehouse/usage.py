"""What tenants use: the load of the moment, the roll-up of each day, and what runs and jobs came to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from common.costs.learning import Learned
from common.costs.usage import GROUPS, UsageFilter, UsageRow, Used
from common.dispatcher.control import PlanLoad
from common.errors import AlreadyExists
from common.times import start_of_day, start_of_month
from common.warehouse.bigquery import Queries
from common.warehouse.queue import WAITING_WINDOW

# A run takes a day at the most.
RUNNING_WINDOW = timedelta(days=3)
_LEARNED = ("runs", "estimated", "billed")
_KEYS = ("tenant_id", "day", "pipeline_id", "step_id")


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
    """The table tenant_usage_quotas, appended once a minute at most; and what runs and jobs came to."""

    queries: Queries

    def read_tenants(self, wanted: UsageFilter) -> Sequence[str]:
        """Return the tenants that had runs or jobs in those days."""
        rows = self.queries.read("usage/tenants", since=wanted.since, until=wanted.until)
        return [row["tenant_id"] for row in rows]

    def read_usage(self, tenant_ids: Sequence[str], wanted: UsageFilter, most: int) -> Sequence[UsageRow]:
        """Return these tenants' use, by tenant, day, pipeline and step; `most` rows at the most."""
        rows = self.queries.read(
            "usage/of_tenants",
            tenant_ids=list(tenant_ids),
            config_id=wanted.config_id,
            since=wanted.since,
            until=wanted.until,
            most=most,
            **{f"by_{word}": word in wanted.by for word in GROUPS},
        )
        return [
            UsageRow(**{name: row.pop(name) for name in _KEYS}, used=Used(**row)) for row in map(dict, rows)
        ]

    def read_learned(
        self, tenant_id: str, config_id: str, since: datetime, most: int
    ) -> Mapping[str, Learned]:
        """Return, by step, the sums over the last runs of a pipeline, `most` of each step."""
        rows = self.queries.read(
            "usage/learned", tenant_id=tenant_id, config_id=config_id, since=since, most=most
        )
        return {row["step_id"]: Learned(**{name: row[name] for name in _LEARNED}) for row in rows}

    def roll_up(self, changed_since: datetime, now: datetime) -> None:
        """Append the use of the tenants whose runs have changed, once a minute over all dispatchers."""
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

"""Whether a plan has room for a backfill, and on which days its runs are due where it goes on for days."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from common.errors import InvalidInput, QuotaExceeded, Violation
from common.runs.quotas import Limits, Use, quotas
from common.times import next_day, start_of_month

MAX_DAYS = 300
"""Rows lie in the day on which they are due; BigQuery takes none of a day that is a year away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What is left of a plan's runs, now and later."""

    use: Use
    limits: Limits
    now: datetime

    def check(self, count: int) -> None:
        """Raise QuotaExceeded where the day or the month has no room; slots come free by themselves."""
        for quota in quotas(self.use, self.limits, self.now)[:2]:
            if count and quota.used + count > quota.limit:
                raise QuotaExceeded(
                    limit_name=quota.name,
                    used=quota.used,
                    limit=quota.limit,
                    resets_at=quota.resets_at,
                    now=self.now,
                    needed=count,
                )

    def due_times(self, count: int) -> list[datetime]:
        """Return when each run is due, as many a day as the plan allows; InvalidInput for too many days."""
        times: list[datetime] = []
        for moment, left in self._days():
            times += [moment] * min(left, count - len(times))
            if len(times) == count:
                return times
        rule = f"must be nearer: with this plan the backfill would take more than {MAX_DAYS} days"
        raise InvalidInput([Violation("/end", rule)], "the backfill breaks rules")

    def _days(self) -> Iterator[tuple[datetime, int]]:
        """Yield each day's beginning, today's being now, with the runs that its day and month leave."""
        moment, today, month = self.now, self.use.today, self.use.month
        for _ in range(MAX_DAYS):
            left = max(0, min(self.limits.daily - today, self.limits.monthly - month))
            yield moment, left
            following = next_day(moment)
            is_new_month = start_of_month(following) != start_of_month(moment)
            today, month = 0, 0 if is_new_month else month + left
            moment = following


def days_of(times: list[datetime]) -> int:
    """Count the days on which runs are due."""
    return (times[-1].date() - times[0].date() + timedelta(days=1)).days if times else 0

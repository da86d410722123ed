"""Quotas: what a plan allows, what a tenant has used, and the one rule that compares them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from common.errors import QuotaExceeded
from common.times import next_day, next_month

CONCURRENT = "concurrent"
MAX_PARALLEL = "max_parallel"
# A slot is free as soon as a run ends; a minute is a fair guess at when to ask again.
CONCURRENT_RETRY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Runs that a plan allows: per UTC day, per UTC month, at once."""

    daily: int
    monthly: int
    concurrent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """Runs of a tenant: admitted this UTC day, admitted this UTC month, not yet ended."""

    today: int
    month: int
    running: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """One limit, the use of it, and when use falls again (UTC)."""

    name: str
    used: int
    limit: int
    resets_at: datetime

    @property
    def is_exhausted(self) -> bool:
        """Tell whether one more run would be too many."""
        return self.used >= self.limit

    @property
    def percent(self) -> float:
        """Use in per cent of the limit; 100 where the limit is nought."""
        return round(100 * self.used / self.limit, 1) if self.limit else 100.0


def quotas(use: Use, limits: Limits, now: datetime) -> tuple[Quota, Quota, Quota]:
    """Compare use with limits, the longest-lasting limit first."""
    return (
        Quota(name="monthly", used=use.month, limit=limits.monthly, resets_at=next_month(now)),
        Quota(name="daily", used=use.today, limit=limits.daily, resets_at=next_day(now)),
        Quota(name=CONCURRENT, used=use.running, limit=limits.concurrent, resets_at=now + CONCURRENT_RETRY),
    )


def excess(use: Use, limits: Limits, now: datetime) -> QuotaExceeded | None:
    """Return the error for the first limit that leaves no room for one more run, None where all do."""
    for quota in quotas(use, limits, now):
        if quota.is_exhausted:
            return QuotaExceeded(
                limit_name=quota.name, used=quota.used, limit=quota.limit, resets_at=quota.resets_at, now=now
            )
    return None


def excess_of_backfill(running: int, max_parallel: int, now: datetime) -> QuotaExceeded | None:
    """Return the error where a backfill runs as many runs as it may; 0 is as many as the plan allows."""
    if not 0 < max_parallel <= running:
        return None
    return QuotaExceeded(
        limit_name=MAX_PARALLEL,
        used=running,
        limit=max_parallel,
        resets_at=now + CONCURRENT_RETRY,
        now=now,
        owner="the backfill",
    )

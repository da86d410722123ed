"""Quotas: what a plan allows, what a tenant has used, and the one rule that compares them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from common.errors import BudgetExceeded, QuotaExceeded
from common.pipelines.schedule import reserved_runs
from common.times import next_day, next_month

CONCURRENT = "concurrent"
MAX_PARALLEL = "max_parallel"
MAX_ACTIVE_RUNS = "max_active_runs"
OF_SCHEDULES = "schedules' daily"
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
    scheduled: int = 0
    """Those of today that schedules have asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleShare:
    """What a schedule may take of its tenant's plan.

    `max_active_runs` of its runs may be under way at once; 0 is as many as the plan allows. `reserve` is as
    its file says it, and `firings_a_day` are those of all of the tenant's schedules.
    """

    max_active_runs: int = 0
    reserve: int | None = None
    firings_a_day: int = 0

    def reserved(self, daily_limit: int) -> int:
        """Return how many runs a day are kept for requests by hand."""
        return reserved_runs(daily_limit, self.reserve, self.firings_a_day)


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


def excess(
    use: Use, limits: Limits, now: datetime, share: ScheduleShare | None = None
) -> QuotaExceeded | None:
    """Return the error for the first limit that leaves no room for one more run, None where all do.

    A schedule's run also meets what is reserved for others.
    """
    *_, concurrent = quotas(use, limits, now)
    return excess_of_days(use, limits, now, share) or _error(concurrent, now)


def excess_of_days(
    use: Use, limits: Limits, now: datetime, share: ScheduleShare | None = None
) -> QuotaExceeded | None:
    """Return the error for a limit of the month or the day, which no waiting helps."""
    for quota in quotas(use, limits, now)[:2]:
        if error := _error(quota, now):
            return error
    reserved = share.reserved(limits.daily) if share else 0
    if not reserved or use.scheduled < limits.daily - reserved:
        return None
    return QuotaExceeded(
        limit_name=OF_SCHEDULES,
        used=use.scheduled,
        limit=limits.daily - reserved,
        resets_at=next_day(now),
        now=now,
        why=f"{reserved} of {limits.daily} a day are kept for requests by hand",
    )


def excess_of_backfill(running: int, max_parallel: int, now: datetime) -> QuotaExceeded | None:
    """Return the error where a backfill runs as many runs as it may; 0 is as many as the plan allows."""
    return _crowded(MAX_PARALLEL, running, max_parallel, now, "the backfill")


def excess_of_schedule(running: int, share: ScheduleShare, now: datetime) -> QuotaExceeded | None:
    """Return the error where as many runs of a schedule are under way as may be."""
    return _crowded(MAX_ACTIVE_RUNS, running, share.max_active_runs, now, "the schedule")


def is_held(refusal: QuotaExceeded) -> bool:
    """Tell whether all that is in the way is what runs under way hold of a budget: it comes free."""
    return isinstance(refusal, BudgetExceeded) and refusal.is_held


def _error(quota: Quota, now: datetime) -> QuotaExceeded | None:
    if not quota.is_exhausted:
        return None
    return QuotaExceeded(
        limit_name=quota.name, used=quota.used, limit=quota.limit, resets_at=quota.resets_at, now=now
    )


def _crowded(name: str, running: int, limit: int, now: datetime, owner: str) -> QuotaExceeded | None:
    if not 0 < limit <= running:
        return None
    resets_at = now + CONCURRENT_RETRY
    return QuotaExceeded(
        limit_name=name, used=running, limit=limit, resets_at=resets_at, now=now, owner=owner
    )

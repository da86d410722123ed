"""A backfill that is larger than the plan's day is due over days, as many runs a day as the plan has."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from common.backfills.days import MAX_DAYS, Room, days_of
from common.errors import InvalidInput
from common.runs.quotas import Limits, Use
from tests.fakes.clock import START

MIDNIGHT = START.replace(hour=0)


def room(daily: int, monthly: int, today: int = 0, month: int = 0, now: datetime = START) -> Room:
    use = Use(today=today, month=month, running=0)
    return Room(use=use, limits=Limits(daily=daily, monthly=monthly, concurrent=1), now=now)


def test_today_gets_what_is_left_and_each_day_after_what_the_plan_has() -> None:
    times = room(daily=10, monthly=999, today=7).due_times(15)
    tomorrow = MIDNIGHT + timedelta(days=1)
    assert Counter(times) == {START: 3, tomorrow: 10, tomorrow + timedelta(days=1): 2}
    assert days_of(times) == 3


def test_a_month_that_is_used_up_is_waited_for() -> None:
    times = room(daily=10, monthly=12, month=5).due_times(8)
    assert Counter(times) == {START: 7, datetime(2026, 4, 1, tzinfo=UTC): 1}


def test_the_use_of_the_days_before_counts_in_the_month() -> None:
    times = room(daily=5, monthly=12).due_times(14)
    assert Counter(moment.date().isoformat() for moment in times) == {
        "2026-03-15": 5,
        "2026-03-16": 5,
        "2026-03-17": 2,
        "2026-04-01": 2,
    }


@pytest.mark.parametrize(("daily", "monthly"), [(0, 10), (10, 0), (1, 1)])
def test_what_would_take_too_many_days_is_refused(daily: int, monthly: int) -> None:
    with pytest.raises(InvalidInput, match=f"more than {MAX_DAYS} days"):
        room(daily, monthly).due_times(1000)

"""A backfill's intervals as months: weeks of days, each with what runs for it."""

from calendar import Calendar, month_name
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from common.times import from_rfc3339

MAX_MONTHS = 24
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """A month's weeks; a day outside of it, or without a run, is None."""

    title: str
    weeks: Sequence[Sequence[tuple[int, Mapping[str, Any] | None]]]


def days_between(start: str, end: str) -> dict[date, Mapping[str, Any]]:
    """Return the days of a backfill that has not begun; nothing where these are no days."""
    try:
        first, last = date.fromisoformat(start), date.fromisoformat(end)
    except ValueError:
        return {}
    count = min((last - first).days, MAX_MONTHS * 31)
    return {first + timedelta(days=number): {} for number in range(count)}


def days_of(runs: Iterable[Mapping[str, Any]], zone: str) -> dict[date, Mapping[str, Any]]:
    """Return runs by the day that each is for, in a time zone; nothing where they are for no days."""
    starts = [(from_rfc3339(run["interval_start"]).astimezone(ZoneInfo(zone)), run) for run in runs]
    days = {start.date(): run for start, run in starts}
    is_daily = len(days) == len(starts) and any(start.day > 1 for start, _ in starts)
    return days if is_daily else {}


def months_of(by_day: Mapping[date, Mapping[str, Any]]) -> list[Month]:
    """Lay days out as months, the latest 24."""
    months = sorted({(day.year, day.month) for day in by_day})[-MAX_MONTHS:]
    return [_month(year, month, by_day) for year, month in months]


def _month(year: int, month: int, by_day: Mapping[date, Mapping[str, Any]]) -> Month:
    return Month(
        title=f"{month_name[month]} {year}",
        weeks=[
            [(day, by_day.get(date(year, month, day)) if day else None) for day in week]
            for week in Calendar().monthdayscalendar(year, month)
        ],
    )

"""A schedule as a pipeline file declares it: when it is due, and what becomes of times that were missed."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import islice, takewhile
from typing import Any, Self

from common.pipelines.clocks import zone_of
from common.pipelines.crontab import MAX_LOOK, last_time_between, read_cron, times_after
from common.pipelines.intervals import Interval, midnight
from common.times import from_rfc3339

DEFAULT_RESERVE = 20
"""Per cent of the day's runs that schedules leave where they ask for more than the plan has."""
_DAY = len("2026-01-31")
# A day from the beginning of the calendar, so that no zone leads beyond it.
_EARLIEST = datetime(1, 1, 3, tzinfo=UTC)


class Overlap(StrEnum):
    """What becomes of a firing that finds as many runs of its schedule under way as may be.

    It waits, it is skipped, or the oldest of those runs is cancelled for it.
    """

    WAIT = "wait"
    SKIP = "skip"
    CANCEL_OLDER = "cancel_older"


class CatchUp(StrEnum):
    """What becomes of times that were missed: none of them runs, the latest, or all."""

    NONE = "none"
    LATEST = "latest"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A cron expression in its zone. It holds from `start` on and before `end` (UTC).

    A run begins `delay` after its time: the jitter, always the same for one config.
    """

    cron: str
    timezone: str = "UTC"
    catch_up: CatchUp = CatchUp.NONE
    start: datetime | None = None
    end: datetime | None = None
    delay: timedelta = timedelta()
    is_enabled: bool = True
    is_date_of_firing: bool = False
    """Whether `date` is the day of the firing, not that of its interval's start."""
    max_active_runs: int = 1
    overlap: Overlap = Overlap.WAIT
    reserve: int | None = None
    """Per cent of the day's runs that it leaves for requests by hand; None where the file says nothing."""

    @classmethod
    def declared(cls, body: Mapping[str, Any], owner: str) -> Self:
        """Read a file's `schedule`; `owner` names the config, for its jitter. ValueError where it is none."""
        cron, timezone = str(body["cron"]), str(body.get("timezone", "UTC"))
        times_after(cron, timezone, datetime(2024, 1, 1, tzinfo=UTC))
        return cls(
            cron=cron,
            timezone=timezone,
            catch_up=CatchUp(body.get("catch_up", CatchUp.NONE)),
            start=_beginning(body["start"], timezone) if body.get("start") else None,
            end=_end(body["end"], timezone) if body.get("end") and not _is_for_ever(body["end"]) else None,
            delay=_jitter(owner, int(body.get("jitter_minutes", 0))),
            is_enabled=body.get("enabled", True) is True,
            is_date_of_firing=body.get("date") == "firing",
            max_active_runs=int(body.get("max_active_runs", 1)),
            overlap=Overlap(body.get("overlap", Overlap.WAIT)),
            reserve=body.get("reserve"),
        )

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first time after a moment, None where the schedule has ended by then."""
        times = times_after(self.cron, self.timezone, self._no_earlier(moment))
        return next(takewhile(self._is_before_end, times), None)

    def last_between(self, after: datetime, until: datetime) -> datetime | None:
        """Return the latest time after a moment and up to another, None where there is none."""
        latest = min(until, _just_before(self.end)) if self.end else until
        return last_time_between(self.cron, self.timezone, self._no_earlier(after), latest)

    def between(self, after: datetime, until: datetime, max_times: int) -> list[datetime]:
        """List the first times that lie after a moment and no later than another."""
        times = times_after(self.cron, self.timezone, self._no_earlier(after))
        return list(islice(takewhile(lambda t: t <= until and self._is_before_end(t), times), max_times))

    def firings_on(self, day: date) -> int:
        """Count its times on a day where it is; changes of clocks are none of this question."""
        cron = read_cron(self.cron)
        return len(cron.walls) if cron.comes_on(day) and self._holds_on(day) else 0

    def interval_at(self, moment: datetime) -> Interval:
        """Return the interval that ends at a time of the schedule: since the time before, due or not.

        Where there is none in as long as anybody looks, it is a day long.
        """
        before = _just_before(moment)
        start = last_time_between(self.cron, self.timezone, before - MAX_LOOK, before)
        return Interval(start=start or moment - timedelta(days=1), end=moment)

    def date_at(self, moment: datetime) -> date:
        """Return the date of the run at a time of the schedule."""
        return self.day_of(moment if self.is_date_of_firing else self.interval_at(moment).start)

    def day_of(self, moment: datetime) -> date:
        """Return the day that a time falls on where the schedule is."""
        return moment.astimezone(zone_of(self.timezone)).date()

    def _holds_on(self, day: date) -> bool:
        has_begun = self.start is None or self.day_of(self.start) <= day
        return has_begun and (self.end is None or day <= self.day_of(self.end))

    def _no_earlier(self, moment: datetime) -> datetime:
        return max(moment, _just_before(self.start)) if self.start else moment

    def _is_before_end(self, moment: datetime) -> bool:
        return self.end is None or moment < self.end


def reserved_runs(daily_limit: int, reserve: int | None, firings_a_day: int) -> int:
    """Return how many runs of a plan's day schedules leave for requests by hand: never the only one.

    `reserve` is per cent of the day's. A file that says nothing leaves some where its tenant's schedules fire
    more often a day than the plan has runs, and else none.
    """
    percent = DEFAULT_RESERVE * (firings_a_day > daily_limit) if reserve is None else reserve
    return max(0, min(-(-daily_limit * percent // 100), daily_limit - 1))


def schedule_violations(body: Mapping[str, Any]) -> dict[str, str]:
    """Say what no shape tells of a file's `schedule`: by key, the rule that it breaks."""
    violations = {}
    timezone = body.get("timezone", "UTC")
    try:
        zone_of(timezone)
    except ValueError as error:
        violations["timezone"], timezone = str(error), "UTC"
    try:
        next(times_after(str(body["cron"]), timezone, datetime(2024, 1, 1, tzinfo=UTC)))
    except ValueError as error:
        violations["cron"] = str(error)
    except StopIteration:
        violations["cron"] = f"{body['cron']!r} never comes"
    return violations | _period_violations(body, timezone)


def _period_violations(body: Mapping[str, Any], timezone: str) -> dict[str, str]:
    violations = {}
    moments: dict[str, datetime] = {}
    for key, read in (("start", _beginning), ("end", _end)):
        try:
            if body.get(key) and not (key == "end" and _is_for_ever(body[key])):
                moments[key] = read(body[key], timezone)
        except (ValueError, OverflowError):
            violations[key] = "is on no calendar"
    if len(moments) == 2 and moments["end"] <= moments["start"]:
        violations["end"] = "must be later than the start"
    return violations


def _just_before(moment: datetime) -> datetime:
    return max(moment, _EARLIEST) - timedelta(microseconds=1)


def _beginning(text: str, timezone: str) -> datetime:
    return midnight(date.fromisoformat(text), timezone) if len(text) == _DAY else _moment(text)


def _is_for_ever(text: str) -> bool:
    """Tell whether an end is the last day of the calendar, as many write that there is none."""
    return text.startswith(date.max.isoformat())


def _end(text: str, timezone: str) -> datetime:
    if len(text) != _DAY:
        return _moment(text)
    return midnight(date.fromisoformat(text) + timedelta(days=1), timezone)


def _moment(text: str) -> datetime:
    return from_rfc3339(text.replace(" ", "T"))


def _jitter(owner: str, minutes: int) -> timedelta:
    digest = hashlib.sha256(owner.encode()).digest()
    return timedelta(seconds=int.from_bytes(digest[:4]) % (minutes * 60 + 1))

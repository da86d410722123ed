"""All jobs, and when each is due; for many threads at once."""

from dataclasses import dataclass
from datetime import datetime
from threading import Condition

from local.refusals import already_exists, not_found, unfit
from local.scheduler.clocks import Clock
from local.scheduler.crontab import last_fire, next_fire
from local.scheduler.definitions import Job, new_job
from local.scheduler.retries import retry_at
from local.scheduler.targets import Outcome

ENABLED, PAUSED = new_job.ENABLED, new_job.PAUSED


@dataclass(slots=True, kw_only=True)
class Entry:
    """One job: its definition and state as clients see it, and the firing that it is at."""

    job: Job
    due_at: datetime
    """The next attempt, be it a firing or the repeat of one."""
    fires_at: datetime
    """The firing by the schedule that the next attempt is for."""
    failures: int = 0
    first_attempt_at: datetime | None = None
    is_running: bool = False


class Timetable:
    """The jobs of one scheduler; `changed` is notified whenever something is due at another time."""

    def __init__(self, clock: Clock) -> None:
        self.changed = Condition()
        self._clock = clock
        self._entries: dict[str, Entry] = {}

    def add(self, job: Job) -> Job:
        """Take a new job, enabled."""
        with self.changed:
            if job.name in self._entries:
                raise already_exists(job.name)
            job.state = ENABLED
            now = self._clock.now()
            entry = self._entries[job.name] = Entry(job=job, due_at=now, fires_at=now)
            return self._reschedule(entry, now)

    def get(self, name: str) -> Job:
        """Return a copy of a job."""
        with self.changed:
            return _copy(self._find(name).job)

    def switch(self, name: str, before: int, after: int) -> Job:
        """Pause an enabled job, or resume a paused one."""
        with self.changed:
            entry = self._find(name)
            if entry.job.state != before:
                raise unfit(f"Job [{name}] is not {new_job.State.Name(before)}.")
            entry.job.state = after
            return self._reschedule(entry, self._clock.now())

    def next_due(self) -> datetime | None:
        """Return when the next attempt is due; None when no job that is idle and enabled waits for one."""
        with self.changed:
            return min((entry.due_at for entry in self._entries.values() if _waits(entry)), default=None)

    def take_due(self) -> list[Entry]:
        """Return what is due by now, and mark it as running."""
        with self.changed:
            now = self._clock.now()
            due = [entry for entry in self._entries.values() if _waits(entry) and entry.due_at <= now]
            for entry in due:
                self._begin(entry, now)
            return due

    def take(self, name: str) -> Entry:
        """Return a job that is to run now, whatever its schedule and state, and mark it as running."""
        with self.changed:
            entry = self._find(name)
            now = self._clock.now()
            entry.fires_at = now
            self._begin(entry, now)
            return entry

    def resolve(self, entry: Entry, outcome: Outcome) -> None:
        """Note how an attempt ended, and when the next one is due."""
        with self.changed:
            now = self._clock.now()
            entry.is_running = False
            entry.job.status.code, entry.job.status.message = outcome
            entry.failures = entry.failures + 1 if outcome[0] else 0
            again = self._retry_at(entry, now)
            if again is None:
                self._reschedule(entry, entry.fires_at)
            else:
                self._set_due(entry, again)

    def snapshot(self, entry: Entry) -> Job:
        """Return a copy of an entry's job."""
        with self.changed:
            return _copy(entry.job)

    def is_running(self) -> bool:
        """Tell whether any attempt is under way."""
        with self.changed:
            return any(entry.is_running for entry in self._entries.values())

    def _find(self, name: str) -> Entry:
        if name not in self._entries:
            raise not_found(name)
        return self._entries[name]

    def _begin(self, entry: Entry, now: datetime) -> None:
        entry.is_running = True
        entry.first_attempt_at = entry.first_attempt_at if entry.failures else now
        entry.job.last_attempt_time.FromDatetime(now)

    def _retry_at(self, entry: Entry, now: datetime) -> datetime | None:
        if not entry.failures or entry.first_attempt_at is None or entry.job.state != ENABLED:
            return None
        again = retry_at(entry.job, entry.failures, entry.first_attempt_at, now)
        # A retry ends where the next firing begins.
        next_firing = next_fire(entry.job.schedule, entry.job.time_zone, entry.fires_at)
        return again if again and again < next_firing else None

    def _reschedule(self, entry: Entry, after: datetime) -> Job:
        """Let the next firing after a moment be the next; of several that were missed, the last."""
        now, when = self._clock.now(), (entry.job.schedule, entry.job.time_zone)
        entry.failures = 0
        entry.fires_at = next_fire(*when, after)
        if entry.fires_at < now:
            entry.fires_at = last_fire(*when, now)
        self._set_due(entry, entry.fires_at)
        return _copy(entry.job)

    def _set_due(self, entry: Entry, moment: datetime) -> None:
        entry.due_at = moment
        entry.job.schedule_time.FromDatetime(moment)
        self.changed.notify_all()


def _waits(entry: Entry) -> bool:
    return entry.job.state == ENABLED and not entry.is_running


def _copy(job: Job) -> Job:
    copied = new_job()
    copied.CopyFrom(job)
    return copied

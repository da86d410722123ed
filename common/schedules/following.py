"""Pipelines that run after others: each run that completes begins one run of each that follows, once.

The run's ID follows from the run that has completed and the config that follows. So a dispatcher that looks
twice, or dies after having begun it, begins it once; and rows say which runs have been followed by now.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from common.errors import (
    Conflict,
    ConvergenceError,
    Forbidden,
    InvalidInput,
    NotFound,
    QuotaExceeded,
)
from common.logs import log_context
from common.pipelines.followers import circle_through
from common.pipelines.intervals import Interval
from common.queue.run_queue import RunQueue
from common.queue.waiting import AdmissionResult, WaitingRun
from common.runs.run import RunStatus, Trigger, TriggerType
from common.runs.starting import RunRequest, StartedRun
from common.times import Clock, to_rfc3339

logger = logging.getLogger(__name__)

FOLLOWING_WINDOW = timedelta(hours=6)
"""How long ago a run can have completed that is followed still: so long the dispatcher may be away."""
BEFORE_UPLOAD = timedelta(minutes=2)
"""A run that completed shortly before an upload is followed: a new version loses nothing under way."""

REFUSALS = (Conflict, Forbidden, InvalidInput, NotFound, QuotaExceeded)
"""What ends it; all else passes by itself, or is the operator's to mend."""
REFUSED_AFTER = timedelta(minutes=10)
"""Until then another may be beginning the same run, and have taken the place that this one lacks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Follower:
    """A config that runs after others, by the version that has said so since `since`."""

    tenant_id: str
    config_id: str
    version: int
    priority: int
    after: tuple[str, ...]
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A run that has completed, and the configs that have followed it already, or were refused to."""

    tenant_id: str
    config_id: str
    run_id: str
    run_date: date
    interval: Interval | None
    ended_at: datetime
    followed_by: frozenset[str] = frozenset()


class FollowingReader(Protocol):
    """Where it is read who follows whom."""

    def followers(self, now: datetime) -> Sequence[Follower]:
        """Return the configs of active tenants that run after others."""

    def completions(self, keys: Collection[tuple[str, str]], since: datetime) -> Sequence[Completion]:
        """Return the runs of configs (tenant, config) that have completed since a moment, oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedRuns:
    """Begins what follows on runs that have completed. Two at once do no harm."""

    reader: FollowingReader
    start: Callable[[RunRequest], StartedRun]
    queue: RunQueue
    clock: Clock

    def __call__(self) -> int:
        """Do one round, and count the runs that were asked for."""
        now = self.clock()
        followers = _without_circles(self.reader.followers(now))
        if not followers:
            return 0
        keys = {(one.tenant_id, name) for one in followers for name in one.after}
        by_key: dict[tuple[str, str], list[Follower]] = defaultdict(list)
        for follower in followers:
            for name in dict.fromkeys(follower.after):
                by_key[follower.tenant_id, name].append(follower)
        return sum(
            self._follow(completion, follower, now)
            for completion in self.reader.completions(keys, now - FOLLOWING_WINDOW)
            for follower in by_key[completion.tenant_id, completion.config_id]
            if follower.config_id not in completion.followed_by
            and completion.ended_at > follower.since - BEFORE_UPLOAD
        )

    def _follow(self, completion: Completion, follower: Follower, now: datetime) -> bool:
        request = request_for(completion, follower)
        with log_context(tenant=follower.tenant_id, run=request.run_id):
            try:
                self.start(request)
            except REFUSALS as refused:
                if now - completion.ended_at < REFUSED_AFTER:
                    return False
                logger.warning("run that follows is refused", extra={"reason": str(refused)})
                self.queue.record([_refused(request, completion, follower, refused, now)], now)
                return False
            except ConvergenceError:
                logger.warning("run that follows is left for the next minute", exc_info=True)
                return False
        return True


def request_for(completion: Completion, follower: Follower) -> RunRequest:
    """Ask for the run of a config that follows on another's: for the same interval, under its own ID."""
    interval = completion.interval
    return RunRequest(
        tenant_id=follower.tenant_id,
        config_id=follower.config_id,
        trigger=Trigger(type=TriggerType.AFTER, by=completion.run_id),
        parameters={},
        # No caller's key has a line break.
        idempotency_key=f"after\n{completion.run_id}\n{follower.config_id}",
        interval=(to_rfc3339(interval.start), to_rfc3339(interval.end)) if interval else None,
        may_wait=True,
    )


def _refused(
    request: RunRequest,
    completion: Completion,
    follower: Follower,
    error: ConvergenceError,
    now: datetime,
) -> AdmissionResult:
    waiting = WaitingRun(
        tenant_id=follower.tenant_id,
        run_id=request.run_id,
        config_id=follower.config_id,
        config_version=follower.version,
        priority=follower.priority,
        due_at=now,
        added_at=now,
        run_date=completion.run_date,
        interval=completion.interval,
        trigger=request.trigger,
    )
    reason = error.limit_name if isinstance(error, QuotaExceeded) else ""
    return AdmissionResult(waiting=waiting, status=RunStatus.FAILED, error=str(error), reason=reason)


def _without_circles(followers: Sequence[Follower]) -> list[Follower]:
    """Leave out who would never come to rest: uploads at one moment can make what each alone could not."""
    by_tenant: dict[str, dict[str, tuple[str, ...]]] = defaultdict(dict)
    for one in followers:
        by_tenant[one.tenant_id][one.config_id] = one.after
    kept = [one for one in followers if not _is_in_circle(one, by_tenant[one.tenant_id])]
    if len(kept) < len(followers):
        logger.error(
            "pipelines run after each other in a circle", extra={"count": len(followers) - len(kept)}
        )
    return kept


def _is_in_circle(follower: Follower, after: Mapping[str, Sequence[str]]) -> bool:
    return bool(circle_through(follower.config_id, after))

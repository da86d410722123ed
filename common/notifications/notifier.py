"""From a run's event to those who asked to be told of it: each at most once, whichever other is down."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from common import strict_json
from common.claims import ClaimJobs, try_claim
from common.errors import ConvergenceError, Forbidden, MalformedInput, Unavailable
from common.notifications.notices import OF_STATES, Cause, News, Notice, cause_of, warning_of
from common.notifications.subscriptions import Subscriber
from common.runs.events import LATE
from common.runs.run import RunStatus
from common.runs.run_queries import RunReads, history_filter
from common.runs.views import RunDetails
from common.times import Clock

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 5
"""How often one notice is sent at the most, by as many deliveries of its event."""
LOOKED_BACK, LATEST = timedelta(days=30), 10
"""How far, and over how many runs, a recovery looks for the failure before it."""
_NEEDED_OF_LATE = ("tenant_id", "pipeline_id", "config_version", "event_id", "by", "links")
_NEEDED = ("tenant_id", "pipeline_id", "config_version", "pipeline_logging_id", "status", "links")


class Subscribers(Protocol):
    """Where it is said who is to be told."""

    def subscribers(self, tenant_id: str, config_id: str, version: int) -> Sequence[Subscriber]:
        """Return those whom a version of a pipeline's file names; none where there is no such version."""


class Secrets(Protocol):
    """Opens tenants' credentials."""

    def secret(self, tenant_id: str, credential_id: str) -> Mapping[str, str]:
        """Return address and secret of a subscriber; InvalidInput where the credential is of no use."""


class Sends(Protocol):
    """Sends a notice once."""

    def send(self, notice: Notice, subscriber: Subscriber, secret: Mapping[str, str]) -> None:
        """Unavailable: it may work later; every other error of the tree: it never will."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notifier:
    """Tells all who asked.

    A notice is claimed before it is sent, and what has failed for certain leaves a claim that says so: so a
    second delivery sends what was not received, and nothing twice. An attempt that died between both is taken
    for sent.
    """

    subscribers: Subscribers
    runs: RunReads
    secrets: Secrets
    sender: Sends
    claims: ClaimJobs
    clock: Clock
    new_id: Callable[[], str]

    def tell(self, data: bytes) -> None:
        """Tell of an event; Unavailable where somebody could not be reached and is to be tried again.

        Raises the first error that will never pass, once all others have been told.
        """
        event = _event(data)
        state = event["status"]
        if state not in OF_STATES and state != LATE:
            return
        wanted = self.subscribers.subscribers(
            event["tenant_id"], event["pipeline_id"], event["config_version"]
        )
        found = _can_be(News.LATE if state == LATE else OF_STATES[RunStatus(state)])
        asked = [one for one in wanted if one.news & found]
        errors = self._tell_all(event, asked)
        if errors:  # What may still work brings the event again; what never will is in the log then.
            raise next((error for error in errors if isinstance(error, Unavailable)), errors[0])

    def _tell_all(self, event: Mapping[str, Any], asked: Sequence[Subscriber]) -> list[ConvergenceError]:
        """Tell all who asked, and return what went wrong."""
        if not asked:
            return []
        if event["status"] == LATE:
            notice = Notice(news=News.LATE, run=event)
            return [error for one in asked if (error := self._send(notice, one))]
        run = self.runs.read_run(event["tenant_id"], event["pipeline_logging_id"], self.clock())
        if run is None:  # An account that may publish events can make one up.
            logger.error("event of a run that nobody knows")
            return []
        warning = self._warning(event, run, asked)
        return [error for one in asked if (error := self._tell(event, run, one, warning))]

    def _warning(
        self, event: Mapping[str, Any], run: RunDetails, asked: Sequence[Subscriber]
    ) -> Cause | None:
        """Say what a run warns of, where it has completed and anybody asks for that."""
        if event["status"] != RunStatus.COMPLETED or not any(News.WARNING in one.news for one in asked):
            return None
        run_id, began = event["pipeline_logging_id"], run.started_at
        return warning_of(run, lambda: self.runs.read_checks(event["tenant_id"], run_id, began))

    def _tell(
        self,
        event: Mapping[str, Any],
        run: RunDetails,
        subscriber: Subscriber,
        warning: Cause | None,
    ) -> ConvergenceError | None:
        is_warned = warning is not None and News.WARNING in subscriber.news
        news = News.WARNING if is_warned else self._news(event, run, subscriber)
        if news is None:
            return None
        cause = cause_of(run) if news is News.FAILURE else warning if is_warned else None
        return self._send(Notice(news=news, run=event, cause=cause), subscriber)

    def _send(self, notice: Notice, subscriber: Subscriber) -> ConvergenceError | None:
        event, news = notice.run, notice.news
        name = f"cvg-notify-{_subject(event)}-{news.value}-{subscriber.number}"
        labels = {"purpose": "notify", "tenant": event["tenant_id"], "delivery": self.new_id()}
        attempt = self._turn(name, labels)
        if attempt is None:
            return None
        where = {"medium": subscriber.medium.value, "news": news.value, "attempt": attempt}
        try:
            secret = self.secrets.secret(event["tenant_id"], subscriber.credential)
            self.sender.send(notice, subscriber, secret)
        except ConvergenceError as error:
            logger.warning("notice not sent", extra={**where, "error": str(error)})
            if not isinstance(error, Unavailable):
                return error
            if attempt == MAX_ATTEMPTS:
                return Forbidden(f"{error}; it was tried {attempt} times")
            try_claim(self.claims, f"{name}-failed-{attempt}", labels)
            return error
        logger.info("notice sent", extra=where)
        return None

    def _turn(self, name: str, labels: Mapping[str, str]) -> int | None:
        """Claim the next attempt; None where the last one has come through, or is another's."""
        for attempt in range(1, MAX_ATTEMPTS + 1):
            claimed = name if attempt == 1 else f"{name}-{attempt}"
            if self.claims.find_claim(claimed) is None:
                holder = try_claim(self.claims, claimed, labels)
                return attempt if holder and holder.is_held_by(labels) else None
            if self.claims.find_claim(f"{name}-failed-{attempt}") is None:
                return None
        return None

    def _news(self, event: Mapping[str, Any], run: RunDetails, subscriber: Subscriber) -> News | None:
        news = OF_STATES[RunStatus(event["status"])]
        if news is not News.SUCCESS or News.RECOVERY not in subscriber.news:
            return news if news in subscriber.news else None
        if self._follows_a_failure(event, run.started_at):
            return News.RECOVERY
        return news if news in subscriber.news else None

    def _follows_a_failure(self, event: Mapping[str, Any], began: datetime) -> bool:
        """Tell whether the run before it, of those that completed or failed, failed."""
        wanted = history_filter(
            self.clock(),
            config_id=event["pipeline_id"],
            page_size=LATEST,
            since=began - LOOKED_BACK,
            until=began,
        )
        ended = (
            run.status
            for run in self.runs.read_history(event["tenant_id"], wanted)
            if run.run_id != event["pipeline_logging_id"]
            and run.status in {RunStatus.COMPLETED, RunStatus.FAILED}
        )
        return next(ended, None) is RunStatus.FAILED


def _can_be(news: News) -> frozenset[News]:
    return frozenset({news, News.RECOVERY, News.WARNING} if news is News.SUCCESS else {news})


def _subject(event: Mapping[str, Any]) -> str:
    """Name what is told of: a run, or that none has completed by a time."""
    return str(event["event_id"] if event["status"] == LATE else event["pipeline_logging_id"])


def _event(data: bytes) -> Mapping[str, Any]:
    try:
        event = strict_json.parse(data.decode("utf-8"))
    except ValueError as error:
        raise MalformedInput("is no event of a run") from error
    if not isinstance(event, dict) or not isinstance(event.get("status"), str):
        raise MalformedInput("is no event of a run")
    needed = _NEEDED if event["status"] in OF_STATES else _NEEDED_OF_LATE if event["status"] == LATE else ()
    if any(not event.get(name) for name in needed):
        raise MalformedInput("is no event of a run")
    return event

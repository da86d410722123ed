"""The audit log: who did what to tenants and keys, when, and from where; and when keys were last used.

An action of an operator or of a key's owner leaves a row before it is done, so that nothing is done without a
trace, and one after it, with the outcome. No secret is ever in it: bodies give the names of their members.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from common.errors import ConvergenceError
from common.recent_answers import RecentAnswers
from common.tenants.authentication import Caller
from common.times import Clock

logger = logging.getLogger(__name__)

# How exactly a key's last use is known, and how often one instance writes one down.
USE_INTERVAL = timedelta(hours=1)
MAX_KEYS = 10_000
KEY_USED = "api_key_used"


class Outcome(StrEnum):
    """How an action ended; ASKED is its beginning."""

    ASKED = "ASKED"
    DONE = "DONE"
    REFUSED = "REFUSED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One action. `actor`: `admin:<fingerprint>`, `key:<ID>`, `public` or `dispatcher`."""

    audit_id: str
    occurred_at: datetime
    actor: str
    action: str
    outcome: Outcome
    tenant_id: str | None = None
    source: str | None = None
    request_id: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which actions are asked for; newest first."""

    since: datetime
    before: datetime
    tenant_id: str = ""
    limit: int = 100


class AuditLog(Protocol):
    """Where the rows are."""

    def append(self, entry: AuditEntry, *, recorded_at: datetime) -> None:
        """Append a row; NoSuchResource before the platform is set up."""

    def read(self, wanted: AuditFilter) -> Sequence[AuditEntry]:
        """Read actions, each with its latest outcome, newest first."""

    def last_uses(self, tenant_id: str, since: datetime) -> Mapping[str, datetime]:
        """Return when each key of a tenant was last seen, by the key's ID."""


def _recent() -> RecentAnswers[bool]:
    return RecentAnswers(lifetime=USE_INTERVAL, capacity=MAX_KEYS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Auditor:
    """Writes the log."""

    log: AuditLog
    clock: Clock
    new_id: Callable[[], str]
    _noted: RecentAnswers[bool] = field(default_factory=_recent, repr=False)

    def begin(self, action: str, actor: str, **more: Any) -> AuditEntry:
        """Write down that an action is asked for; it must not be done where this fails."""
        entry = self.entry(action, actor, Outcome.ASKED, **more)
        self.log.append(entry, recorded_at=entry.occurred_at)
        return entry

    def end(self, entry: AuditEntry, outcome: Outcome) -> None:
        """Write down how an action ended; where that fails the log line has it."""
        ended = replace(entry, outcome=outcome)
        try:
            # Later than its beginning by the clock of any machine.
            moment = max(self.clock(), entry.occurred_at + timedelta(microseconds=1))
            self.log.append(ended, recorded_at=moment)
        except ConvergenceError:
            extra = {"actor": ended.actor, "action": ended.action, "outcome": outcome.value}
            logger.exception("outcome not audited", extra=extra)

    def entry(self, action: str, actor: str, outcome: Outcome, **more: Any) -> AuditEntry:
        """Make a new entry."""
        return AuditEntry(
            audit_id=self.new_id(),
            occurred_at=self.clock(),
            actor=actor,
            action=action,
            outcome=outcome,
            **more,
        )

    def note_use(self, caller: Caller, source: str) -> None:
        """Write down that a key is in use: once an hour per key and instance; no request fails for it."""
        now = self.clock()
        if self._noted.get(caller.api_key_id, now):
            return
        self._noted.put(caller.api_key_id, True, now)
        actor = f"key:{caller.api_key_id}"
        self.end(
            self.entry(KEY_USED, actor, Outcome.DONE, tenant_id=caller.tenant_id, source=source),
            Outcome.DONE,
        )

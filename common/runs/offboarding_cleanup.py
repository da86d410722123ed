"""Closing down what belongs to tenants that are no longer ACTIVE: runs at once, datasets after the grace.

It goes by what the rows say each minute, not by who was there when a tenant was suspended or deleted.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from common.errors import ConvergenceError
from common.times import Clock

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftoverWork:
    """What tenants that are not ACTIVE have left: runs (tenant, run) and datasets past their grace.

    The runs are under way, or wait in the queue.
    """

    runs: Sequence[tuple[str, str]] = ()
    datasets: Sequence[str] = ()
    may_be_more: bool = False
    """Whether a tenant was stopped so lately that runs of it may still turn up."""


class LeftoverWorkReader(Protocol):
    """Where that is found, in one query."""

    def look(self, deleted_before: datetime, now: datetime) -> LeftoverWork:
        """Return open runs of tenants that are not ACTIVE, and datasets of those DELETED before a moment."""


class Canceller(Protocol):
    """Stops runs, wherever they are."""

    def cancel(self, tenant_id: str, run_id: str) -> object:
        """Cancel a run; repeating it is harmless."""


class Remover(Protocol):
    """Deletes datasets for good."""

    def remove(self, tenant_id: str) -> None:
        """Delete a tenant's dataset with all that is in it, and write down that it is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OffboardingCleanup:
    """Cancels and deletes; a failure of one does not keep it from the others."""

    reader: LeftoverWorkReader
    canceller: Canceller
    remover: Remover
    clock: Clock
    grace: timedelta

    def close(self) -> int:
        """Do one round; count what was closed."""
        now = self.clock()
        found = self.reader.look(now - self.grace, now)
        cancelled = sum(self._cancelled(*run) for run in found.runs)
        return cancelled + sum(map(self._removed, found.datasets))

    def _cancelled(self, tenant_id: str, run_id: str) -> bool:
        try:
            self.canceller.cancel(tenant_id, run_id)
        except ConvergenceError:
            logger.exception("run of a stopped tenant not cancelled", extra={"tenant": tenant_id})
            return False
        return True

    def _removed(self, tenant_id: str) -> bool:
        try:
            self.remover.remove(tenant_id)
        except ConvergenceError:
            logger.exception("dataset of a deleted tenant not removed", extra={"tenant": tenant_id})
            return False
        logger.info("dataset of a deleted tenant removed", extra={"tenant": tenant_id})
        return True

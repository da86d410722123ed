"""The schedules of all tenants: what the dispatcher goes by, and what a tenant sees and stops of its own."""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from common.errors import NotFound
from common.queue.firings import ScheduledConfig
from common.queue.refusals import Refusal, RefusalReader, refused_since
from common.times import Clock

logger = logging.getLogger(__name__)

EVERY_TENANT = ""
HISTORY = timedelta(days=400)


class Timetable(Protocol):
    """Where schedules are read, and paused."""

    def read(self, tenant_id: str, since: datetime) -> Sequence[ScheduledConfig]:
        """Return the schedules of a tenant, or of every one; what was fired before `since` is not told."""

    def set_paused(self, config: ScheduledConfig, now: datetime, *, is_paused: bool) -> None:
        """Append that a schedule is paused or resumed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedules:
    """A tenant's own schedules. A pause lasts until it is resumed, whatever is uploaded meanwhile."""

    timetable: Timetable
    refused: RefusalReader
    clock: Clock

    def refusals(self, tenant_id: str) -> Mapping[str, Sequence[Refusal]]:
        """Return, by config, which firings of today and yesterday (UTC) no run has come of."""
        found: dict[str, list[Refusal]] = defaultdict(list)
        for refusal in self.refused.read_refusals(tenant_id, refused_since(self.clock())):
            found[refusal.config_id].append(refusal)
        return found

    def list(self, tenant_id: str) -> Sequence[ScheduledConfig]:
        """List the tenant's configs that have a schedule, by ID."""
        return self.timetable.read(tenant_id, self.clock() - HISTORY)

    def pause(self, tenant_id: str, config_id: str) -> ScheduledConfig:
        """Let nothing run by a schedule until it is resumed; NotFound where there is none."""
        return self._set(tenant_id, config_id, is_paused=True)

    def resume(self, tenant_id: str, config_id: str) -> ScheduledConfig:
        """Let a schedule go on from now; what was due in the pause does not run. NotFound."""
        return self._set(tenant_id, config_id, is_paused=False)

    def next_fire(self, config: ScheduledConfig) -> datetime | None:
        """Return when a schedule is due next, None where it is paused, disabled or over."""
        now = self.clock() - config.schedule.delay
        return config.schedule.next_after(now) if config.fires else None

    def _set(self, tenant_id: str, config_id: str, *, is_paused: bool) -> ScheduledConfig:
        found = next((config for config in self.list(tenant_id) if config.config_id == config_id), None)
        if found is None:
            raise NotFound(f"there is no pipeline config {config_id!r} that has a schedule")
        if found.is_paused is is_paused:
            return found
        self.timetable.set_paused(found, self.clock(), is_paused=is_paused)
        state = "paused" if is_paused else "resumed"
        logger.info("schedule set", extra={"config": config_id, "state": state})
        return replace(found, is_paused=is_paused)

"""Schedules in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from common.schedules.firings import ScheduledConfig


class MemoryTimetable:
    """`Timetable`: a test lays the schedules down."""

    def __init__(self) -> None:
        self.configs: dict[tuple[str, str], ScheduledConfig] = {}

    def add(self, config: ScheduledConfig) -> None:
        """Have a config with a schedule."""
        self.configs[config.tenant_id, config.config_id] = config

    def read(self, tenant_id: str, since: datetime) -> Sequence[ScheduledConfig]:
        return [config for key, config in sorted(self.configs.items()) if tenant_id in {"", key[0]}]

    def set_paused(self, config: ScheduledConfig, now: datetime, *, is_paused: bool) -> None:
        self.add(replace(config, is_paused=is_paused, since=config.since if is_paused else now))

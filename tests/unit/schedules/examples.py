"""Schedules for tests, each field open to change."""

from typing import Any

from common.pipelines.schedule import Schedule
from common.schedules.firings import ScheduledConfig
from tests.fakes.clock import START


def a_scheduled_config(cron: str = "*/5 * * * *", catch_up: str = "none", **changes: Any) -> ScheduledConfig:
    fields: dict[str, Any] = {
        "tenant_id": "acme",
        "config_id": "daily",
        "version": 1,
        "priority": 5,
        "schedule": Schedule.declared({"cron": cron, "catch_up": catch_up}, "acme/daily"),
        "since": START,
    }
    return ScheduledConfig(**fields | changes)

"""Schedules for tests, each field open to change."""

from typing import Any

from common.pipelines.schedule import Schedule
from common.queue.firings import ScheduledConfig
from tests.fakes.clock import START


def a_scheduled_config(cron: str = "*/5 * * * *", catch_up: str = "none", **changes: Any) -> ScheduledConfig:
    """Make a config with a schedule; what a file says of overlaps stands in `declared`."""
    body = {"cron": cron, "catch_up": catch_up, **changes.pop("declared", {})}
    fields: dict[str, Any] = {
        "tenant_id": "acme",
        "config_id": "daily",
        "version": 1,
        "priority": 5,
        "schedule": Schedule.declared(body, "acme/daily"),
        "since": START,
    }
    return ScheduledConfig(**fields | changes)

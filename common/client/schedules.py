"""Schedules: when pipelines run by themselves."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict, cast

from common.client.api import Api
from common.client.calls import segment

SCHEDULES = "/api/v1/pipelines/schedules"


class Schedule(TypedDict):
    """When a pipeline runs by itself."""

    config_id: str
    version: int
    cron: str
    timezone: str
    catch_up: str
    max_active_runs: int
    overlap: str
    reserve: int | None
    start: str | None
    end: str | None
    jitter_seconds: int
    enabled: bool
    paused: bool
    error_message: str | None
    next_fire_time: str | None
    last_fire_time: str | None
    refused: list[Mapping[str, Any]]
    links: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Schedules:
    """A tenant's schedules."""

    api: Api

    def list(self) -> list[Schedule]:
        """List the schedules of pipelines, with the time before and the time to come."""
        return cast("list[Schedule]", self.api.get(SCHEDULES)["schedules"])

    def pause(self, config_id: str) -> Schedule:
        """Pause the schedule of a pipeline."""
        return cast("Schedule", self.api.post(f"{SCHEDULES}/{segment(config_id)}/pause", is_repeatable=True))

    def resume(self, config_id: str) -> Schedule:
        """Resume the schedule of a pipeline."""
        return cast("Schedule", self.api.post(f"{SCHEDULES}/{segment(config_id)}/resume", is_repeatable=True))

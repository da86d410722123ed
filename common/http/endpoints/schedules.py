"""Endpoints of schedules: when pipelines run by themselves, and stopping that."""

from typing import Any

from common.errors import NotFound
from common.http.endpoints.configs import CONFIG_ID
from common.http.endpoints.links import config_links, run_links
from common.http.routing import Access, Answer, Call, Route
from common.http.services import PipelineServices
from common.schedules.firings import ScheduledConfig, run_id_of


def list_schedules(call: Call[PipelineServices]) -> Answer:
    """List the schedules of pipelines, with the time before and the time to come.

    Times are as the cron expression gives them in its time zone; the run begins up to `jitter_minutes` later.
    """
    found = call.services.schedules.list(call.caller.tenant_id)
    return Answer(body={"schedules": [_body(call, config) for config in found]})


def pause_schedule(call: Call[PipelineServices]) -> Answer:
    """Pause the schedule of a pipeline.

    Nothing runs by it until it is resumed, whatever is uploaded meanwhile. A repeat changes nothing.
    """
    config = call.services.schedules.pause(call.caller.tenant_id, call.path["config_id"])
    return Answer(body=_body(call, config))


def resume_schedule(call: Call[PipelineServices]) -> Answer:
    """Resume the schedule of a pipeline.

    It goes on with the next time to come; what was due in the pause does not run. A repeat changes nothing.
    """
    config = call.services.schedules.resume(call.caller.tenant_id, call.path["config_id"])
    return Answer(body=_body(call, config))


def _body(call: Call[PipelineServices], config: ScheduledConfig) -> dict[str, Any]:
    schedule, edge, last = config.schedule, call.services.edge, config.last_fired
    links = {"config": config_links(edge, config.config_id)["config"]}
    if last:
        run_id = run_id_of(config.tenant_id, config.config_id, last)
        links["last_run"] = run_links(edge, run_id, config.config_id)["status"]
    return {
        "config_id": config.config_id,
        "version": config.version,
        "cron": schedule.cron,
        "timezone": schedule.timezone,
        "catch_up": schedule.catch_up.value,
        "start": schedule.start,
        "end": schedule.end,
        "jitter_seconds": round(schedule.delay.total_seconds()),
        "enabled": schedule.is_enabled,
        "paused": config.is_paused,
        "error_message": config.error or None,
        "next_fire_time": call.services.schedules.next_fire(config),
        "last_fire_time": last,
        "links": links,
    }


SCHEDULE_ROUTES: tuple[Route[PipelineServices], ...] = (
    Route(
        method="GET",
        path="/api/v1/pipelines/schedules",
        endpoint=list_schedules,
        access=Access.READ,
        answers={200: "schedule_list"},
        tag="Schedules",
    ),
    Route(
        method="POST",
        path="/api/v1/pipelines/schedules/{config_id}/pause",
        endpoint=pause_schedule,
        access=Access.RUN,
        parameters=(CONFIG_ID,),
        answers={200: "schedule"},
        problems=(NotFound,),
        tag="Schedules",
    ),
    Route(
        method="POST",
        path="/api/v1/pipelines/schedules/{config_id}/resume",
        endpoint=resume_schedule,
        access=Access.RUN,
        parameters=(CONFIG_ID,),
        answers={200: "schedule"},
        problems=(NotFound,),
        tag="Schedules",
    ),
)

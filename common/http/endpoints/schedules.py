"""Endpoints of schedules: when pipelines run by themselves, and stopping that."""

from collections.abc import Sequence
from typing import Any

from common.errors import NotFound
from common.http.endpoints.configs import CONFIG_ID
from common.http.endpoints.links import config_links, run_links
from common.http.routing import Access, Answer, Call, Route
from common.http.services import PipelineServices
from common.queue.firings import ScheduledConfig, run_id_of
from common.queue.refusals import Refusal


def list_schedules(call: Call[PipelineServices]) -> Answer:
    """List the schedules of pipelines, with the time before and the time to come.

    Times are as the cron expression gives them in its time zone; the run begins up to `jitter_minutes` later.
    `refused` says which firings no run has come of, and why: the plan had no run left for them, or the file
    says to skip them.
    """
    found = call.services.schedules.list(call.caller.tenant_id)
    refused = call.services.schedules.refusals(call.caller.tenant_id) if found else {}
    bodies = [_body(call, config, refused.get(config.config_id, ())) for config in found]
    return Answer(body={"schedules": bodies})


def pause_schedule(call: Call[PipelineServices]) -> Answer:
    """Pause the schedule of a pipeline.

    Nothing runs by it until it is resumed, whatever is uploaded meanwhile. A repeat changes nothing.
    """
    return _answer(call, call.services.schedules.pause(call.caller.tenant_id, call.path["config_id"]))


def resume_schedule(call: Call[PipelineServices]) -> Answer:
    """Resume the schedule of a pipeline.

    It goes on with the next time to come; what was due in the pause does not run. A repeat changes nothing.
    """
    return _answer(call, call.services.schedules.resume(call.caller.tenant_id, call.path["config_id"]))


def _answer(call: Call[PipelineServices], config: ScheduledConfig) -> Answer:
    refused = call.services.schedules.refusals(config.tenant_id)
    return Answer(body=_body(call, config, refused.get(config.config_id, ())))


def _body(
    call: Call[PipelineServices], config: ScheduledConfig, refused: Sequence[Refusal]
) -> dict[str, Any]:
    schedule, edge, last = config.schedule, call.services.edge, config.last_fired
    links = {"config": config_links(edge, config.config_id)["config"]}
    if last:
        refusal = next((one for one in refused if one.last_time == last), None)
        run_id = refusal.refusal_id if refusal else run_id_of(config.tenant_id, config.config_id, last)
        links["last_run"] = run_links(edge, run_id, config.config_id)["status"]
    return {
        "config_id": config.config_id,
        "version": config.version,
        "cron": schedule.cron,
        "timezone": schedule.timezone,
        "catch_up": schedule.catch_up.value,
        "max_active_runs": schedule.max_active_runs,
        "overlap": schedule.overlap.value,
        "reserve": schedule.reserve,
        "start": schedule.start,
        "end": schedule.end,
        "jitter_seconds": round(schedule.delay.total_seconds()),
        "enabled": schedule.is_enabled,
        "paused": config.is_paused,
        "error_message": config.error or None,
        "next_fire_time": call.services.schedules.next_fire(config),
        "last_fire_time": last,
        "refused": [_refused(call, refusal) for refusal in refused],
        "links": links,
    }


def _refused(call: Call[PipelineServices], refusal: Refusal) -> dict[str, Any]:
    links = run_links(call.services.edge, refusal.refusal_id, refusal.config_id)
    return {
        "pipeline_logging_id": refusal.refusal_id,
        "status": refusal.status.value,
        "error_message": refusal.error,
        "count": refusal.firings,
        "first_time": refusal.first_time,
        "last_time": refusal.last_time,
        "links": {"status": links["status"]},
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

"""The operators' control of the dispatcher, and their overview."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from common.errors import NotConfigured
from common.http.calls import Answer, Call
from common.http.routes import Access, Route
from common.http.tenant_services import AdminServices
from common.schedules.control import JobState

_COUNTS = (
    "tenants",
    "due",
    "running",
    "queued",
    "admitted_today",
    "completed_today",
    "failed_today",
    "refused_today",
    "dead_letters_today",
)


def read_scheduler(call: Call[AdminServices]) -> Answer:
    """Show the job that calls the dispatcher each minute."""
    return Answer(body=_job_body(call.services.scheduler.read()))


def pause_scheduler(call: Call[AdminServices]) -> Answer:
    """Pause the dispatcher.

    Schedules do not fire and quiet runs are not continued until it is resumed; runs under way go on. What is
    missed is caught up by each schedule's policy. A repeat changes nothing.
    """
    return Answer(body=_job_body(call.services.scheduler.pause()))


def resume_scheduler(call: Call[AdminServices]) -> Answer:
    """Resume the dispatcher.

    It goes on with the next minute. A repeat changes nothing.
    """
    return Answer(body=_job_body(call.services.scheduler.resume()))


def run_scheduler(call: Call[AdminServices]) -> Answer:
    """Call the dispatcher once, now.

    It works by itself after this answer; a call beside the one of the minute does no harm.
    """
    return Answer(body=_job_body(call.services.scheduler.run()), status=202)


def read_overview(call: Call[AdminServices]) -> Answer:
    """Show what is due, waiting, running and failed, in all and by plan.

    Today is the UTC day. `refused_today` counts runs that never began: over a limit of their day or month, or
    after a day in the queue. `dead_letters_today` counts runs that ended because a level's message was given
    up.
    """
    overview = call.services.watch.overview()
    body: dict[str, Any] = {name: overview.total(name) for name in _COUNTS}
    body |= {
        "oldest_queued_at": overview.oldest_queued_at,
        "as_of": overview.at,
        "streaming_held": [
            {"table": table, "until": until} for table, until in overview.streaming_held.items()
        ],
        "plans": [asdict(plan) for plan in overview.plans],
    }
    return Answer(body=body)


def _job_body(job: JobState) -> Mapping[str, Any]:
    return asdict(job)


SCHEDULER_ROUTES: tuple[Route[AdminServices], ...] = (
    Route(
        method="GET",
        path="/admin/scheduler",
        endpoint=read_scheduler,
        access=Access.ADMIN,
        answers={200: "scheduler"},
        problems=(NotConfigured,),
        tag="Admin",
    ),
    Route(
        method="POST",
        path="/admin/scheduler/pause",
        endpoint=pause_scheduler,
        access=Access.ADMIN,
        answers={200: "scheduler"},
        problems=(NotConfigured,),
        tag="Admin",
    ),
    Route(
        method="POST",
        path="/admin/scheduler/resume",
        endpoint=resume_scheduler,
        access=Access.ADMIN,
        answers={200: "scheduler"},
        problems=(NotConfigured,),
        tag="Admin",
    ),
    Route(
        method="POST",
        path="/admin/scheduler/run",
        endpoint=run_scheduler,
        access=Access.ADMIN,
        answers={202: "scheduler"},
        problems=(NotConfigured,),
        tag="Admin",
    ),
    Route(
        method="GET",
        path="/admin/overview",
        endpoint=read_overview,
        access=Access.ADMIN,
        answers={200: "overview"},
        tag="Admin",
    ),
)

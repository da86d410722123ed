"""The operators' API: the platform itself, the audit log, the dispatcher; and all routes of operators."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from common.dispatcher.control import JobState
from common.errors import Conflict, NotConfigured
from common.http.endpoints.admin_tenants import (
    ADMIN_TENANT_ROUTES,
)
from common.http.endpoints.usage import ADMIN_USAGE_ROUTES
from common.http.routing import Access, Answer, Call, Parameter, Place, Route, RouteTable
from common.http.services import AdminServices
from common.setup.bootstrap import BootstrapReport
from common.tenants.audit import AuditFilter
from common.times import from_rfc3339

_MOMENT = {"type": "string", "format": "date-time"}
AUDIT_FILTERS = (
    Parameter(
        name="tenant_id",
        place=Place.QUERY,
        description="Only what was done to this tenant.",
        schema={"type": "string", "pattern": "^[a-z][a-z0-9_]{2,49}$"},
        example="customer_name",
    ),
    Parameter(
        name="since",
        place=Place.QUERY,
        description="Only what was done from then on; without it, of 30 days.",
        schema=_MOMENT,
        example="2024-01-18T00:00:00Z",
    ),
    Parameter(
        name="before",
        place=Place.QUERY,
        description="Only what was done before then.",
        schema=_MOMENT,
        example="2024-01-19T00:00:00Z",
    ),
    Parameter(
        name="limit",
        place=Place.QUERY,
        description="How many at most.",
        schema={"type": "integer", "minimum": 1, "maximum": 500, "default": 100},
        example=100,
    ),
)
WINDOW = timedelta(days=30)
"""How far back the audit log is read where nobody says since when: every day of it is a partition."""
AHEAD = timedelta(days=1)
"""As far as the clocks that write the log can be apart, and farther."""
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


def bootstrap_platform(call: Call[AdminServices]) -> Answer:
    """Set the platform up.

    Creates the central dataset, its tables and its views where they are missing, adds columns that are new in
    their definitions, and replaces views whose text has changed. A repeat changes nothing. Recreation copies
    all rows to a backup dataset first; let no pipeline run meanwhile.
    """
    report = call.services.bootstrap.run(
        force_recreate_dataset=call.body.get("force_recreate_dataset", False),
        force_recreate_tables=call.body.get("force_recreate_tables", False),
        confirm=call.body.get("confirm", ""),
    )
    return Answer(body=_report_body(report))


def read_audit(call: Call[AdminServices]) -> Answer:
    """Show what was done to tenants and keys: who, what, when, from where.

    Newest first, of the 30 days before `before`, or before now, where `since` says nothing else; for the next
    page ask with `before` as `next_before` gives it.
    """
    query = call.query
    before = (
        from_rfc3339(query["before"]) if "before" in query else call.services.edge.auditor.clock() + AHEAD
    )
    wanted = AuditFilter(
        since=from_rfc3339(query["since"]) if "since" in query else max(before, EARLIEST) - WINDOW,
        before=before,
        tenant_id=query.get("tenant_id", ""),
        limit=query["limit"],
    )
    entries = call.services.audit.read(wanted)
    is_full = len(entries) == wanted.limit
    return Answer(
        body={
            "entries": [asdict(entry) for entry in entries],
            "next_before": entries[-1].occurred_at if is_full else None,
        }
    )


def _report_body(report: BootstrapReport) -> dict[str, Any]:
    return {"status": "SUCCESS", "total_tables": report.total_tables, "message": report.message} | asdict(
        report
    )


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

PLATFORM_ROUTES: tuple[Route[AdminServices], ...] = (
    Route(
        method="POST",
        path="/admin/bootstrap",
        endpoint=bootstrap_platform,
        access=Access.ADMIN,
        request_schema="bootstrap_request",
        makes_log=True,
        audited_members=("force_recreate_dataset", "force_recreate_tables"),
        answers={200: "bootstrap_report"},
        problems=(Conflict,),
        tag="Admin",
    ),
    Route(
        method="GET",
        path="/admin/audit",
        endpoint=read_audit,
        access=Access.ADMIN,
        parameters=AUDIT_FILTERS,
        answers={200: "audit"},
        tag="Admin",
    ),
)

ADMIN_ROUTES: RouteTable[AdminServices] = RouteTable(
    *PLATFORM_ROUTES, *ADMIN_TENANT_ROUTES, *ADMIN_USAGE_ROUTES, *SCHEDULER_ROUTES
)

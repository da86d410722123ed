"""A tenant's runs: the history, one run as it goes on, and backfills."""

from collections.abc import Mapping
from typing import Any

from common.client import ENDED
from common.client.calls import segment
from common.console.visits import Answered, Elsewhere, Page, PageRoute, Visit
from common.times import utc_now

FILTERS = ("status", "pipeline_id", "from", "to", "cursor")


def history(visit: Visit) -> Answered:
    """List runs, the last asked for first, by state, pipeline and time."""
    asked = {name: visit.query[name] for name in FILTERS if visit.query.get(name)}
    page = visit.client.runs.history(limit=50, **asked)
    kept = {name: value for name, value in asked.items() if name != "cursor"}
    return Page(
        template="history.html",
        values={
            "runs": page["runs"],
            "asked": asked,
            "older": {**kept, "cursor": page["next_cursor"]} if page["next_cursor"] else None,
            "queued": visit.client.runs.queue() if not asked else [],
        },
    )


def run(visit: Visit) -> Answered:
    """Show a run: its steps by level and by time, its attempts with their jobs, and why it failed."""
    run_id = visit.path["run_id"]
    status = visit.client.runs.status(run_id)
    is_live = status["status"] not in ENDED
    return Page(
        template="run.html",
        is_live=is_live,
        values={
            "run": status,
            "now": utc_now(),
            "can_retry": status["status"] in {"FAILED", "CANCELLED"},
            "receipt": visit.client.runs.receipt(run_id),
        },
    )


def cancel(visit: Visit) -> Answered:
    """Cancel a run."""
    visit.client.runs.cancel(visit.path["run_id"])
    return Elsewhere(address(visit.path["run_id"]))


def retry(visit: Visit) -> Answered:
    """Run again what did not complete, by the same or by the latest version."""
    version = "latest" if visit.form.get("version") == "latest" else "same"
    begun = visit.client.runs.retry(visit.path["run_id"], {"version": version, "trigger_by": "console"})
    return Elsewhere(address(begun["pipeline_logging_id"]))


def plan_backfill(visit: Visit) -> Answered:
    """Tell what a backfill would come to, and ask whether it shall be."""
    config_id, asked = visit.path["config_id"], _backfill(visit.form)
    plan = visit.client.backfills.start(config_id, {**asked, "dry_run": True})
    return Page(template="backfill_plan.html", values={"config_id": config_id, "asked": asked, "plan": plan})


def start_backfill(visit: Visit) -> Answered:
    """Start a backfill."""
    plan = visit.client.backfills.start(visit.path["config_id"], _backfill(visit.form))
    return Elsewhere(_address_of_backfill(plan["backfill_id"]))


def backfill(visit: Visit) -> Answered:
    """Show how far a backfill has come, interval by interval."""
    shown = visit.client.backfills.read(visit.path["backfill_id"])
    is_live = any(count for state, count in shown["states"].items() if state not in ENDED)
    return Page(template="backfill.html", is_live=is_live, values={"backfill": shown})


def cancel_backfill(visit: Visit) -> Answered:
    """Cancel a backfill as a whole."""
    visit.client.backfills.cancel(visit.path["backfill_id"])
    return Elsewhere(_address_of_backfill(visit.path["backfill_id"]))


def address(run_id: str) -> str:
    """Return the path of a run's page."""
    return f"/console/runs/{segment(run_id)}"


def _address_of_backfill(backfill_id: str) -> str:
    return f"/console/backfills/{segment(backfill_id)}"


def _backfill(form: Mapping[str, str]) -> dict[str, Any]:
    asked: dict[str, Any] = {name: form.get(name, "").strip() for name in ("start", "end")}
    asked["step"] = form.get("step") or "day"
    if form.get("rerun"):
        asked["rerun"] = form["rerun"]
    if form.get("over_days"):
        asked["over_days"] = True
    return asked


ROUTES = (
    PageRoute(path="/console/runs", visit=history),
    PageRoute(path="/console/runs/<run_id>", visit=run),
    PageRoute(path="/console/runs/<run_id>/cancel", visit=cancel, method="POST"),
    PageRoute(path="/console/runs/<run_id>/retry", visit=retry, method="POST"),
    PageRoute(path="/console/pipelines/<config_id>/backfill/plan", visit=plan_backfill, method="POST"),
    PageRoute(path="/console/pipelines/<config_id>/backfill", visit=start_backfill, method="POST"),
    PageRoute(path="/console/backfills/<backfill_id>", visit=backfill),
    PageRoute(path="/console/backfills/<backfill_id>/cancel", visit=cancel_backfill, method="POST"),
)

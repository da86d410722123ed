"""A tenant's backfills: what one would come to, and how far it has come, as a calendar of its intervals."""

from typing import Any

from common.client import ENDED, Problem
from common.client.calls import segment
from common.client.configs import Config
from common.console import run_forms
from common.console.calendars import days_between, days_of, months_of
from common.console.visits import Answered, Elsewhere, Page, PageRoute, Visit

STEPS = ("day", "hour", "week", "month", "year")
CHOICES = ("start", "end", "step", "rerun", "over_days")


def ask_for_backfill(visit: Visit) -> Answered:
    """Ask for the time that a backfill covers."""
    return _form(visit, visit.client.configs.read(visit.path["config_id"]))


def plan_backfill(visit: Visit) -> Answered:
    """Tell what a backfill would come to, and ask whether it shall be."""
    config = visit.client.configs.read(visit.path["config_id"])
    asked = _backfill(visit, config)
    try:
        plan = visit.client.backfills.start(config["config_id"], {**asked, "dry_run": True})
    except Problem as problem:
        if problem.status not in {400, 409, 422}:
            raise
        return _form(visit, config, problem)
    days = days_between(asked["start"], asked["end"]) if asked["step"] == "day" else {}
    secrets = [
        one["name"]
        for one in config["parameters"]
        if one["secret"] and one["name"] in asked.get("parameters", {})
    ]
    not_kept = {"form_token", *map(run_forms.field_name, secrets)}
    return Page(
        template="backfill_plan.html",
        values={
            "config": config,
            "asked": asked,
            "kept": {name: value for name, value in visit.form.items() if name not in not_kept},
            "secrets": secrets,
            "plan": plan,
            "months": months_of(days),
        },
    )


def start_backfill(visit: Visit) -> Answered:
    """Start a backfill."""
    config = visit.client.configs.read(visit.path["config_id"])
    plan = visit.client.backfills.start(config["config_id"], _backfill(visit, config))
    return Elsewhere(_address(plan["backfill_id"]))


def backfill(visit: Visit) -> Answered:
    """Show how far a backfill has come, interval by interval."""
    shown = visit.client.backfills.read(visit.path["backfill_id"])
    is_live = any(count for state, count in shown["states"].items() if state not in ENDED)
    days = days_of(shown["runs"], _zone(visit, shown["pipeline_id"]))
    return Page(
        template="backfill.html", is_live=is_live, values={"backfill": shown, "months": months_of(days)}
    )


def cancel_backfill(visit: Visit) -> Answered:
    """Cancel a backfill as a whole."""
    visit.client.backfills.cancel(visit.path["backfill_id"])
    return Elsewhere(_address(visit.path["backfill_id"]))


def _form(visit: Visit, config: Config, problem: Problem | None = None) -> Page:
    # Each interval has its own day.
    parameters = [one for one in config["parameters"] if one["name"] != run_forms.DATE]
    values = {
        "config": config,
        "given": {name: visit.form.get(name, "") for name in CHOICES},
        "steps": STEPS,
        "fields": run_forms.fields_of(parameters, visit.form),
        "problem": problem,
    }
    return Page(template="backfill_form.html", values=values, status=problem.status if problem else 200)


def _backfill(visit: Visit, config: Config) -> dict[str, Any]:
    form = visit.form
    asked: dict[str, Any] = {name: form.get(name, "").strip() for name in ("start", "end")}
    asked["step"] = form.get("step") or "day"
    if form.get("rerun"):
        asked["rerun"] = form["rerun"]
    if form.get("over_days"):
        asked["over_days"] = True
    if values := run_forms.values_of(config["parameters"], form):
        asked["parameters"] = values
    return asked


def _zone(visit: Visit, config_id: str) -> str:
    """Return the zone of a pipeline's days; UTC where it has none, or is no more."""
    try:
        return visit.client.configs.read(config_id)["timezone"] or "UTC"
    except Problem as problem:
        if problem.status != 404:
            raise
        return "UTC"


def _address(backfill_id: str) -> str:
    return f"/console/backfills/{segment(backfill_id)}"


ROUTES = (
    PageRoute(path="/console/pipelines/<config_id>/backfill", visit=ask_for_backfill),
    PageRoute(path="/console/pipelines/<config_id>/backfill/plan", visit=plan_backfill, method="POST"),
    PageRoute(path="/console/pipelines/<config_id>/backfill", visit=start_backfill, method="POST"),
    PageRoute(path="/console/backfills/<backfill_id>", visit=backfill),
    PageRoute(path="/console/backfills/<backfill_id>/cancel", visit=cancel_backfill, method="POST"),
)

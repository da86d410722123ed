"""A tenant's pages: overview, pipelines, keys and credentials."""

import difflib
import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import islice
from statistics import quantiles
from typing import Any

from common.client import ENDED, Content, Problem
from common.client.calls import segment
from common.client.keys import ApiKeyIssued
from common.client.runs import Run
from common.console import run_pages
from common.console.visits import Answered, Elsewhere, Page, PageRoute, Visit
from common.times import utc_now

STRIP_DAYS = 14
MAX_STRIP_RUNS = 1000
RECENT_RUNS = 100
"""How many runs of a pipeline, or of all, its numbers are of."""


def overview(visit: Visit) -> Answered:
    """Show how far the limits are used, what ran, what runs, and what is due next."""
    now = utc_now()
    since = (now - timedelta(days=STRIP_DAYS - 1)).date()
    runs = list(islice(visit.client.runs.each(limit=100, **{"from": since.isoformat()}), MAX_STRIP_RUNS))
    schedules = [one for one in visit.client.schedules.list() if one["next_fire_time"]]
    running = [run for run in runs if run["status"] not in ENDED]
    return Page(
        template="overview.html",
        is_live=bool(running),
        values={
            "quota": visit.client.tenant.quota(),
            "runs": runs,
            "is_cut": len(runs) == MAX_STRIP_RUNS,
            "days": STRIP_DAYS,
            "today": now.date(),
            "running": running,
            "latest": runs[:10],
            "due": sorted(schedules, key=lambda one: str(one["next_fire_time"]))[:10],
        },
    )


def pipelines(visit: Visit) -> Answered:
    """List the pipelines, each with its last runs in numbers and its next one."""
    recent = visit.client.runs.history(limit=RECENT_RUNS)["runs"]
    schedules = {one["config_id"]: one for one in visit.client.schedules.list()}
    listed = [
        {
            "config": config,
            "schedule": schedules.get(config["config_id"]),
            **numbers_of([run for run in recent if run["pipeline_id"] == config["config_id"]]),
        }
        for config in visit.client.configs.list()
    ]
    return Page(template="pipelines.html", values={"pipelines": listed, "recent": len(recent)})


def pipeline(visit: Visit) -> Answered:
    """Show a pipeline: its steps as they last ran, its runs in numbers, its file and how that changed."""
    return Page(template="pipeline.html", values=_pipeline(visit))


def save(visit: Visit) -> Answered:
    """Upload a file; its faults are shown beside it, and nothing of it is lost."""
    text = visit.form.get("pipeline_yaml", "").replace("\r\n", "\n")
    config_id = visit.path.get("config_id") or visit.form.get("config_id", "").strip()
    try:
        visit.client.configs.save(config_id, Content.yaml(text.encode()))
    except Problem as problem:
        if problem.status not in {400, 404, 413, 422}:
            raise
        return _editor(config_id, text, is_new="config_id" not in visit.path, problem=problem)
    return Elsewhere(address(config_id))


def edit(visit: Visit) -> Answered:
    """Show a pipeline's file to be changed."""
    config = visit.client.configs.read(visit.path["config_id"])
    return _editor(config["config_id"], config["pipeline_yaml"], is_new=False)


def new(visit: Visit) -> Answered:
    """Ask for a new pipeline's ID and file."""
    return _editor(visit.query.get("config_id", ""), "", is_new=True)


def run(visit: Visit) -> Answered:
    """Start a run, with the values of the form."""
    config_id = visit.path["config_id"]
    given = _parameters(visit.form.get("parameters", ""))
    asked: dict[str, Any] = {"trigger_by": "console", "queue": True, "parameters": given}
    if day := visit.form.get("date", "").strip():
        asked["date"] = day
    begun = visit.client.runs.start(config_id, asked, idempotency_key=visit.form.get("once", ""))
    return Elsewhere(run_pages.address(begun["pipeline_logging_id"]))


def tell_schedule(visit: Visit) -> Answered:
    """Pause or resume a schedule."""
    schedules = visit.client.schedules
    (schedules.pause if visit.form.get("what") == "pause" else schedules.resume)(visit.path["config_id"])
    return Elsewhere(address(visit.path["config_id"]))


def keys(visit: Visit) -> Answered:
    """List the keys."""
    return _keys(visit)


def issue_key(visit: Visit) -> Answered:
    """Make a key, and show it this once."""
    asked: dict[str, Any] = {"description": visit.form.get("description", "").strip() or "console"}
    asked["scopes"] = [scope for scope in ("run", "read", "manage", "data") if visit.form.get(scope)]
    if days := visit.form.get("expires_in_days", "").strip():
        asked["expires_in_days"] = int(days) if days.isdecimal() else days
    return _keys(visit, visit.client.keys.issue(asked))


def revoke_key(visit: Visit) -> Answered:
    """Revoke a key."""
    visit.client.keys.revoke(visit.path["api_key_id"])
    return Elsewhere("/console/keys")


def credentials(visit: Visit) -> Answered:
    """List the credentials, none of which shows its secret."""
    return Page(template="credentials.html", values={"credentials": visit.client.credentials.list()})


def numbers_of(runs: Sequence[Run]) -> Mapping[str, Any]:
    """Say of a pipeline's latest runs, the newest first: how many ended well, and how long they took."""
    ended = [run for run in runs if run["status"] in {"COMPLETED", "FAILED"}]
    durations = [float(run["duration_ms"]) for run in ended if run["duration_ms"] is not None]
    spread = quantiles(durations, n=20, method="inclusive") if len(durations) > 1 else durations * 19
    return {
        "last": runs[0] if runs else None,
        "success": sum(run["status"] == "COMPLETED" for run in ended) / len(ended) if ended else None,
        "p50": spread[9] if spread else None,
        "p95": spread[18] if spread else None,
    }


def address(config_id: str) -> str:
    """Return the path of a pipeline's page."""
    return f"/console/pipelines/{segment(config_id)}"


def _editor(config_id: str, text: str, *, is_new: bool, problem: Problem | None = None) -> Page:
    values = {"config_id": config_id, "text": text, "problem": problem, "is_new": is_new}
    return Page(template="edit.html", values=values, status=422 if problem else 200)


def _keys(visit: Visit, issued: ApiKeyIssued | None = None) -> Page:
    return Page(template="keys.html", values={"keys": visit.client.keys.list(), "issued": issued})


def _pipeline(visit: Visit) -> dict[str, Any]:
    config_id = visit.path["config_id"]
    versions = visit.client.configs.versions(config_id)
    config = visit.client.configs.read(config_id)
    shown = _version(visit.query.get("version", ""), config["version"])
    runs = visit.client.runs.history(limit=50, pipeline_id=config_id)["runs"]
    schedules = [one for one in visit.client.schedules.list() if one["config_id"] == config_id]
    before = shown - 1
    text = config["pipeline_yaml"] if shown == config["version"] else _text(visit, config_id, shown)
    return {
        "config": config,
        "versions": versions,
        "shown": shown,
        "lines": text.splitlines(),
        "diff": _diff(_text(visit, config_id, before), text, before, shown) if before else [],
        "runs": runs,
        "latest": visit.client.runs.status(runs[0]["pipeline_logging_id"]) if runs else None,
        "schedule": schedules[0] if schedules else None,
        **numbers_of(runs),
    }


def _version(asked: str, latest: int) -> int:
    return int(asked) if asked.isdecimal() and 1 <= int(asked) <= latest else latest


def _text(visit: Visit, config_id: str, version: int) -> str:
    return visit.client.configs.read(config_id, version)["pipeline_yaml"] or ""


def _diff(before: str, after: str, old: int, new: int) -> list[str]:
    names = (f"version {old}", f"version {new}")
    return list(difflib.unified_diff(before.splitlines(), after.splitlines(), *names, lineterm=""))


def _parameters(text: str) -> Any:
    """Read the values of the form, which are the members of a JSON object; what is none the API refuses."""
    try:
        return json.loads(text) if text.strip() else {}
    except ValueError:
        return text


ROUTES = (
    PageRoute(path="/console/", visit=overview),
    PageRoute(path="/console/pipelines", visit=pipelines),
    PageRoute(path="/console/new", visit=new),
    PageRoute(path="/console/new", visit=save, method="POST"),
    PageRoute(path="/console/pipelines/<config_id>", visit=pipeline),
    PageRoute(path="/console/pipelines/<config_id>/edit", visit=edit),
    PageRoute(path="/console/pipelines/<config_id>/edit", visit=save, method="POST"),
    PageRoute(path="/console/pipelines/<config_id>/run", visit=run, method="POST"),
    PageRoute(path="/console/pipelines/<config_id>/schedule", visit=tell_schedule, method="POST"),
    PageRoute(path="/console/keys", visit=keys),
    PageRoute(path="/console/keys", visit=issue_key, method="POST"),
    PageRoute(path="/console/keys/<api_key_id>/revoke", visit=revoke_key, method="POST"),
    PageRoute(path="/console/credentials", visit=credentials),
)

"""A tenant's pipelines: the list, one with its runs and its file, the forms that upload and run it."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import quantiles
from typing import Any

from common.client import Content, Problem
from common.client.calls import segment
from common.client.configs import EXAMPLE, EXAMPLE_ID, Config
from common.client.quotes import Quote
from common.client.runs import Run
from common.console import run_forms, run_pages
from common.console.visits import Answered, Elsewhere, Page, PageRoute, Visit
from common.times import utc_now

RECENT_RUNS = 100
"""How many runs of a pipeline, or of all, its numbers are of."""
COST_DAYS = 30
LINES_AROUND = 2
REFUSED = frozenset({400, 404, 409, 413, 422})
_CONFIG_ID = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_NO_CONFIG_ID = {
    "title": "Input breaks rules",
    "detail": "the ID must be lower-case letters, digits, _ and -, a letter first, and at most 63 of them",
}
"""What the API cannot say of an ID that leads to no path of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLine:
    """A line of a file, and the rules that it breaks."""

    number: int
    text: str
    rules: Sequence[str]


def pipelines(visit: Visit) -> Answered:
    """List the pipelines, each with its last runs in numbers and its next one."""
    since = utc_now().date() - timedelta(days=COST_DAYS - 1)
    usage = visit.client.tenant.usage(**{"from": since.isoformat()}, by="pipeline")
    costs = {row["pipeline_id"]: row["cost"] for row in usage["rows"]}
    recent = visit.client.runs.history(limit=RECENT_RUNS)["runs"]
    schedules = {one["config_id"]: one for one in visit.client.schedules.list()}
    listed = [
        {
            "config": config,
            "schedule": schedules.get(config["config_id"]),
            "cost": costs.get(config["config_id"], 0.0),
            **numbers_of([run for run in recent if run["pipeline_id"] == config["config_id"]]),
        }
        for config in visit.client.configs.list()
    ]
    return Page(
        template="pipelines.html",
        values={
            "pipelines": listed,
            "recent": len(recent),
            "price": usage["price"],
            "cost_days": COST_DAYS,
        },
    )


def pipeline(visit: Visit) -> Answered:
    """Show a pipeline: its steps as they last ran, its runs in numbers, its file and how that changed."""
    return _pipeline(visit, visit.client.configs.read(visit.path["config_id"]))


def save(visit: Visit) -> Answered:
    """Upload a file, or only check it; its faults are shown beside it, and nothing of it is lost."""
    text = visit.form.get("pipeline_yaml", "").replace("\r\n", "\n")
    config_id = visit.path.get("config_id") or visit.form.get("config_id", "").strip()
    content, is_new = Content.yaml(text.encode()), "config_id" not in visit.path
    if is_new and not _CONFIG_ID.fullmatch(config_id):
        return _editor(config_id, text, is_new=True, problem=Problem("save", 422, _NO_CONFIG_ID))
    try:
        if visit.form.get("what") == "check":
            quote = visit.client.quotes.of_file(config_id, content)
            return _editor(config_id, text, is_new=is_new, quote=quote)
        visit.client.configs.save(config_id, content)
    except Problem as problem:
        if problem.status not in REFUSED:
            raise
        return _editor(config_id, text, is_new=is_new, problem=problem)
    return Elsewhere(address(config_id))


def edit(visit: Visit) -> Answered:
    """Show a pipeline's file to be changed."""
    config = visit.client.configs.read(visit.path["config_id"])
    return _editor(config["config_id"], config["pipeline_yaml"], is_new=False)


def new(visit: Visit) -> Answered:
    """Ask for a new pipeline's ID and file; with an example in it where that is asked for."""
    if visit.query.get("example"):
        return _editor(EXAMPLE_ID, EXAMPLE.read_text(encoding="utf-8"), is_new=True)
    return _editor(visit.query.get("config_id", ""), "", is_new=True)


def run(visit: Visit) -> Answered:
    """Start a run with the values of the form, or tell what it would cost; the values stay in the form."""
    config = visit.client.configs.read(visit.path["config_id"])
    values = run_forms.values_of(config["parameters"], visit.form)
    asked: dict[str, Any] = {"trigger_by": "console", "queue": True, "parameters": values}
    try:
        if visit.form.get("what") == "quote":
            return _pipeline(visit, config, quote=visit.client.quotes.of_run(config["config_id"], asked))
        once = visit.form.get("once", "")
        begun = visit.client.runs.start(config["config_id"], asked, idempotency_key=once)
    except Problem as problem:
        if problem.status not in REFUSED:
            raise
        return _pipeline(visit, config, problem)
    return Elsewhere(run_pages.address(begun["pipeline_logging_id"]))


def tell_schedule(visit: Visit) -> Answered:
    """Pause or resume a schedule."""
    schedules = visit.client.schedules
    (schedules.pause if visit.form.get("what") == "pause" else schedules.resume)(visit.path["config_id"])
    return Elsewhere(address(visit.path["config_id"]))


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


def excerpt_of(text: str, problem: Problem | None) -> list[FileLine]:
    """Return the lines of a file around those that break rules, with the rules at their lines."""
    rules: dict[int, list[str]] = {}
    for broken in problem.errors if problem else ():
        if broken.line:
            rules.setdefault(broken.line, []).append(broken.rule)
    shown = {line + around for line in rules for around in range(-LINES_AROUND, LINES_AROUND + 1)}
    return [
        FileLine(number=number, text=line, rules=rules.get(number, []))
        for number, line in enumerate(text.splitlines(), start=1)
        if number in shown
    ]


def _editor(
    config_id: str, text: str, *, is_new: bool, problem: Problem | None = None, quote: Quote | None = None
) -> Page:
    values = {
        "config_id": config_id,
        "text": text,
        "problem": problem,
        "is_new": is_new,
        "excerpt": excerpt_of(text, problem),
        "quote": quote,
    }
    return Page(template="edit.html", values=values, status=422 if problem else 200)


def _pipeline(
    visit: Visit, config: Config, problem: Problem | None = None, quote: Quote | None = None
) -> Page:
    config_id = config["config_id"]
    shown = _version(visit.query.get("version", ""), config["version"])
    runs = visit.client.runs.history(limit=50, pipeline_id=config_id, figures=True)["runs"]
    schedules = [one for one in visit.client.schedules.list() if one["config_id"] == config_id]
    before = shown - 1
    text = config["pipeline_yaml"] if shown == config["version"] else _text(visit, config_id, shown)
    latest = visit.client.runs.status(runs[0]["pipeline_logging_id"]) if runs else None
    values = {
        "config": config,
        "versions": visit.client.configs.versions(config_id),
        "shown": shown,
        "lines": text.splitlines(),
        "diff": _diff(_text(visit, config_id, before), text, before, shown) if before else [],
        "runs": runs,
        "latest": latest,
        "edges": run_pages.edges_of(visit, latest) if latest else [],
        "schedule": schedules[0] if schedules else None,
        "fields": run_forms.fields_of(config["parameters"], visit.form),
        "problem": problem,
        "quote": quote,
        **numbers_of(runs),
    }
    return Page(template="pipeline.html", values=values, status=problem.status if problem else 200)


def _version(asked: str, latest: int) -> int:
    return int(asked) if asked.isdecimal() and 1 <= int(asked) <= latest else latest


def _text(visit: Visit, config_id: str, version: int) -> str:
    return visit.client.configs.read(config_id, version)["pipeline_yaml"] or ""


def _diff(before: str, after: str, old: int, new: int) -> list[str]:
    names = (f"version {old}", f"version {new}")
    return list(difflib.unified_diff(before.splitlines(), after.splitlines(), *names, lineterm=""))


ROUTES = (
    PageRoute(path="/console/pipelines", visit=pipelines),
    PageRoute(path="/console/new", visit=new),
    PageRoute(path="/console/new", visit=save, method="POST"),
    PageRoute(path="/console/pipelines/<config_id>", visit=pipeline),
    PageRoute(path="/console/pipelines/<config_id>/edit", visit=edit),
    PageRoute(path="/console/pipelines/<config_id>/edit", visit=save, method="POST"),
    PageRoute(path="/console/pipelines/<config_id>/run", visit=run, method="POST"),
    PageRoute(path="/console/pipelines/<config_id>/schedule", visit=tell_schedule, method="POST"),
)

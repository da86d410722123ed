"""A tenant's runs: the history, and one run as it goes on."""

import re
from collections.abc import Sequence
from typing import Any

from common.client import ENDED, Problem
from common.client.calls import segment
from common.client.runs import RunStatement, RunStatus
from common.console.visits import Answered, Elsewhere, Page, PageRoute, Visit
from common.times import utc_now

PLACE = re.compile(r"\bat \[(\d{1,9}):\d{1,9}\]")
"""Where in a statement BigQuery's error is: line and column."""
MAX_SQL_CHARACTERS = 8_000
"""How much SQL of a run a page holds by itself; that of any other step is a link away."""
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
            "edges": None if is_live else edges_of(visit, status),
            "now": utc_now(),
            "can_retry": status["status"] in {"FAILED", "CANCELLED"},
            "receipt": visit.client.runs.receipt(run_id),
            "statements": [] if is_live else _statements(visit, status),
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


def address(run_id: str) -> str:
    """Return the path of a run's page."""
    return f"/console/runs/{segment(run_id)}"


def edges_of(visit: Visit, run: RunStatus) -> list[tuple[str, str]]:
    """List which step waits for which, by the version that ran; none where nobody can tell any more."""
    try:
        graph = visit.client.configs.graph(run["pipeline_id"], run["config_version"])
    except Problem as problem:
        # The version is not there, or breaks a rule that has come since.
        if problem.status not in {404, 409, 422}:
            raise
        return []
    ids = {step["node"]: step["step_id"] for step in graph["steps"]}
    edges = [(edge["from"], edge["to"]) for edge in graph["edges"] if edge["kind"] == "precedes"]
    return [(ids[first], ids[then]) for first, then in edges if {first, then} <= ids.keys()]


def _statements(visit: Visit, run: RunStatus) -> list[dict[str, Any]]:
    try:
        found = with_errors(visit.client.runs.statements(run["pipeline_logging_id"]), run)
    except Problem as problem:
        # The version breaks a rule that has come since; what it did is shown all the same.
        if problem.status != 409:
            raise
        return []
    return with_lines_that_fit(found, visit.query.get("sql", ""))


def with_lines_that_fit(found: Sequence[dict[str, Any]], wanted: str) -> list[dict[str, Any]]:
    """Leave out the lines that a page has no room for: none of a step that failed, or is `wanted`."""
    shown, room = [], MAX_SQL_CHARACTERS
    for one in found:
        is_asked_for = bool(one["error"]) or one["step_id"] == wanted
        room -= 0 if is_asked_for else len(one["sql"])
        shown.append(one | {"is_wanted": is_asked_for, "has_room": is_asked_for or room >= 0})
    return shown


def with_errors(found: Sequence[RunStatement], run: RunStatus) -> list[dict[str, Any]]:
    """Give each statement its lines, its step's error, and the line that this names, else 0."""
    steps = {step["step_id"]: step for level in run["levels"] for step in level["steps"]}
    shown = []
    for one in found:
        step = steps.get(one["step_id"])
        error = (step and step["job_name"] == one["job_name"] and step["error_message"]) or ""
        place = PLACE.search(error)
        shown.append(
            {**one, "lines": one["sql"].splitlines(), "error": error, "at": int(place[1]) if place else 0}
        )
    return shown


ROUTES = (
    PageRoute(path="/console/runs", visit=history),
    PageRoute(path="/console/runs/<run_id>", visit=run),
    PageRoute(path="/console/runs/<run_id>/cancel", visit=cancel, method="POST"),
    PageRoute(path="/console/runs/<run_id>/retry", visit=retry, method="POST"),
)

"""A tenant's pages: overview, keys and credentials."""

from datetime import timedelta
from itertools import islice
from typing import Any

from common.client import ENDED
from common.client.keys import ApiKeyIssued
from common.console.quality_pages import MAX_RESULTS, histories_of
from common.console.visits import OVERVIEW_SECONDS, Answered, Elsewhere, Page, PageRoute, Visit
from common.times import utc_now

STRIP_DAYS = 14
MAX_STRIP_RUNS = 1000


def overview(visit: Visit) -> Answered:
    """Show how far the limits are used, what ran, runs and is due next, and which checks are broken."""
    now = utc_now()
    since = (now - timedelta(days=STRIP_DAYS - 1)).date()
    runs = list(islice(visit.client.runs.each(limit=100, **{"from": since.isoformat()}), MAX_STRIP_RUNS))
    schedules = [one for one in visit.client.schedules.list() if one["next_fire_time"]]
    checks = histories_of(visit.client.quality.results(limit=MAX_RESULTS)["results"])
    running = [run for run in runs if run["status"] not in ENDED]
    return Page(
        template="overview.html",
        is_live=bool(running),
        live_seconds=OVERVIEW_SECONDS,
        values={
            "quota": visit.client.tenant.quota(),
            "runs": runs,
            "is_cut": len(runs) == MAX_STRIP_RUNS,
            "days": STRIP_DAYS,
            "today": now.date(),
            "running": running,
            "has_pipelines": bool(runs or schedules or visit.client.configs.list()),
            "latest": runs[:10],
            "checks": checks,
            "broken": [one for one in checks if one.is_broken],
            "due": sorted(schedules, key=lambda one: str(one["next_fire_time"]))[:10],
        },
    )


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


def _keys(visit: Visit, issued: ApiKeyIssued | None = None) -> Page:
    return Page(template="keys.html", values={"keys": visit.client.keys.list(), "issued": issued})


ROUTES = (
    PageRoute(path="/console/", visit=overview),
    PageRoute(path="/console/keys", visit=keys),
    PageRoute(path="/console/keys", visit=issue_key, method="POST"),
    PageRoute(path="/console/keys/<api_key_id>/revoke", visit=revoke_key, method="POST"),
    PageRoute(path="/console/credentials", visit=credentials),
)

"""Links in answers: where a caller goes on from here."""

from urllib.parse import quote, urlencode

from common.http.edge import Edge
from common.http.routing import Parameter, Place

CURSOR = Parameter(
    name="cursor",
    place=Place.QUERY,
    description="The `next_cursor` of the page before, unchanged.",
    schema={"type": "string", "pattern": "^[A-Za-z0-9_-]{1,256}$"},
    example="WyIyMDI0LTAxLTE4VDA5OjMwOjAwWiIsICIwYjZmZjBkMiJd",
)


def run_links(edge: Edge, run_id: str, config_id: str) -> dict[str, str]:
    """Return where a run, and the runs of its config, are found."""
    return {
        "status": _link(edge, f"/api/v1/pipelines/status/{quote(run_id)}"),
        "history": _link(edge, f"/api/v1/pipelines/history?{urlencode({'pipeline_id': config_id})}"),
    }


def config_links(edge: Edge, config_id: str) -> dict[str, str]:
    """Return where a config is found and where it is run."""
    return {
        "config": _link(edge, f"/api/v1/pipelines/configs/{quote(config_id)}"),
        "run": _link(edge, f"/api/v1/pipelines/run/{quote(config_id)}"),
    }


def backfill_links(edge: Edge, backfill_id: str) -> dict[str, str]:
    """Return where a backfill is found and where it is cancelled."""
    path = f"/api/v1/pipelines/backfills/{quote(backfill_id)}"
    return {"backfill": _link(edge, path), "cancel": _link(edge, f"{path}/cancel")}


def tenant_links(edge: Edge) -> dict[str, str]:
    """Return where a tenant goes on from its onboarding."""
    return {
        "quota": _link(edge, "/api/v1/tenants/quota"),
        "configs": _link(edge, "/api/v1/pipelines/configs"),
    }


def _link(edge: Edge, path: str) -> str:
    return edge.public_urls.link(path)

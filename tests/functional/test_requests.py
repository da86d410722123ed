"""How many requests each route waits for: docs/exactly-once.md says it."""

from collections.abc import Callable

from tests.functional.promises import promises
from tests.functional.site import Site, Tenant, a_pipeline_file

JOBS = {"POST /api/v1/pipelines/backfill/{config_id}": 3}
"""How many jobs a route makes by `jobs.insert`, where that is not one at the most."""
BACKFILL = {"start": "2026-01-01", "end": "2026-01-03"}
SIZES = {"S": 1, "D": 2}
"""Steps that are under way, and dry runs for the estimate of two intervals of one step."""


def calls(tenant: Tenant, run_id: str, open_id: str, cancelled_id: str) -> dict[str, Callable[[], object]]:
    """Make a call of each route that is asked for often; one run is open, and one was cancelled."""
    return {
        "POST /api/v1/pipelines/cancel/{pipeline_logging_id}": lambda: accepted(
            tenant, f"cancel/{open_id}", {}
        ),
        "POST /api/v1/pipelines/retry/{pipeline_logging_id}": lambda: accepted(
            tenant, f"retry/{cancelled_id}", {}
        ),
        "POST /api/v1/pipelines/configs/{config_id}": lambda: tenant.upload(
            "asked", a_pipeline_file({"asked": "SELECT 2 AS n"})
        ),
        "POST /api/v1/pipelines/backfill/{config_id}": lambda: accepted(tenant, "backfill/asked", BACKFILL),
        "POST /api/v1/pipelines/run/{config_id}": lambda: tenant.run("asked"),
        "GET /api/v1/pipelines/status/{pipeline_logging_id}": lambda: tenant.status(run_id),
        "GET /api/v1/pipelines/runs/{pipeline_logging_id}/receipt": lambda: tenant.call(
            "GET", f"/api/v1/pipelines/runs/{run_id}/receipt"
        ),
        "GET /api/v1/pipelines/history": lambda: tenant.call("GET", "/api/v1/pipelines/history"),
        "GET /api/v1/pipelines/configs": lambda: tenant.call("GET", "/api/v1/pipelines/configs"),
        "GET /api/v1/pipelines/configs/{config_id}": lambda: tenant.call(
            "GET", "/api/v1/pipelines/configs/asked"
        ),
        "GET /api/v1/pipelines/schedules": lambda: tenant.call("GET", "/api/v1/pipelines/schedules"),
        "GET /api/v1/tenants/quota": lambda: tenant.own("GET", "/api/v1/tenants/quota"),
    }


def accepted(tenant: Tenant, path: str, body: object) -> None:
    answer = tenant.call("POST", f"/api/v1/pipelines/{path}", body)
    assert answer.status_code == 202, answer.text


def test_each_route_waits_for_as_many_requests_as_the_page_says(site: Site, shared_tenant: Tenant) -> None:
    tenant = shared_tenant
    assert tenant.upload("asked", a_pipeline_file({"asked": "SELECT 1 AS n"})).status_code == 201
    run_id, cancelled_id = tenant.run("asked"), tenant.run("asked")
    accepted(tenant, f"cancel/{cancelled_id}", {})
    site.drain()
    open_id = tenant.run("asked")
    tenant.own("GET", "/api/v1/tenants/quota")  # Both functions know the key by now.
    promised = {one.what.strip("`"): one for one in promises("What a request costs")}
    found = calls(tenant, run_id, open_id, cancelled_id)
    assert promised.keys() == found.keys()
    wrong = {}
    for route, call in found.items():
        site.bigquery.counts.reset()
        call()
        counted, dry_runs = site.bigquery.counts.methods.copy(), site.bigquery.counts.dry_runs
        jobs = counted["jobs.insert"] - dry_runs
        if not promised[route].is_kept_by(counted.total(), SIZES) or jobs > JOBS.get(route, 1):
            wrong[route] = counted
    site.drain()
    assert not wrong

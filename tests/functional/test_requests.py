"""How many requests a run makes of BigQuery: docs/exactly-once.md says it, for runs of any shape."""

from collections.abc import Callable

import pytest

from tests.functional.costs import Levels, own_requests, requests_of_a_run
from tests.functional.promises import promises
from tests.functional.site import Site, Tenant, a_pipeline_file

JOB_SECONDS = 0.3
"""Long enough that each job is waited for."""


def of_shape(levels: int, steps: int) -> Levels:
    """Make levels of steps that each make a table of their own."""
    return [{f"s{level}_{step}": "SELECT 1 AS n" for step in range(steps)} for level in range(levels)]


@pytest.mark.parametrize(("levels", "steps"), [(4, 5), (2, 1), (6, 1)])
def test_a_run_makes_as_many_requests_as_the_page_says(
    site: Site, tenant: Tenant, levels: int, steps: int
) -> None:
    site.bigquery.latency.job_seconds = JOB_SECONDS
    try:
        counted = requests_of_a_run(site, tenant, of_shape(levels, steps))
    finally:
        site.bigquery.latency.reset()
    (promise,) = [one for one in promises("What a run costs") if one.what.startswith("requests to BigQuery")]
    sizes = {"L": levels, "N": levels * steps}
    assert promise.is_kept_by(own_requests(counted), sizes), f"{promise.how_many}, {sizes}: {counted}"


def calls(tenant: Tenant, run_id: str) -> dict[str, Callable[[], object]]:
    """Make a call of each route that is asked for often."""
    return {
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


def test_each_route_waits_for_as_many_requests_as_the_page_says(site: Site, tenant: Tenant) -> None:
    assert tenant.upload("asked", a_pipeline_file({"a": "SELECT 1 AS n"})).status_code == 201
    run_id = tenant.run("asked")
    site.drain()
    tenant.own("GET", "/api/v1/tenants/quota")  # Both functions know the key by now.
    promised = {one.what.strip("`"): one for one in promises("What a request costs")}
    found = calls(tenant, run_id)
    assert promised.keys() == found.keys()
    wrong = {}
    for route, call in found.items():
        site.bigquery.counts.reset()
        call()
        counted = site.bigquery.counts.methods.copy()
        if not promised[route].is_kept_by(counted.total(), {}) or counted["jobs.insert"] > 1:
            wrong[route] = counted
    site.drain()
    assert not wrong

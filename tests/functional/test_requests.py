"""How many requests a run makes of BigQuery: docs/exactly-once.md says it, for runs of any shape."""

import pytest

from tests.functional.costs import Levels, own_requests, requests_of_a_run
from tests.functional.promises import promises
from tests.functional.site import Site, Tenant

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

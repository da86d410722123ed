"""What a run costs, in exact numbers: the design's promise, counted at BigQuery's and Pub/Sub's doors."""

import pytest

from tests.functional.site import Site, Tenant, a_pipeline_file

SQL = "SELECT 1 AS n"
SHAPES = [({"a": SQL},), ({"a": SQL, "b": SQL}, {"c": SQL}), ({"a": SQL}, {"b": SQL}, {"c": SQL, "d": SQL})]


@pytest.mark.parametrize("levels", SHAPES, ids=lambda levels: "-".join(str(len(level)) for level in levels))
def test_a_run_costs_what_the_design_says(
    site: Site, tenant: Tenant, levels: tuple[dict[str, str], ...]
) -> None:
    steps = sum(len(level) for level in levels)
    assert tenant.upload("shape", a_pipeline_file(*levels)).status_code == 201
    tenant.run("shape")  # warms the key's memory: authentication is another promise
    site.drain()
    counts = site.bigquery.counts
    counts.reset()
    run_id = tenant.run("shape")
    reads = [job_id for job_id in counts.job_ids if not job_id.startswith("cvg-")]
    assert (len(reads), counts.jobs("cvg-ticket-"), counts.insert_all) == (1, 1, 1)
    assert site.drain() == len(levels)
    assert tenant.status(run_id)["status"] == "COMPLETED"
    counts.job_ids.remove(counts.job_ids[-1])  # our own look at the status
    assert counts.jobs("cvg-step-") == steps
    assert len(counts.job_ids) == 1 + 1 + steps
    assert counts.dry_runs == steps
    assert counts.insert_all <= 2 * len(levels) + 2

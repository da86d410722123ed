"""What a tenant may read is one list: at upload, at admission, and right before each job."""

from google.cloud import bigquery

from common.wiring import ADAPTERS
from tests.functional.environment import EXECUTOR, PROJECT
from tests.functional.site import Site, Tenant, a_pipeline_file

SHARED = f"{PROJECT}.calendar"


def share_a_calendar(site: Site) -> None:
    """Make a dataset that is no tenant's and that the executor may read."""
    dataset = bigquery.Dataset(SHARED)
    dataset.access_entries = [bigquery.AccessEntry("READER", "userByEmail", EXECUTOR)]
    ADAPTERS.platform_client.create_dataset(dataset)
    site.rows("CREATE TABLE calendar.days AS SELECT 1 AS n")


def test_a_source_opens_with_the_operators_word_and_closes_with_it(site: Site, common_tenant: Tenant) -> None:
    tenant = common_tenant
    share_a_calendar(site)
    file = a_pipeline_file({"days": "SELECT n FROM calendar.days"})
    assert tenant.upload("days", file).status_code == 422
    path = f"/admin/tenants/{tenant.tenant_id}/sources"
    assert site.admin("PUT", path, {"sources": [SHARED]}).status_code == 200
    assert tenant.upload("days", file).status_code == 201
    admitted, to_stop = tenant.run("days"), tenant.run("days")
    assert site.admin("PUT", path, {"sources": []}).status_code == 200
    refused = tenant.call("POST", "/api/v1/pipelines/run/days", {})
    assert refused.status_code == 422
    assert "calendar.days" in refused.text
    stopped = tenant.call("POST", f"/api/v1/pipelines/cancel/{to_stop}")
    assert (stopped.status_code, stopped.get_json()["status"]) == (202, "PENDING")
    # What was admitted is judged by what it was admitted with.
    site.drain()
    assert tenant.status(admitted)["status"] == "COMPLETED"
    assert tenant.status(to_stop)["status"] == "CANCELLED"

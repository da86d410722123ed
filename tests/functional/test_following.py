"""A pipeline that runs after another, by the real dispatcher: once for each run that completes."""

from tests.functional.site import Site, Tenant, a_pipeline_file

REPORT = """\
pipeline: {name: Report}
after: [leader]
steps:
  - id: follower
    ps_type: bq_etl.query
    config: {source_query: SELECT n FROM leader, target_table: follower}
"""


def test_a_run_that_completes_is_followed_once(site: Site, common_tenant: Tenant) -> None:
    tenant = common_tenant
    assert tenant.upload("leader", a_pipeline_file({"leader": "SELECT 1 AS n"})).status_code == 201
    assert tenant.upload("follower", REPORT).status_code == 201
    run_id = tenant.run("leader", {"date": "2024-01-01"})
    site.drain()
    assert tenant.status(run_id)["status"] == "COMPLETED"
    for _ in range(2):
        site.tick()
        site.drain()
    runs = tenant.call("GET", "/api/v1/pipelines/history?pipeline_id=follower").get_json()["runs"]
    assert [(run["status"], run["trigger_type"], run["trigger_by"], run["run_date"]) for run in runs] == [
        ("COMPLETED", "after", run_id, "2024-01-01")
    ]
    circle = tenant.upload("leader", REPORT.replace("[leader]", "[follower]"))
    assert circle.status_code == 422
    assert "circle" in circle.get_json()["errors"][0]["rule"]

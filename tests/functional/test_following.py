"""A pipeline that runs after another, by the real dispatcher: once for each run that completes."""

from collections.abc import Iterator

from tests.functional.site import Site, a_pipeline_file

REPORT = """\
pipeline: {name: Report}
after: [daily]
steps:
  - id: report
    ps_type: bq_etl.query
    config: {source_query: SELECT n FROM seen, target_table: report}
"""


def test_a_run_that_completes_is_followed_once(site: Site, tenant_ids: Iterator[str]) -> None:
    tenant = site.onboard(next(tenant_ids))
    assert tenant.upload("daily", a_pipeline_file({"seen": "SELECT 1 AS n"})).status_code == 201
    assert tenant.upload("report", REPORT).status_code == 201
    run_id = tenant.run("daily", {"date": "2024-01-01"})
    site.drain()
    assert tenant.status(run_id)["status"] == "COMPLETED"
    for _ in range(2):
        site.tick()
        site.drain()
    runs = tenant.call("GET", "/api/v1/pipelines/history?pipeline_id=report").get_json()["runs"]
    assert [(run["status"], run["trigger_type"], run["trigger_by"], run["run_date"]) for run in runs] == [
        ("COMPLETED", "after", run_id, "2024-01-01")
    ]
    circle = tenant.upload("daily", REPORT.replace("[daily]", "[report]"))
    assert circle.status_code == 422
    assert "circle" in circle.get_json()["errors"][0]["rule"]

"""Failures that explain themselves, on the real functions: class, next step, job, a retry's cost."""

from tests.functional.site import Site, Tenant, a_pipeline_file


def test_a_failed_step_says_whose_fault_it_is_and_what_a_retry_would_cost(
    site: Site, common_tenant: Tenant
) -> None:
    tenant = common_tenant
    site.rows(f"CREATE TABLE `{tenant.tenant_id}.zero` AS SELECT 0 AS n")
    file = a_pipeline_file({"good": "SELECT n FROM zero"}, {"bad": "SELECT 1 / n AS n FROM good"})
    assert tenant.upload("dividing", file).status_code == 201
    run_id = tenant.run("dividing")
    site.drain()
    found = tenant.status(run_id)
    good, bad = (level["steps"][0] for level in found["levels"])
    assert (found["status"], found["error_class"], bad["error_class"]) == ("FAILED", "your_data", "your_data")
    assert "rows that the query cannot take" in found["next_step"]
    assert (good["error_class"], good["next_step"]) == (None, None)
    assert f"&j=bq:US:{bad['job_id']}&" in bad["job_url"]
    answer = tenant.call("POST", f"/api/v1/pipelines/retry/{run_id}", {"dry_run": True})
    assert answer.status_code == 200, answer.text
    quote = answer.get_json()
    assert [step["step_id"] for step in quote["steps"]] == ["bad"]
    assert quote["bytes_billed"] == 10 * 2**20
    assert tenant.status(run_id)["retried_by"] == []
    assert tenant.call("POST", f"/api/v1/pipelines/retry/{run_id}", {}).status_code == 202
    again = tenant.call("POST", f"/api/v1/pipelines/retry/{run_id}", {"dry_run": True})
    assert again.status_code == 409


def test_a_table_that_is_not_there_yet_is_late_data(site: Site, common_tenant: Tenant) -> None:
    tenant = common_tenant
    assert (
        tenant.upload("early", a_pipeline_file({"early": "SELECT * FROM zzz_not_there"})).status_code == 201
    )
    run_id = tenant.run("early")
    site.drain()
    assert tenant.status(run_id)["error_class"] == "late_data"

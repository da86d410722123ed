"""Steps that BigQuery will not run: their runs end by one delivery, in BigQuery's words."""

import pytest

from tests.functional.site import Site, Tenant, a_pipeline_file

REFUSED = {
    "a table that is missing": ("SELECT * FROM ordres", "notFound", "ordres"),
    "a table of the tenant's that is missing": ("SELECT * FROM `${tenant_id}`.ordres", "notFound", "ordres"),
    "a column that is missing": ("SELECT amuont FROM (SELECT 1 AS amount)", "invalidQuery", "amuont"),
    "a cast that fails as it runs": (
        "SELECT CAST(x AS INT64) AS n FROM (SELECT 'a' AS x)",
        "invalidQuery",
        "a",
    ),
}


@pytest.mark.parametrize(("sql", "reason", "named"), REFUSED.values(), ids=REFUSED)
def test_a_step_that_bigquery_refuses_fails_its_run_by_one_delivery(
    site: Site, tenant: Tenant, sql: str, reason: str, named: str
) -> None:
    text = a_pipeline_file({"copy": sql}, {"after": "SELECT COUNT(*) AS n FROM copy"})
    assert tenant.upload("refused", text).status_code == 201
    run_id = tenant.run("refused")
    (message,) = site.take_levels()
    assert site.deliver(message) == 200
    assert site.take_levels() == []
    run = tenant.status(run_id)
    step, after = (step for level in run["levels"] for step in level["steps"])
    assert (run["status"], step["status"], after["status"]) == ("FAILED", "FAILED", "SKIPPED")
    assert (step["error_reason"], named in step["error_message"]) == (reason, True)
    assert run["error_message"] == f"step copy: {step['error_message']}"
    for said in (run["error_message"], step["error_message"]):
        assert not any(word in said for word in ("http", "prettyPrint", "POST", "Job ID"))


def test_a_target_whose_dataset_is_gone_fails_its_run_by_one_delivery(site: Site, tenant: Tenant) -> None:
    assert tenant.upload("gone", a_pipeline_file({"copy": "SELECT 1 AS n"})).status_code == 201
    run_id = tenant.run("gone")
    site.rows(f"DROP SCHEMA `{tenant.tenant_id}` CASCADE")
    (message,) = site.take_levels()
    assert site.deliver(message) == 200
    run = tenant.status(run_id)
    assert run["status"] == "FAILED"
    assert tenant.tenant_id in run["error_message"]

"""Steps that BigQuery will not run: their runs end by one delivery, in BigQuery's words."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.functional.site import Site, Tenant, a_pipeline_file, steps_of

REFUSED = {
    "missing_table": ("SELECT * FROM ordres", "notFound", "ordres"),
    "missing_table_of_the_tenants": ("SELECT * FROM `${tenant_id}`.ordres", "notFound", "ordres"),
    "missing_column": ("SELECT amuont FROM (SELECT 1 AS amount)", "invalidQuery", "amuont"),
    "cast_that_fails_as_it_runs": (
        "SELECT CAST(x AS INT64) AS n FROM (SELECT 'a' AS x)",
        "invalidQuery",
        "a",
    ),
}
"""By the step: its SQL, the reason why BigQuery will not run it, and what it names."""


README = Path(__file__).parents[2] / "README.md"
GUIDES_EXAMPLE = """
pipeline: {id: "data_processing", name: "Daily Data Processing", version: "1.0.0"}
dependencies:
  level_1: [{step: extract_data}]
  level_2: [{step: transform_data}]
steps:
  - id: extract_data
    ps_type: "bq_etl.query"
    config:
      source_query: "SELECT * FROM source_table"
      target_table: "${tenant_id}.extracted_data"
      write_disposition: "WRITE_TRUNCATE"
  - id: transform_data
    ps_type: "bq_etl.query"
    config:
      source_query: "SELECT processed_columns FROM ${tenant_id}.extracted_data"
      target_table: "${tenant_id}.final_data"
"""


def test_the_pipeline_of_the_readme_completes(site: Site, common_tenant: Tenant) -> None:
    tenant = common_tenant
    text = README.read_text(encoding="utf-8").partition("### A pipeline")[2]
    text = text.partition("```yaml\n")[2].partition("```")[0]
    assert tenant.upload("readme", text).status_code == 201
    run_id = tenant.run("readme")
    site.drain()
    assert tenant.status(run_id)["status"] == "COMPLETED"
    (row,) = site.rows(f"SELECT SUM(amount) AS amount FROM `{tenant.tenant_id}`.daily_sales")
    assert float(row["amount"]) == 24


def test_the_guides_example_says_which_table_it_lacks_and_runs_once_it_is_there(
    site: Site, common_tenant: Tenant
) -> None:
    tenant = common_tenant
    site.rows(f"CREATE TABLE `{tenant.tenant_id}`.source_tables AS SELECT 1 AS n")
    assert tenant.upload("data_processing", GUIDES_EXAMPLE).status_code == 201
    run_id = tenant.run("data_processing")
    assert site.drain() == 1
    run = tenant.status(run_id)
    assert run["status"] == "FAILED"
    assert "source_table was not found" in run["error_message"]
    assert run["error_message"].endswith("Did you mean source_tables?")
    site.rows(f"CREATE TABLE `{tenant.tenant_id}`.source_table AS SELECT 1 AS processed_columns")
    again = tenant.run("data_processing")
    site.drain()
    assert tenant.status(again)["status"] == "COMPLETED"


@pytest.fixture(scope="module")
def refused_run(site: Site, tenant_of_session: Tenant) -> dict[str, Any]:
    """Deliver once a run all of whose steps BigQuery refuses, and return what is told of it."""
    site.drain()
    refused = {step_id: sql for step_id, (sql, *_) in REFUSED.items()}
    after = {f"after_{step_id}": f"SELECT COUNT(*) AS n FROM {step_id}" for step_id in REFUSED}
    assert tenant_of_session.upload("refused", a_pipeline_file(refused, after)).status_code == 201
    run_id = tenant_of_session.run("refused")
    (message,) = site.take_levels()
    assert site.deliver(message) == 200
    assert site.take_levels() == []
    return tenant_of_session.status(run_id)


@pytest.mark.parametrize("step_id", REFUSED)
def test_a_step_that_bigquery_refuses_fails_its_run_by_one_delivery(
    refused_run: Mapping[str, Any], step_id: str
) -> None:
    _, reason, named = REFUSED[step_id]
    steps = steps_of(refused_run)
    step, after = steps[step_id], steps[f"after_{step_id}"]
    assert (refused_run["status"], step["status"], after["status"]) == ("FAILED", "FAILED", "SKIPPED")
    assert (step["error_reason"], named in step["error_message"]) == (reason, True)
    assert f"step {step_id}: {step['error_message']}" in refused_run["error_message"]
    for said in (refused_run["error_message"], step["error_message"]):
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

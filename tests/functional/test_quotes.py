"""Cost before it is spent, on the real functions: what is asked about is judged, and nothing is run."""

from typing import Any

import pytest

from tests.functional.site import Site, Tenant

FILE = """\
pipeline: {id: chain, name: Chain}
parameters:
  least: {type: INT64, required: true}
steps:
  - id: orders
    ps_type: bq_etl.query
    config: {source_query: "SELECT n, [n] AS ns FROM source", target_table: orders}
  - id: total
    ps_type: bq_etl.query
    config:
      source_query: |
        SELECT SUM(o.n) AS total, COUNT(*) AS counted
        FROM `${project_id}.${tenant_id}.orders` AS o
      target_table: total
  - id: last
    ps_type: bq_etl.query
    config: {source_query: "SELECT total + 1 AS more FROM total", target_table: last}
"""


def written_to(config_id: str) -> str:
    """Write the same file under another ID, with tables of its own."""
    text = FILE.replace("id: chain", f"id: {config_id}")
    for table in ("orders", "total", "last"):
        text = text.replace(f"target_table: {table}", f"target_table: {config_id}_{table}")
        text = text.replace(f"{{tenant_id}}.{table}", f"{{tenant_id}}.{config_id}_{table}")
        text = text.replace(f"FROM {table}", f"FROM {config_id}_{table}")
    return text


def validate(tenant: Tenant, text: str = "", config_id: str = "chain") -> Any:
    pipelines = tenant.site.functions["pipelines"]
    headers = {"X-API-Key": tenant.key}
    return pipelines.post(f"/api/v1/pipelines/configs/{config_id}/validate", data=text, headers=headers)


@pytest.fixture(scope="module")
def asking(site: Site, tenant_of_module: Tenant) -> Tenant:
    """Give the tenant of all tests here, whose pipeline `chain` none of them runs, a source."""
    site.rows(f"CREATE TABLE `{tenant_of_module.tenant_id}.source` AS SELECT n FROM UNNEST([1, 2]) AS n")
    return tenant_of_module


def runs_of(tenant: Tenant, config_id: str) -> list[Any]:
    answer = tenant.call("GET", f"/api/v1/pipelines/history?pipeline_id={config_id}").get_json()
    return list(answer["runs"])


def runs_used(tenant: Tenant) -> int:
    """Count the runs of today."""
    return int(tenant.own("GET", "/api/v1/tenants/quota").get_json()["daily"]["used"])


def test_each_step_of_a_file_is_judged_though_its_tables_are_not_there(asking: Tenant) -> None:
    answer = validate(asking, FILE)
    assert answer.status_code == 200, answer.text
    found = answer.get_json()
    assert (found["is_valid"], found["config_version"]) == (True, None)
    first, second, third = found["steps"]
    assert first["bytes_billed"] == 10 * 2**20
    assert first["cost"] == pytest.approx(10 / 2**20 * 6.25, abs=1e-6)
    assert (second["stand_ins"], second["bytes_billed"], second["cost"]) == (["orders"], None, None)
    assert "what orders will hold" in second["unknown"]
    assert third["stand_ins"] == ["total"]
    assert (found["bytes_billed"], found["cost"], found["bytes_billed_at_least"]) == (None, None, 10 * 2**20)


def test_nothing_is_kept_and_nothing_is_run(asking: Tenant) -> None:
    text = FILE.replace("id: chain", "id: unkept")
    assert validate(asking, text, "unkept").status_code == 200
    assert validate(asking, config_id="unkept").status_code == 404
    assert runs_of(asking, "unkept") == []


def test_a_fault_of_the_file_is_told_as_an_upload_tells_it(asking: Tenant) -> None:
    broken = FILE.replace("target_table: last", "target: last")
    answer, upload = validate(asking, broken), asking.upload("chain", broken)
    assert (answer.status_code, upload.status_code) == (422, 422)
    assert answer.get_json()["errors"] == upload.get_json()["errors"]


def test_what_bigquery_refuses_is_told_with_its_place_also_behind_a_stand_in(asking: Tenant) -> None:
    answer = validate(asking, FILE.replace("SUM(o.n)", "SUM(o.missing)"))
    found = answer.get_json()
    assert not found["is_valid"]
    second = found["steps"][1]
    assert "missing" in second["error"]
    assert second["bytes_billed"] is None
    assert found["cost"] is None


def test_a_table_of_others_is_told_of_by_nobody(asking: Tenant) -> None:
    found = validate(asking, FILE.replace("FROM source", "FROM tenants.tenant_profiles"))
    assert found.status_code == 422
    assert "tenant_profiles" in found.text
    step = validate(asking, FILE.replace("FROM source", "FROM nowhere")).get_json()["steps"][0]
    assert "nowhere" in step["error"]


def test_a_stored_pipeline_and_a_run_with_values_are_quoted(asking: Tenant) -> None:
    text = FILE.replace("FROM source", "FROM source WHERE n >= ${least}")
    used = runs_used(asking)
    assert asking.upload("chain", text).status_code == 201
    assert validate(asking, "{}").get_json()["config_version"] == 1
    (first, *_) = validate(asking).get_json()["steps"]
    assert (first["bytes_billed"], first["unknown"]) == (
        None,
        "it depends on least, which a run must be given",
    )
    body = {"least": 1, "dry_run": True, "date": "2024-01-18"}
    answer = asking.call("POST", "/api/v1/pipelines/run/chain", body)
    assert answer.status_code == 200, answer.text
    found = answer.get_json()
    assert (found["date"], found["config_version"]) == ("2024-01-18", 1)
    assert found["steps"][0]["bytes_billed"] == 10 * 2**20
    assert asking.call("POST", "/api/v1/pipelines/run/chain", {"dry_run": True}).status_code == 422
    assert runs_of(asking, "chain") == []
    assert runs_used(asking) == used


def test_tables_that_are_there_are_read_as_they_are(asking: Tenant, site: Site) -> None:
    site.rows(f"CREATE TABLE `{asking.tenant_id}.made_orders` AS SELECT 1 AS n, [1] AS ns")
    site.rows(f"CREATE TABLE `{asking.tenant_id}.made_total` AS SELECT 1 AS total")
    found = validate(asking, written_to("made"), "made").get_json()
    assert found["is_valid"]
    assert found["bytes_billed"] == 30 * 2**20
    assert [step["stand_ins"] for step in found["steps"]] == [[], [], []]


def test_an_estimate_learns_from_what_the_last_runs_came_to(asking: Tenant, site: Site) -> None:
    text = written_to("learnt").replace(", required: true", "").partition("  - id: total")[0]
    assert asking.upload("learnt", text).status_code == 201
    first = validate(asking, config_id="learnt").get_json()["steps"][0]
    assert (first["billed_to_estimated"], first["billed_to_estimated_runs"]) == (None, 0)
    assert first["bytes_billed_expected"] is None
    run_ids = []
    for _ in range(2):
        run_ids.append(asking.run("learnt"))
        site.drain()
    (row,) = site.rows(
        "SELECT DISTINCT JSON_VALUE(metadata, '$.bytes_estimated') AS estimated "
        "FROM `tenants.tenant_step_logs` "
        f"WHERE tenant_id = '{asking.tenant_id}' AND status = 'COMPLETED' AND step_id = 'orders'"
    )
    assert int(row["estimated"]) == 10 * 2**20
    site.rows(
        "UPDATE `tenants.tenant_step_logs` SET bytes_billed = 0 "
        f"WHERE tenant_id = '{asking.tenant_id}' AND pipeline_logging_id = '{run_ids[0]}'"
    )
    first = validate(asking, config_id="learnt").get_json()["steps"][0]
    assert (first["billed_to_estimated"], first["billed_to_estimated_runs"]) == (0.5, 2)
    assert (first["bytes_billed"], first["bytes_billed_expected"]) == (10 * 2**20, 5 * 2**20)

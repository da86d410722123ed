"""A tenant's own tables over the real function: as the executor, beside another tenant's."""

from typing import Any

from tests.functional.site import CONFIG, Site, Tenant, a_pipeline_file

FROM_CSV = CONFIG.with_name("from_csv.yml")
TABLES = "/api/v1/pipelines/tables"


def test_from_a_run_to_its_rows_to_their_end(
    site: Site, common_tenant: Tenant, shared_tenant: Tenant
) -> None:
    tenant, other = common_tenant, shared_tenant
    assert tenant.upload("looked_at", a_pipeline_file({"seen": "SELECT 1 AS n"})).status_code == 201
    run_id = tenant.run("looked_at")
    site.drain()
    body = tenant.call("GET", TABLES).get_json()
    tables = {one["table"]: one for one in body["tables"]}
    assert tables["seen"]["last_written"]["pipeline_logging_id"] == run_id
    assert (tables["seen"]["rows"], tables["tenant_comprehensive_view"]["is_platforms"]) == (1, True)
    assert tenant.call("GET", f"{TABLES}/seen/rows").get_json()["rows"] == [{"n": 1}]
    assert tenant.call("GET", f"{TABLES}/tenant_comprehensive_view/rows").status_code == 409
    assert tenant.call("DELETE", f"{TABLES}/tenant_comprehensive_view").status_code == 403
    assert other.call("DELETE", f"{TABLES}/seen").status_code == 404
    assert tenant.call("DELETE", f"{TABLES}/seen").status_code == 204
    assert tenant.call("GET", f"{TABLES}/seen/rows").status_code == 404


def test_a_files_tests_are_run_and_touch_nothing(shared_tenant: Tenant) -> None:
    tenant = shared_tenant
    before = tables_and_runs(tenant)
    text = FROM_CSV.read_text(encoding="utf-8")
    assert tenant.upload("from_csv", text).status_code == 201
    body = tenant.call("POST", "/api/v1/pipelines/configs/from_csv/test").get_json()
    assert (body["has_passed"], body["tests"][0]["error_message"]) == (True, None)
    assert tenant.upload("from_csv", text.replace("de,2,5.7", "de,2,5.8")).status_code == 201
    (one,) = tenant.call("POST", "/api/v1/pipelines/configs/from_csv/test").get_json()["tests"]
    assert one["missing"] == [{"row": {"country": "de", "orders": 2, "tax": "5.8"}, "times": 1}]
    assert tables_and_runs(tenant) == before


def tables_and_runs(tenant: Tenant) -> list[Any]:
    """List all that a tenant has."""
    tables = tenant.call("GET", TABLES).get_json()["tables"]
    assert "tenant_comprehensive_view" in {table["table"] for table in tables}
    return [tables, tenant.call("GET", "/api/v1/pipelines/history").get_json()["runs"]]

"""The user whom a caller names is in every row of the run, and nowhere a question of rights."""

from tests.functional.site import Site, Tenant, a_pipeline_file


def test_rows_of_a_run_name_the_user_that_its_request_names(site: Site, tenant: Tenant) -> None:
    assert tenant.upload("daily", a_pipeline_file({"sales": "SELECT 1 AS n"})).status_code == 201
    tenant.run("daily", **{"X-User-ID": "ada@acme.example"})
    tenant.run("daily")
    site.drain()
    for table in ("tenant_pipeline_runs", "tenant_step_logs"):
        found = site.rows(
            f"SELECT DISTINCT user_id FROM tenants.{table} WHERE tenant_id = '{tenant.tenant_id}'"
        )
        assert {row["user_id"] for row in found} == {"ada@acme.example", None}

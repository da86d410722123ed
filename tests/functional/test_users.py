"""The user whom a caller names is in every row of the run, and nowhere a question of rights."""

from tests.functional.site import Site, Tenant, a_pipeline_file


def test_rows_of_a_run_name_the_user_that_its_request_names(site: Site, common_tenant: Tenant) -> None:
    tenant = common_tenant
    assert tenant.upload("of_users", a_pipeline_file({"of_users": "SELECT 1 AS n"})).status_code == 201
    run_ids = [tenant.run("of_users", **headers) for headers in ({"X-User-ID": "ada@acme.example"}, {})]
    site.drain()
    for table in ("tenant_pipeline_runs", "tenant_step_logs"):
        found = site.rows(
            f"SELECT DISTINCT user_id FROM tenants.{table} WHERE pipeline_logging_id IN {tuple(run_ids)}"
        )
        assert {row["user_id"] for row in found} == {"ada@acme.example", None}

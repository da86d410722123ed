"""Two tenants on one platform: neither sees the other's configs, runs or tables."""

import pytest
from google.cloud import bigquery

from tests.e2e.platforms import RunningPlatform
from tests.e2e.tenants import Tenant, query_step


@pytest.fixture(scope="module")
def acme(platform: RunningPlatform) -> Tenant:
    """Onboard a tenant that runs a pipeline."""
    acme = Tenant.onboard(platform.url)
    acme.upload("secrets", query_step("a", "SELECT 'acme' AS owner", "secrets"))
    acme.completed("secrets")
    return acme


@pytest.fixture(scope="module")
def other(tenant: Tenant) -> Tenant:
    """Return the tenant that has no business with acme's."""
    return tenant


def test_neither_sees_the_others_configs(acme: Tenant, other: Tenant) -> None:
    listed = other.ask("GET", "/api/v1/pipelines/configs").body["configs"]
    assert "secrets" not in {config["config_id"] for config in listed}
    assert other.ask("GET", "/api/v1/pipelines/configs/secrets").status == 404
    assert other.ask("DELETE", "/api/v1/pipelines/configs/secrets").status == 404
    assert other.ask("POST", "/api/v1/pipelines/run/secrets", {}).status == 404


def test_neither_sees_nor_touches_the_others_runs(acme: Tenant, other: Tenant) -> None:
    (run,) = acme.ask("GET", "/api/v1/pipelines/history?pipeline_id=secrets").body["runs"]
    run_id = run["pipeline_logging_id"]
    history = other.ask("GET", "/api/v1/pipelines/history").body["runs"]
    assert run_id not in {seen["pipeline_logging_id"] for seen in history}
    for method, verb in (("GET", "status"), ("POST", "cancel"), ("POST", "retry")):
        assert other.ask(method, f"/api/v1/pipelines/{verb}/{run_id}").status == 404


def test_both_may_give_pipelines_and_tables_the_same_names(
    acme: Tenant, other: Tenant, tables: bigquery.Client
) -> None:
    for tenant, owner in ((acme, "acme"), (other, "other")):
        tenant.upload("same", query_step("a", f"SELECT '{owner}' AS owner", "same"))
        tenant.completed("same")
    for tenant, owner in ((acme, "acme"), (other, "other")):
        rows = tables.query_and_wait(f"SELECT owner FROM {tenant.id}.same")
        assert [row["owner"] for row in rows] == [owner]


@pytest.mark.parametrize(
    "source", ["{acme}.secrets", "{acme}.tenant_comprehensive_view", "tenants.tenant_api_keys"]
)
def test_sql_that_reads_anothers_table_is_refused_at_upload(source: str, acme: Tenant, other: Tenant) -> None:
    table = source.format(acme=acme.id)
    body = {"pipeline": {"name": "p"}, "steps": [query_step("a", f"SELECT * FROM {table}", "stolen")]}
    answer = other.ask("POST", "/api/v1/pipelines/configs/thief", body)
    assert answer.status == 422
    (fault,) = answer.body["errors"]
    assert fault["pointer"] == "/steps/0/config/source_query"
    assert table in fault["rule"]


def test_a_target_in_anothers_dataset_is_refused_at_upload(acme: Tenant, other: Tenant) -> None:
    body = {"pipeline": {"name": "p"}, "steps": [query_step("a", "SELECT 1 AS one", f"{acme.id}.secrets")]}
    answer = other.ask("POST", "/api/v1/pipelines/configs/vandal", body)
    assert answer.status == 422
    assert [fault["pointer"] for fault in answer.body["errors"]] == ["/steps/0/config/target_table"]


def test_a_tenants_view_shows_that_tenant_alone(acme: Tenant, other: Tenant, tables: bigquery.Client) -> None:
    for tenant in (acme, other):
        rows = tables.query_and_wait(f"SELECT tenant_id FROM {tenant.id}.tenant_comprehensive_view")
        assert {row["tenant_id"] for row in rows} == {tenant.id}

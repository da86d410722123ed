"""The second wall: what runs tenants' SQL sees their datasets alone, whatever the firewall lets through."""

from collections.abc import Iterator

import pytest

from common.pipelines.firewall import Judgement
from common.wiring import ADAPTERS
from tests.functional.environment import EXECUTOR_OF_ONE
from tests.functional.site import Site, Tenant, a_pipeline_file

OWN_NAME = "SELECT 'acme' AS who"


@pytest.fixture
def no_firewall(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every statement through, and every word of BigQuery's back."""
    nothing = Judgement(reasons=())
    monkeypatch.setattr("common.pipelines.job_judgements.judge_statement", lambda *_: nothing)
    monkeypatch.setattr("common.pipelines.job_judgements.judge_dry_run", lambda *_: ())
    monkeypatch.setattr("common.runs.guarding._tells_of_others", lambda *_: False)
    monkeypatch.setattr("common.pipelines.statement_compiler.StatementCompiler._judge", lambda *_: True)


def outcome(tenant: Tenant, sql: str) -> tuple[str, str]:
    """Run one statement; return the run's state and its error."""
    assert tenant.upload("probe", a_pipeline_file({"probe": sql}, target="WRITE_TRUNCATE")).status_code < 300
    run_id = tenant.run("probe")
    tenant.site.drain()
    run = tenant.status(run_id)
    return run["status"], run["error_message"] or ""


def test_the_executor_reads_the_tenants_own_tables(tenant: Tenant) -> None:
    assert outcome(tenant, OWN_NAME) == ("COMPLETED", "")
    assert outcome(tenant, "SELECT who FROM probe") == ("COMPLETED", "")


@pytest.mark.usefixtures("no_firewall")
def test_without_the_firewall_the_central_dataset_is_still_closed(tenant: Tenant) -> None:
    for sql in (
        "SELECT api_key_hash FROM tenants.tenant_api_keys",
        "SELECT tenant_id FROM tenants.current_tenant_profiles",
        "WITH k AS (SELECT * FROM tenants.tenant_cloud_credentials) SELECT COUNT(*) AS n FROM k",
    ):
        status, error = outcome(tenant, sql)
        assert status == "FAILED"
        assert "Access Denied" in error


@pytest.mark.usefixtures("no_firewall")
def test_an_isolated_tenant_and_the_others_are_closed_to_each_other(
    site: Site, tenant: Tenant, tenant_ids: Iterator[str]
) -> None:
    isolated = site.onboard(next(tenant_ids))
    answer = site.admin("PATCH", f"/admin/tenants/{isolated.tenant_id}", {"isolation": "dedicated"})
    assert answer.status_code == 200, answer.text
    for owner in (tenant, isolated):
        assert outcome(owner, OWN_NAME)[0] == "COMPLETED"
    for reader, owner in ((isolated, tenant), (tenant, isolated)):
        status, error = outcome(reader, f"SELECT who FROM {owner.tenant_id}.probe")
        assert status == "FAILED"
        assert "Access Denied" in error


def test_an_isolated_tenant_has_its_own_account_and_can_cancel_what_it_runs(
    site: Site, tenant: Tenant
) -> None:
    site.admin("PATCH", f"/admin/tenants/{tenant.tenant_id}", {"isolation": "dedicated"})
    assert outcome(tenant, OWN_NAME)[0] == "COMPLETED"
    account = EXECUTOR_OF_ONE.replace("{tenant}", tenant.tenant_id.replace("_", "-"))
    dataset = ADAPTERS.platform_client.get_dataset(tenant.tenant_id)
    writers = [entry.entity_id for entry in dataset.access_entries if entry.entity_type == "userByEmail"]
    assert writers == [account]
    run_id = tenant.run("probe")
    assert tenant.call("POST", f"/api/v1/pipelines/cancel/{run_id}", {}).status_code == 202
    site.drain()
    assert tenant.status(run_id)["status"] == "CANCELLED"

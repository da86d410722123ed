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


@pytest.fixture(scope="module")
def isolated(site: Site, tenant_ids: Iterator[str]) -> Tenant:
    """Onboard a tenant, and give it an account of its own."""
    made = site.onboard(next(tenant_ids))
    answer = site.admin("PATCH", f"/admin/tenants/{made.tenant_id}", {"isolation": "dedicated"})
    assert answer.status_code == 200, answer.text
    return made


def test_the_executor_reads_the_tenants_own_tables(common_tenant: Tenant) -> None:
    reads = a_pipeline_file({"written": OWN_NAME}, {"read": "SELECT who FROM written"})
    assert common_tenant.upload("own", reads).status_code == 201
    run_id = common_tenant.run("own")
    common_tenant.site.drain()
    run = common_tenant.status(run_id)
    assert (run["status"], run["error_message"]) == ("COMPLETED", None)


@pytest.mark.usefixtures("no_firewall")
def test_without_the_firewall_the_central_dataset_is_still_closed(site: Site, common_tenant: Tenant) -> None:
    tries = {
        "keys": "SELECT api_key_hash FROM tenants.tenant_api_keys",
        "profiles": "SELECT tenant_id FROM tenants.current_tenant_profiles",
        "secrets": "WITH k AS (SELECT * FROM tenants.tenant_cloud_credentials) SELECT COUNT(*) AS n FROM k",
    }
    assert common_tenant.upload("central", a_pipeline_file(tries)).status_code == 201
    run_id = common_tenant.run("central")
    site.drain()
    (level,) = common_tenant.status(run_id)["levels"]
    assert {step["step_id"] for step in level["steps"]} == tries.keys()
    for step in level["steps"]:
        assert (step["status"], "Access Denied" in step["error_message"]) == ("FAILED", True), step


@pytest.mark.usefixtures("no_firewall")
def test_an_isolated_tenant_and_the_others_are_closed_to_each_other(
    site: Site, common_tenant: Tenant, isolated: Tenant
) -> None:
    for owner in (common_tenant, isolated):
        site.rows(f"CREATE TABLE {owner.tenant_id}.owned AS {OWN_NAME}")
    for reader, owner in ((isolated, common_tenant), (common_tenant, isolated)):
        reads = {"own": "SELECT who FROM owned", "others": f"SELECT who FROM {owner.tenant_id}.owned"}
        assert reader.upload("reads", a_pipeline_file(reads)).status_code == 201
        run_id = reader.run("reads")
        site.drain()
        (level,) = reader.status(run_id)["levels"]
        steps = {step["step_id"]: step for step in level["steps"]}
        assert (steps["own"]["status"], steps["others"]["status"]) == ("COMPLETED", "FAILED")
        assert "Access Denied" in steps["others"]["error_message"]


def test_an_isolated_tenant_has_its_own_account_and_can_cancel_what_it_runs(
    site: Site, isolated: Tenant
) -> None:
    site.drain()
    account = EXECUTOR_OF_ONE.replace("{tenant}", isolated.tenant_id.replace("_", "-"))
    dataset = ADAPTERS.platform_client.get_dataset(isolated.tenant_id)
    writers = [entry.entity_id for entry in dataset.access_entries if entry.entity_type == "userByEmail"]
    assert writers == [account]
    assert isolated.upload("cancelled", a_pipeline_file({"cancelled": OWN_NAME})).status_code == 201
    run_id = isolated.run("cancelled")
    assert isolated.call("POST", f"/api/v1/pipelines/cancel/{run_id}", {}).status_code == 202
    site.drain()
    assert isolated.status(run_id)["status"] == "CANCELLED"

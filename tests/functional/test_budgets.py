"""Budgets on the real functions: clients race one, and no step begins that would break one."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest

from common.costs.budgets import Budget
from common.tenants.tenant import plans
from tests.functional.site import Site, Tenant

MIB = 2**20
CLIENTS = 5
FILE = """\
pipeline: {name: Daily}
budget: {%(budget)s}
steps:
  - id: first
    ps_type: bq_etl.query
    config: {source_query: "SELECT n FROM source", target_table: first_of_%(config_id)s}
  - id: second
    ps_type: bq_etl.query
    config: {source_query: "SELECT n FROM first_of_%(config_id)s", target_table: second_of_%(config_id)s}
"""


@pytest.fixture
def stocked(site: Site, tenant: Tenant) -> Tenant:
    stock(site, tenant)
    return tenant


@pytest.fixture(scope="module")
def _stock(site: Site, tenant_of_module: Tenant) -> None:
    stock(site, tenant_of_module)


@pytest.fixture
def shared_stocked(shared_tenant: Tenant, _stock: None) -> Tenant:
    return shared_tenant


def stock(site: Site, tenant: Tenant) -> None:
    """Give a tenant the table that the pipelines here read."""
    site.rows(f"CREATE TABLE `{tenant.tenant_id}.source` AS SELECT n FROM UNNEST([1, 2]) AS n")


def upload(tenant: Tenant, budget: str, config_id: str = "daily") -> None:
    answer = tenant.upload(config_id, FILE % {"budget": budget, "config_id": config_id})
    assert answer.status_code == 201, answer.text


def ask(tenant: Tenant, config_id: str = "daily", body: Any = None) -> Any:
    return tenant.call("POST", f"/api/v1/pipelines/run/{config_id}", body or {})


def test_clients_who_race_a_budget_hold_no_more_than_there_is(site: Site, shared_stocked: Tenant) -> None:
    """Each run may be billed for 30 MiB, the month for 100: the plan has ten slots, the budget three."""
    tenant = shared_stocked
    upload(tenant, f"max_bytes_per_run: {30 * MIB}, max_bytes_per_month: {100 * MIB}", "raced")
    barrier = Barrier(CLIENTS)

    def race(_: int) -> Any:
        barrier.wait()
        return ask(tenant, "raced")

    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = list(pool.map(race, range(CLIENTS)))
    assert Counter(answer.status_code for answer in answers) == {202: 3, 429: CLIENTS - 3}
    refused = next(answer for answer in answers if answer.status_code == 429)
    problem = refused.get_json()
    assert problem["type"] == "urn:problem-type:convergence:budget-exceeded"
    numbers = {name: problem[name] for name in ("limit_name", "scope", "used", "held", "limit")}
    assert numbers == {
        "limit_name": "max_bytes_per_month",
        "scope": "pipeline",
        "used": 0,
        "held": 90 * MIB,
        "limit": 100 * MIB,
    }
    assert refused.headers["Retry-After"] == "60"
    site.drain()
    # Each was billed for ten mebibytes of each table that it read: 40 are left, and a run may have 30.
    assert [ask(tenant, "raced").status_code for _ in range(2)] == [202, 429]
    site.drain()
    assert ask(tenant, "raced").status_code == 202
    site.drain()
    assert ask(tenant, "raced").status_code == 429
    (billed,) = site.rows(
        "SELECT SUM(bytes_billed) AS sum FROM tenants.current_pipeline_runs "
        f"WHERE tenant_id = '{tenant.tenant_id}' AND pipeline_id = 'raced'"
    )
    assert billed["sum"] == 100 * MIB


def test_a_run_stops_before_the_step_that_would_break_its_budget(site: Site, shared_stocked: Tenant) -> None:
    upload(shared_stocked, f"max_bytes_per_run: {15 * MIB}", "stopped")
    run_id = ask(shared_stocked, "stopped").get_json()["pipeline_logging_id"]
    site.drain()
    status = shared_stocked.status(run_id)
    assert status["status"] == "FAILED"
    first, second = (level["steps"][0] for level in status["levels"])
    assert (first["status"], second["status"]) == ("COMPLETED", "FAILED")
    assert second["error_message"] == (
        "the step was not begun: it would be billed for 10,485,760 bytes, and of the 15,728,640 that the run "
        "may be billed for 10,485,760 are billed already"
    )
    assert second["error_class"] == "quota"
    (jobs,) = site.rows(
        "SELECT COUNTIF(job_id IS NOT NULL AND step_id = 'second') AS begun FROM tenants.tenant_step_logs "
        f"WHERE pipeline_logging_id = '{run_id}'"
    )
    assert jobs["begun"] == 0


def test_a_cost_is_held_by_the_price_of_the_location(shared_stocked: Tenant) -> None:
    upload(shared_stocked, "max_cost_per_month: 0.0001", "priced")  # 16.7 MiB
    assert ask(shared_stocked, "priced").status_code == 202
    problem = ask(shared_stocked, "priced").get_json()
    assert (problem["limit_name"], problem["limit"]) == ("max_cost_per_month", 17_592_186)
    assert "(0.0001 USD)" in problem["detail"]


def test_who_may_wait_waits_for_what_others_hold(site: Site, shared_stocked: Tenant) -> None:
    upload(shared_stocked, f"max_bytes_per_month: {100 * MIB}", "patient")
    assert ask(shared_stocked, "patient").status_code == 202
    answer = ask(shared_stocked, "patient", {"queue": True})
    assert (answer.status_code, answer.get_json()["status"]) == (202, "QUEUED")
    site.drain()
    assert shared_stocked.status(answer.get_json()["pipeline_logging_id"])["status"] == "COMPLETED"


@pytest.mark.parametrize(
    ("budget", "rule"),
    [
        ("", "/budget"),
        ("max_bytes_per_run: 1", "/budget/max_bytes_per_run"),
        ("max_cost_per_month: 0", "/budget/max_cost_per_month"),
        ("max_bytes: 10", "/budget/max_bytes"),
    ],
)
def test_a_budget_that_breaks_rules_is_refused_with_its_place(
    shared_tenant: Tenant, budget: str, rule: str
) -> None:
    answer = shared_tenant.upload("refused", FILE % {"budget": budget, "config_id": "refused"})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.get_json()["errors"]] == [rule]


def test_the_narrowest_of_the_tenants_and_the_operators_budget_counts_for_all_pipelines(
    site: Site, stocked: Tenant
) -> None:
    upload(stocked, f"max_bytes_per_run: {200 * MIB}")
    own = {"max_bytes_per_run": 50 * MIB, "max_bytes_per_month": 1000 * MIB}
    assert stocked.own("PUT", "/api/v1/tenants/budget", own).status_code == 200
    path = f"/admin/tenants/{stocked.tenant_id}/budget"
    assert site.admin("PUT", path, {"max_bytes_per_month": 60 * MIB}).status_code == 200
    assert ask(stocked).status_code == 202
    problem = ask(stocked).get_json()
    assert (problem["scope"], problem["held"], problem["limit"]) == ("operator", 50 * MIB, 60 * MIB)
    site.drain()
    quota = stocked.own("GET", "/api/v1/tenants/quota").get_json()
    assert [one["scope"] for one in quota["budgets"]] == ["tenant", "operator"]
    assert (quota["spending"]["used"], quota["spending"]["held"]) == (20 * MIB, 0)
    assert quota["spending_by_pipeline"][0]["pipeline_id"] == "daily"
    assert site.admin("PUT", path, {}).status_code == 200
    assert ask(stocked).status_code == 202


def test_a_plans_budget_is_in_its_file(shared_stocked: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = shared_stocked
    upload(tenant, f"max_bytes_per_run: {200 * MIB}", "planned")
    used = tenant.own("GET", "/api/v1/tenants/quota").get_json()["spending"]["used"]
    budget = Budget(max_bytes_per_run=30 * MIB, max_bytes_per_month=used + 30 * MIB)
    scale = replace(plans()["SCALE"], budget=budget)
    monkeypatch.setattr("common.tenants.tenant.plans", lambda: {"SCALE": scale})
    assert ask(tenant, "planned").status_code == 202
    problem = ask(tenant, "planned").get_json()
    assert (problem["scope"], problem["held"]) == ("plan", 30 * MIB)
    assert "of your plan is held by runs under way" in problem["detail"]

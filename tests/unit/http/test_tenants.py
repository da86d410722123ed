from datetime import timedelta
from itertools import count
from typing import Any, cast

import pytest
from werkzeug.test import TestResponse

from common.costs.budgets import NO_BUDGET, Budget, Owner
from common.http.edge import WrongKeys
from common.http.endpoints.tenants import TENANT_ROUTES
from common.http.services import TenantServices
from common.public_urls import PublicUrls
from common.runs.quotas import Limits
from common.runs.run import RunStatus
from common.runs.run_queries import RunQueries, RunReads
from common.tenants.administration import Administration
from common.tenants.authentication import Authenticator
from common.tenants.budgets import TenantBudgets
from common.tenants.encryption import Keyring
from common.tenants.keys import Scope
from common.tenants.onboarding_checks import DryRun
from common.tenants.onboarding_limits import OnboardingMode, OnboardingPolicy, OnboardingRates
from common.tenants.own_keys import OwnKeys
from tests.fakes.audit import MemoryAudit, an_auditor
from tests.fakes.credentials import MemoryCredentials, credentials_on
from tests.fakes.onboarding import OnboardingPlatform
from tests.fakes.runs import MemoryRuns, MemoryTenant
from tests.fakes.usage import MemoryUsage
from tests.unit.http.site import Site, edge, key_of
from tests.unit.runs.examples import a_run

ONBOARD, DRY_RUN, QUOTA = "/api/v1/tenants/onboard", "/api/v1/tenants/dryrun", "/api/v1/tenants/quota"
REQUEST = {
    "tenant_id": "customer_name",
    "company_name": "Customer Inc",
    "admin_email": "admin@customer.com",
    "subscription_plan": "PROFESSIONAL",
}
TOKEN = {"X-Onboarding-Token": "the-token"}


class World:
    """The onboarding function on in-memory ports; by choice it knows the platform's own keys alone."""

    def __init__(self, mode: OnboardingMode = OnboardingMode.OPEN, *, knows_own_keys: bool = False) -> None:
        self.platform = OnboardingPlatform()
        own = Authenticator(store=self.platform.tenants, clock=self.platform.clock)
        self.audit = MemoryAudit()
        self._numbers = count(1)
        self.runs = runs = MemoryRuns()
        runs.tenants["acme"] = MemoryTenant(limits=Limits(daily=6, monthly=180, concurrent=3))
        services = TenantServices(
            edge=edge(
                public_urls=PublicUrls(own="https://convergence.example.com"),
                wrong_keys=WrongKeys(max_tries=3),
                auditor=an_auditor(self.audit),
                **({"authenticator": own} if knows_own_keys else {}),
            ),
            onboarding_policy=OnboardingPolicy(mode, "the-token"),
            onboarding=self.platform.onboarding(),
            rates=OnboardingRates(
                claims=self.platform.jobs,
                clock=self.platform.clock,
                new_id=lambda: f"request-{next(self._numbers)}",
                per_source=4,
                total=100,
            ),
            dry_run=DryRun(
                datasets=self.platform.datasets,
                catalog=self.platform.catalog,
                clock=self.platform.clock,
                central_dataset="tenants",
            ),
            subscriptions=self.platform.tenants,
            credentials=credentials_on(
                MemoryCredentials(),
                Keyring.read(
                    '{"active": "k1", "keys": {"k1": "a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2U="}}'
                ),
                self.platform.clock,
                self.platform.datasets,
                self.platform.tenants,
            ),
            usage=MemoryUsage().report(self.platform.clock),
            budgets=TenantBudgets(records=self.platform.tenants, clock=self.platform.clock),
            keys=OwnKeys(
                administration=Administration(
                    directory=self.platform.tenants,
                    datasets=self.platform.datasets,
                    clock=self.platform.clock,
                    new_id=lambda: f"key-{len(self.platform.tenants.key_rows)}",
                ),
                uses=self.audit,
                clock=self.platform.clock,
            ),
            run_queries=RunQueries(
                reads=cast("RunReads", None),  # The quota reads no run.
                facts=runs,
                claims=self.platform.jobs,
                clock=self.platform.clock,
            ),
        )
        self.site = Site(TENANT_ROUTES, services)

    def post(self, path: str, headers: dict[str, str] | None = None, **changes: Any) -> TestResponse:
        return self.site.ask("POST", path, json=REQUEST | changes, headers=headers)


@pytest.fixture
def world() -> World:
    return World()


# Onboarding


def test_a_tenant_is_onboarded_and_told_its_key(world: World) -> None:
    response = world.post(ONBOARD)
    body = response.json or {}
    assert response.status_code == 201
    assert body.pop("api_key").startswith("customer_name_api_")
    assert body == {
        "tenant_id": "customer_name",
        "subscription_plan": "PROFESSIONAL",
        "dataset_created": True,
        "tables_created": ["tenant_comprehensive_view"],
        "dryrun_status": "SUCCESS",
        "message": "customer_name is onboarded; keep the API key, it is shown only once",
        "links": {
            "quota": "https://convergence.example.com/api/v1/tenants/quota",
            "configs": "https://convergence.example.com/api/v1/pipelines/configs",
        },
    }


def test_the_plan_is_starter_where_none_is_asked_for(world: World) -> None:
    request = {name: value for name, value in REQUEST.items() if name != "subscription_plan"}
    response = world.site.ask("POST", ONBOARD, json=request)
    assert (response.json or {})["subscription_plan"] == "STARTER"


def test_a_second_onboarding_is_a_conflict_and_makes_no_key(world: World) -> None:
    world.post(ONBOARD)
    assert world.post(ONBOARD, subscription_plan="SCALE").status_code == 409
    assert len(world.platform.tenants.key_rows) == 1


def test_all_violations_are_told_at_once(world: World) -> None:
    response = world.post(ONBOARD, tenant_id="tenants", admin_email="admin", subscription_plan="FREE")
    assert response.status_code == 422
    places = [fault["pointer"] for fault in (response.json or {})["errors"]]
    assert places == ["/tenant_id", "/admin_email", "/subscription_plan"]


@pytest.mark.parametrize("name", ["force_recreate_dataset", "role"])
def test_what_onboarding_does_not_know_is_refused(world: World, name: str) -> None:
    assert world.post(ONBOARD, None, **{name: True}).status_code == 422


def test_an_onboarding_before_the_bootstrap_says_what_is_missing(world: World) -> None:
    world.platform.catalog.tables = None
    response = world.post(ONBOARD)
    assert response.status_code == 503
    assert "POST /admin/bootstrap" in (response.json or {})["detail"]


# Who may onboard


def test_a_closed_platform_onboards_nobody_and_tells_nobody_who_is_there() -> None:
    world = World(OnboardingMode.CLOSED)
    assert world.post(ONBOARD).status_code == 403
    assert world.post(DRY_RUN, headers=TOKEN).status_code == 403
    assert world.platform.datasets.datasets == {}


@pytest.mark.parametrize("path", [ONBOARD, DRY_RUN])
def test_a_platform_with_a_token_onboards_who_has_it(path: str) -> None:
    world = World(OnboardingMode.TOKEN)
    assert world.post(path).status_code == 401
    assert world.post(path, headers={"X-Onboarding-Token": "a-guess"}).status_code == 403
    assert world.post(path, headers=TOKEN).status_code in {200, 201}


def test_who_guesses_tokens_is_slowed_down() -> None:
    world = World(OnboardingMode.TOKEN)
    guesses = [world.post(ONBOARD, headers={"X-Onboarding-Token": f"guess-{n}"}) for n in range(4)]
    assert [response.status_code for response in guesses] == [403, 403, 403, 429]
    assert world.post(ONBOARD, headers=TOKEN).status_code == 429


# Dry run


def test_a_dry_run_that_passes_makes_nothing(world: World) -> None:
    response = world.post(DRY_RUN)
    body = response.json or {}
    assert response.status_code == 200
    assert (body["status"], body["ready_for_onboarding"]) == ("SUCCESS", True)
    assert body["validation_summary"] == {"total_checks": 8, "passed": 8, "failed": 0, "all_passed": True}
    assert [result["check_name"] for result in body["validation_results"]] == [
        "tenant_id_format",
        "tenant_id_reserved",
        "company_name",
        "email_format",
        "subscription_plan",
        "bigquery_connectivity",
        "central_tables",
        "tenant_existence",
    ]
    assert world.platform.datasets.datasets == {}


def test_a_dry_run_that_fails_answers_200_and_says_why(world: World) -> None:
    response = world.post(DRY_RUN, tenant_id="Acme", admin_email="admin")
    body = response.json or {}
    assert response.status_code == 200
    assert (body["status"], body["message"]) == ("FAILED", "3 of 8 checks failed")
    failed = {r["check_name"]: r["message"] for r in body["validation_results"] if not r["passed"]}
    assert failed == {
        "tenant_id_format": "must be in lower case: acme",
        "email_format": "must be an e-mail address, such as admin@example.com",
        "tenant_existence": "not looked up: the tenant ID breaks rules",
    }


# Quota


def test_a_tenant_sees_its_limits_and_their_use(world: World) -> None:
    world.platform.onboard("acme")
    body = world.site.ask("GET", QUOTA, key=key_of("acme")).json or {}
    assert (body["tenant_id"], body["plan_name"]) == ("acme", "STARTER")
    assert (body["daily"]["used"], body["daily"]["limit"], body["monthly"]["limit"]) == (0, 6, 180)
    midnight = (world.platform.clock() + timedelta(days=1)).date().isoformat()
    assert body["daily"]["resets_at"].startswith(f"{midnight}T00:00:00")


def test_a_tenant_sees_what_is_billed_and_held_this_month(world: World) -> None:
    world.platform.onboard("acme")
    for number, status, billed in ((1, RunStatus.PENDING, None), (2, RunStatus.COMPLETED, 2**40)):
        run = a_run(
            run_id=f"run-{number}", ticket=number, started_at=world.platform.clock(), bytes_held=2**39
        )
        world.runs.append_run(run, status, world.platform.clock(), bytes_billed=billed)
    world.runs.tenants["acme"].budgets = {Owner.PLAN: Budget(max_bytes_per_month=2**42)}
    body = world.site.ask("GET", QUOTA, key=key_of("acme")).json or {}
    assert body["budgets"] == [
        {
            "scope": "plan",
            "budget": {
                "max_bytes_per_run": None,
                "max_bytes_per_month": 2**42,
                "max_cost_per_month": None,
            },
        }
    ]
    (of_pipeline,) = body["spending_by_pipeline"]
    assert of_pipeline == body["spending"] | {"pipeline_id": "daily"}
    figures = {name: body["spending"][name] for name in ("used", "held", "cost_used", "cost_held")}
    assert figures == {"used": 2**40, "held": 2**39, "cost_used": 6.25, "cost_held": 3.125}


def test_a_tenant_sets_its_own_budget_with_a_key_that_manages(world: World) -> None:
    world.platform.onboard("acme")
    path, budget = "/api/v1/tenants/budget", {"max_cost_per_month": 12.5}
    assert (
        world.site.ask("PUT", path, json=budget, key=key_of("acme", frozenset({Scope.READ}))).status_code
        == 403
    )
    answer = world.site.ask("PUT", path, json=budget, key=key_of("acme")).json or {}
    assert answer["budget"]["max_cost_per_month"] == 12.5
    assert world.platform.tenants.profiles["acme"].budget == Budget(max_cost_per_month=12.5)
    assert world.platform.tenants.profiles["acme"].operator_budget == NO_BUDGET


def test_the_quota_is_the_key_owners_and_asks_for_the_scope_read(world: World) -> None:
    world.platform.onboard("acme")
    assert world.site.ask("GET", QUOTA).status_code == 401
    assert world.site.ask("GET", QUOTA, key=key_of("acme", frozenset({Scope.RUN}))).status_code == 403
    assert world.site.ask("GET", QUOTA, key=key_of("other")).status_code == 404
    assert world.site.ask("GET", f"{QUOTA}?tenant_id=acme", key=key_of("other")).status_code == 422

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from common.at_once import one_by_one
from common.dispatcher.control import PlatformWatch
from common.errors import NoSuchResource, Unavailable
from common.http.endpoints.admin import ADMIN_ROUTES
from common.http.services import AdminServices
from common.runs.quotas import Use
from common.setup.bootstrap import Bootstrap
from common.setup.readiness import StreamingReadiness
from common.setup.recreation import Recreation
from common.tenants.administration import Administration
from common.tenants.authentication import AdminKeys
from common.tenants.budgets import TenantBudgets
from common.tenants.changes import TenantChanges
from common.tenants.credential_access import CredentialAccess
from common.tenants.keys import read_key
from common.tenants.offboarding import Offboarding
from common.times import to_rfc3339
from tests.fakes.audit import MemoryAudit, an_auditor
from tests.fakes.credentials import MemoryCredentials
from tests.fakes.onboarding import OnboardingPlatform
from tests.fakes.scheduler import MemoryJob, MemoryLoad
from tests.fakes.schedules import MemoryTimetable
from tests.fakes.setup import MemoryWarehouse
from tests.fakes.tenants import MemoryRemover
from tests.fakes.usage import MemoryUsage
from tests.unit.http.site import ADMIN_KEY, Site, edge
from tests.unit.schedules.examples import a_scheduled_config

REQUEST = {"tenant_id": "customer_name", "company_name": "Customer Inc", "admin_email": "a@customer.com"}
NO_BUDGET: dict[str, Any] = dict.fromkeys(("max_bytes_per_run", "max_bytes_per_month", "max_cost_per_month"))
UNKNOWN_HASH = "0" * 64
ROUTES: list[tuple[str, str, Any]] = [
    ("POST", "/admin/bootstrap", {}),
    ("POST", "/admin/tenants", REQUEST),
    ("GET", "/admin/tenants/customer_name", None),
    ("GET", "/admin/tenants", None),
    ("DELETE", "/admin/tenants/customer_name", None),
    ("PATCH", "/admin/tenants/customer_name", {"status": "SUSPENDED"}),
    ("PUT", "/admin/tenants/customer_name/sources", {"sources": []}),
    ("PUT", "/admin/tenants/customer_name/budget", {}),
    ("GET", "/admin/audit", None),
    ("GET", "/admin/scheduler", None),
    ("POST", "/admin/scheduler/pause", None),
    ("POST", "/admin/scheduler/resume", None),
    ("POST", "/admin/scheduler/run", None),
    ("GET", "/admin/overview", None),
    ("POST", "/admin/api-keys", {"tenant_id": "customer_name"}),
    ("DELETE", f"/admin/api-keys/{UNKNOWN_HASH}", None),
]


class World:
    """The admin function on in-memory ports."""

    def __init__(self, *admin_keys: str) -> None:
        self.platform = OnboardingPlatform()
        self.audit = MemoryAudit()
        self.administration = Administration(
            directory=self.platform.tenants,
            datasets=self.platform.datasets,
            clock=self.platform.clock,
            new_id=lambda: "a-new-id",
        )
        self.credentials = MemoryCredentials()
        access = CredentialAccess(
            store=self.credentials, profiles=self.platform.tenants, datasets=self.platform.datasets
        )
        self.remover = MemoryRemover()
        self.warehouse = MemoryWarehouse()
        self.timetable = MemoryTimetable()
        recreation = Recreation(backups=self.warehouse, dataset="tenants", clock=self.platform.clock)
        self.site = Site(
            ADMIN_ROUTES,
            AdminServices(
                edge=edge(auditor=an_auditor(self.audit), admin_keys=AdminKeys(admin_keys or [ADMIN_KEY])),
                audit=self.audit,
                scheduler=MemoryJob(),
                usage=MemoryUsage().report(self.platform.clock),
                budgets=TenantBudgets(records=self.platform.tenants, clock=self.platform.clock),
                watch=PlatformWatch(timetable=self.timetable, load=MemoryLoad(), clock=self.platform.clock),
                offboarding=Offboarding(
                    records=self.platform.tenants,
                    administration=self.administration,
                    datasets=self.platform.datasets,
                    access=access,
                    inventory=self.platform.tenants,
                    remover=self.remover,
                    clock=self.platform.clock,
                    grace=timedelta(days=30),
                ),
                bootstrap=Bootstrap(
                    central=self.warehouse,
                    tenant_views=self.warehouse,
                    recreation=recreation,
                    readiness=StreamingReadiness(
                        targets=self.warehouse,
                        clock=self.platform.clock,
                        new_id=lambda: "1",
                        sleep=self.platform.clock.sleep,
                        at_once=one_by_one,
                    ),
                    at_once=one_by_one,
                ),
                onboarding=self.platform.onboarding(),
                administration=self.administration,
                changes=TenantChanges(
                    records=self.platform.tenants,
                    datasets=self.platform.datasets,
                    access=access,
                    clock=self.platform.clock,
                    new_id=lambda: "a-new-id",
                    project="platform-prod",
                    central_dataset="tenants",
                ),
            ),
        )

    def ask(self, method: str, path: str, body: Any = None, key: str | None = ADMIN_KEY) -> TestResponse:
        more = {} if body is None else {"json": body}
        return self.site.ask(method, path, headers={"X-Admin-Key": key} if key else {}, **more)


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
def test_each_route_asks_for_the_admin_key(world: World, method: str, path: str, body: Any) -> None:
    assert world.ask(method, path, body, key=None).status_code == 401
    assert world.ask(method, path, body, key="a-guess").status_code == 403
    assert World("").ask(method, path, body).status_code == 503
    assert not world.warehouse.datasets
    assert not world.platform.datasets.datasets


# Bootstrap


def test_the_bootstrap_of_the_deployment_guide_makes_its_eleven_tables_and_the_audit_log(
    world: World,
) -> None:
    flags = {"force_recreate_dataset": False, "force_recreate_tables": False}
    response = world.ask("POST", "/admin/bootstrap", flags)
    body = response.json or {}
    assert response.status_code == 200
    assert (body["status"], body["dataset_created"], body["total_tables"]) == ("SUCCESS", True, 12)
    assert len(body["tables_created"]) == 12
    again = world.ask("POST", "/admin/bootstrap").json or {}
    assert (again["tables_created"], len(again["tables_existed"])) == ([], 12)


def test_recreating_tables_tells_where_their_rows_are(world: World) -> None:
    world.ask("POST", "/admin/bootstrap")
    body = world.ask("POST", "/admin/bootstrap", {"force_recreate_tables": True}).json or {}
    assert len(body["tables_recreated"]) == 12
    backed_up = body["backed_up"][0]
    assert backed_up["backup"] == "tenants_backup_20260315_120020.platform_audit_log"
    assert (backed_up["rows"], backed_up["rows_restored"]) == (0, 0)


@pytest.mark.parametrize("confirm", [{}, {"confirm": "tenants"}])
def test_the_dataset_is_recreated_only_by_its_full_name(world: World, confirm: dict[str, str]) -> None:
    world.ask("POST", "/admin/bootstrap")
    response = world.ask("POST", "/admin/bootstrap", {"force_recreate_dataset": True} | confirm)
    assert response.status_code == 422
    assert (response.json or {})["errors"][0]["pointer"] == "/confirm"
    full = {"force_recreate_dataset": True, "confirm": "project.tenants"}
    assert (world.ask("POST", "/admin/bootstrap", full).json or {})["dataset_created"]


# Tenants


def test_the_operator_onboards_a_tenant_and_looks_at_it(world: World) -> None:
    created = world.ask("POST", "/admin/tenants", REQUEST)
    assert created.status_code == 201
    world.platform.tenants.use["customer_name"] = Use(today=3, month=17, running=1)
    body = world.ask("GET", "/admin/tenants/customer_name").json or {}
    assert (body["tenant_id"], body["company_name"], body["status"]) == (
        "customer_name",
        "Customer Inc",
        "ACTIVE",
    )
    assert (body["subscription"]["plan_name"], body["subscription"]["daily_limit"]) == ("STARTER", 6)
    assert body["use"] == {
        "pipelines_run_today": 3,
        "pipelines_run_month": 17,
        "concurrent_pipelines_running": 1,
    }
    assert body["datasets"] == ["customer_name"]
    (key,) = body["api_keys"]
    assert key["created_by"] == "admin"
    assert (created.json or {})["api_key"].startswith(key["key_prefix"])
    assert (created.json or {})["api_key"] not in repr(body)


def test_a_tenant_that_is_not_there_is_not_found(world: World) -> None:
    assert world.ask("GET", "/admin/tenants/nobody_here").status_code == 404
    assert world.ask("POST", "/admin/api-keys", {"tenant_id": "nobody_here"}).status_code == 404


def test_a_tenant_is_created_once(world: World) -> None:
    world.ask("POST", "/admin/tenants", REQUEST)
    assert world.ask("POST", "/admin/tenants", REQUEST).status_code == 409


def test_a_change_is_made_and_shown(world: World) -> None:
    world.platform.onboard("customer_name")
    change = {"status": "SUSPENDED", "subscription_plan": "scale", "isolation": "dedicated"}
    body = world.ask("PATCH", "/admin/tenants/customer_name", change).json or {}
    assert (body["status"], body["isolation"]) == ("SUSPENDED", "dedicated")
    assert (body["subscription"]["plan_name"], body["subscription"]["daily_limit"]) == ("SCALE", 100)
    assert world.platform.datasets.executors == {"customer_name": "dedicated"}
    assert (world.ask("PATCH", "/admin/tenants/customer_name", change).json or {}) == body


@pytest.mark.parametrize(
    "change", [{}, {"status": "DELETED"}, {"subscription_plan": "FREE"}, {"isolation": "none"}, {"x": 1}]
)
def test_a_change_that_makes_no_sense_is_refused(world: World, change: dict[str, Any]) -> None:
    world.platform.onboard("customer_name")
    assert world.ask("PATCH", "/admin/tenants/customer_name", change).status_code == 422


def test_budgets_replace_one_another(world: World) -> None:
    world.platform.onboard("customer_name")
    narrow = {"max_bytes_per_run": 10485760, "max_cost_per_month": 12.5}
    for budget in (narrow, {"max_bytes_per_month": 10**12}, {}):
        answer = world.ask("PUT", "/admin/tenants/customer_name/budget", budget)
        assert answer.json == {"tenant_id": "customer_name", "budget": NO_BUDGET | budget}
        shown = world.ask("GET", "/admin/tenants/customer_name").json or {}
        assert (shown["operator_budget"], shown["budget"]) == (NO_BUDGET | budget, NO_BUDGET)
    assert world.ask("PUT", "/admin/tenants/nobody/budget", {}).status_code == 404


@pytest.mark.parametrize(
    "budget",
    [{"max_bytes_per_run": 1}, {"max_bytes_per_run": 1.5e7}, {"max_cost_per_month": 0}, {"max_bytes": 1}],
)
def test_a_budget_that_breaks_rules_is_refused(world: World, budget: Any) -> None:
    world.platform.onboard("customer_name")
    answer = world.ask("PUT", "/admin/tenants/customer_name/budget", budget)
    is_whole = budget == {"max_bytes_per_run": 1.5e7}
    assert answer.status_code == (200 if is_whole else 422)


def test_sources_replace_one_another(world: World) -> None:
    world.platform.onboard("customer_name")
    for sources in (
        ["partner-data.b.c", "partner-data.a"],
        ["platform-prod.calendar"],
        ["gs://partner-files", "gs://partner-files.example/in/orders"],
        [],
    ):
        answer = world.ask("PUT", "/admin/tenants/customer_name/sources", {"sources": sources})
        assert answer.json == {"tenant_id": "customer_name", "sources": sorted(sources)}
        shown = world.ask("GET", "/admin/tenants/customer_name").json or {}
        assert shown["sources"] == sorted(sources)


@pytest.mark.parametrize(
    "source",
    [
        "platform-prod",
        "platform-prod.tenants",
        "platform-prod.Tenants_backup.t",
        "a.b.c.d",
        "`a`",
        "partner-*",
        "gs://",
        "gs://*",
        "gs://partner-*",
        "gs://partner-files/*",
        "gs://partner-files//in",
        "gs://partner-files/in/..",
        "gs://partner-files/./in",
        "gs://partner-files/${date}",
        "gs://Partner-Files",
        "s3://partner-files",
    ],
)
def test_no_source_opens_the_platform(world: World, source: str) -> None:
    world.platform.onboard("customer_name")
    answer = world.ask("PUT", "/admin/tenants/customer_name/sources", {"sources": [source]})
    assert answer.status_code == 422
    assert (answer.json or {})["errors"][0]["pointer"] == "/sources/0"


def test_tenants_are_listed_page_by_page(world: World) -> None:
    for tenant_id in ("acme", "bolt", "cray"):
        world.platform.onboard(tenant_id)
    first = world.ask("GET", "/admin/tenants?limit=2").json or {}
    assert [tenant["tenant_id"] for tenant in first["tenants"]] == ["acme", "bolt"]
    second = world.ask("GET", f"/admin/tenants?limit=2&after={first['next_after']}").json or {}
    assert ([tenant["tenant_id"] for tenant in second["tenants"]], second["next_after"]) == (["cray"], None)


def test_an_offboarded_tenants_data_is_deleted_at_once_where_that_is_asked_for(world: World) -> None:
    world.platform.onboard("customer_name")
    assert world.ask("DELETE", "/admin/tenants/customer_name").status_code == 200
    assert world.remover.removed == []
    answer = world.ask("DELETE", "/admin/tenants/customer_name?data=delete")
    assert answer.status_code == 200
    assert world.remover.removed == ["customer_name"]
    assert (answer.json or {})["data_deleted_after"] == to_rfc3339(world.platform.clock())
    assert world.ask("DELETE", "/admin/tenants/customer_name?data=all").status_code == 422
    assert world.ask("DELETE", "/admin/tenants/nobody_here?data=delete").status_code == 404
    assert world.remover.removed == ["customer_name"]


def test_an_offboarded_tenant_leaves_a_manifest_and_no_living_key(world: World) -> None:
    world.platform.onboard("customer_name")
    answers = [world.ask("DELETE", "/admin/tenants/customer_name") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json == answers[1].json
    manifest = answers[0].json or {}
    assert (manifest["keys_revoked"], manifest["tables"][0]["name"]) == (1, "sales")
    assert manifest["data_deleted_after"] > manifest["deleted_at"]
    assert not any(key.is_active for key in world.platform.tenants.keys_of("customer_name"))
    assert "customer_name" not in world.platform.datasets.authorized
    seen = world.ask("GET", "/admin/tenants/customer_name").json or {}
    assert (seen["status"], seen["data_deleted_after"]) == ("DELETED", manifest["data_deleted_after"])
    assert [key["is_active"] for key in seen["api_keys"]] == [False]
    assert world.ask("PATCH", "/admin/tenants/customer_name", {"status": "ACTIVE"}).status_code == 404
    assert world.ask("DELETE", "/admin/tenants/nobody_here").status_code == 404


# API keys


def test_a_key_is_issued_with_what_was_asked_for(world: World) -> None:
    world.platform.onboard("customer_name")
    request = {
        "tenant_id": "customer_name",
        "description": "nightly sync",
        "scopes": ["run", "read"],
        "expires_in_days": 1,
    }
    response = world.ask("POST", "/admin/api-keys", request)
    body = response.json or {}
    assert response.status_code == 201
    key = read_key(body["api_key"])
    assert key
    assert (key.tenant_id, key.api_key_hash) == ("customer_name", body["api_key_hash"])
    assert (body["scopes"], body["description"]) == (["read", "run"], "nightly sync")
    assert body["expires_at"] == "2026-03-16T12:00:00.000000Z"


def test_a_key_has_all_scopes_and_no_end_unless_asked_for(world: World) -> None:
    world.platform.onboard("customer_name")
    body = world.ask("POST", "/admin/api-keys", {"tenant_id": "customer_name"}).json or {}
    assert body["scopes"] == ["data", "manage", "read", "run"]
    assert (body["expires_at"], body["description"]) == (None, None)


@pytest.mark.parametrize(
    "change",
    [{"scopes": []}, {"scopes": ["admin"]}, {"expires_in_days": 0}, {"description": ""}, {"key": "x"}],
)
def test_a_key_that_makes_no_sense_is_refused(world: World, change: dict[str, Any]) -> None:
    world.platform.onboard("customer_name")
    assert world.ask("POST", "/admin/api-keys", {"tenant_id": "customer_name"} | change).status_code == 422


def test_revoking_a_key_twice_is_once(world: World) -> None:
    api_key_hash = world.platform.onboard("customer_name").key.api_key_hash
    first = world.ask("DELETE", f"/admin/api-keys/{api_key_hash}")
    second = world.ask("DELETE", f"/admin/api-keys/{api_key_hash}")
    assert first.status_code == 200
    assert first.json == second.json
    assert [row.is_active for row in world.platform.tenants.key_rows] == [True, False]


@pytest.mark.parametrize(("api_key_hash", "status"), [(UNKNOWN_HASH, 404), ("short", 422)])
def test_a_key_that_is_not_there_cannot_be_revoked(world: World, api_key_hash: str, status: int) -> None:
    assert world.ask("DELETE", f"/admin/api-keys/{api_key_hash}").status_code == status


# The audit log


def test_each_act_leaves_who_what_when_and_from_where(world: World) -> None:
    world.platform.onboard("customer_name")
    world.ask("PATCH", "/admin/tenants/customer_name", {"status": "SUSPENDED"})
    world.ask("PATCH", "/admin/tenants/nobody_here", {"status": "SUSPENDED"})
    body = world.ask("GET", "/admin/audit").json or {}
    told = {entry["tenant_id"]: entry for entry in body["entries"]}
    done = told["customer_name"]
    assert (done["action"], done["outcome"], done["source"]) == ("change_tenant", "DONE", "127.0.0.1")
    assert done["actor"].startswith("admin:")
    assert done["details"]["values"] == {"status": "SUSPENDED"}
    assert told["nobody_here"]["outcome"] == "REFUSED"
    assert ADMIN_KEY not in str(body)
    only = world.ask("GET", "/admin/audit?tenant_id=customer_name&limit=1").json or {}
    assert [entry["tenant_id"] for entry in only["entries"]] == ["customer_name"]
    assert only["next_before"] == done["occurred_at"]


def test_the_log_is_read_of_a_month_unless_a_time_is_given(world: World) -> None:
    world.ask("POST", "/admin/tenants", REQUEST)
    world.ask("GET", "/admin/audit")
    world.ask("GET", "/admin/audit?before=2026-01-31T00:00:00Z")
    world.ask("GET", "/admin/audit?before=0001-01-01T00:00:00Z")
    world.ask("GET", "/admin/audit?since=2020-01-01T00:00:00Z")
    spans = [(wanted.since, wanted.before) for wanted in world.audit.asked]
    now = world.platform.clock()
    assert spans[0] == (now - timedelta(days=29), now + timedelta(days=1))
    assert spans[1] == (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 31, tzinfo=UTC))
    assert spans[2][0] == datetime(1999, 12, 2, tzinfo=UTC)
    assert spans[3][0] == datetime(2020, 1, 1, tzinfo=UTC)


def test_reading_leaves_no_row_and_two_rows_tell_of_one_act(world: World) -> None:
    world.ask("GET", "/admin/audit")
    assert world.audit.rows == []
    world.ask("POST", "/admin/tenants", REQUEST)
    assert [(row.action, row.outcome) for row in world.audit.rows] == [
        ("create_tenant", "ASKED"),
        ("create_tenant", "DONE"),
    ]


def test_nothing_is_done_that_cannot_be_written_down(world: World) -> None:
    world.audit.fault = Unavailable("no log")
    assert world.ask("POST", "/admin/tenants", REQUEST).status_code == 503
    assert not world.platform.datasets.datasets


@pytest.mark.parametrize("fault", [NoSuchResource("platform_audit_log"), Unavailable("too early")])
def test_the_first_bootstrap_needs_no_log(world: World, fault: Exception) -> None:
    world.audit.fault = fault
    assert world.ask("POST", "/admin/bootstrap", {}).status_code == 200


def test_a_bootstrap_is_written_down_once_it_has_made_the_log(world: World) -> None:
    world.ask("POST", "/admin/bootstrap", {})
    assert [(row.action, row.outcome) for row in world.audit.rows] == [("bootstrap_platform", "DONE")]


# Scheduler


def test_the_dispatcher_is_paused_resumed_and_called(world: World) -> None:
    assert (world.ask("GET", "/admin/scheduler").json or {})["state"] == "ENABLED"
    for verb, state in [("pause", "PAUSED"), ("pause", "PAUSED"), ("resume", "ENABLED")]:
        assert (world.ask("POST", f"/admin/scheduler/{verb}").json or {})["state"] == state
    called = world.ask("POST", "/admin/scheduler/run")
    assert (called.status_code, (called.json or {})["last_attempt_failed"]) == (202, False)


def test_the_overview_adds_up_the_plans(world: World) -> None:
    world.timetable.add(a_scheduled_config("0 12 * * *"))
    body = world.ask("GET", "/admin/overview").json or {}
    assert (body["due"], body["running"], body["queued"], body["failed_today"]) == (1, 5, 3, 2)
    assert (body["plans"][0]["due"], body["plans"][1]["due"], body["refused_today"]) == (1, 0, 2)
    assert body["oldest_queued_at"] == "2026-03-15T12:00:00.000000Z"
    assert [plan["plan_name"] for plan in body["plans"]] == ["SCALE", "STARTER"]

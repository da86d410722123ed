"""Steps under a credential: a tenant's own project is read, under its own account, and nothing else."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from google.api_core import exceptions as google
from google.cloud import bigquery

from common.tenants.service_accounts import ServiceAccountKey
from common.wiring import ACCOUNTS, ADAPTERS
from local.platform import OPEN_BUCKET
from tests.fakes.credentials import a_key_file
from tests.functional.environment import PROJECT, THEIRS
from tests.functional.site import Site, Tenant, steps_of
from tests.functional.test_identity import no_firewall  # noqa: F401 - a fixture

ORDERS = f"SELECT n FROM {THEIRS}.sales.orders"
PATH = "/api/v1/tenants/credentials"


def a_file(sql: str, credential: str = "my-gcp", **config: Any) -> str:
    """Write a pipeline of one step under a credential, which writes `imported`."""
    step = {"source_query": sql, "target_table": "imported", "credential": credential} | config
    return json.dumps(
        {
            "pipeline": {"name": "Import"},
            "steps": [{"id": "import", "ps_type": "bq_etl.query", "config": step}],
        }
    )


def saved(tenant: Tenant, steps: dict[str, tuple[str, str]]) -> str:
    """Upload a pipeline of several such steps, by their SQL and credential, and return its ID."""
    of_all = []
    for step_id, (sql, credential) in steps.items():
        (step,) = json.loads(a_file(sql, credential, target_table=step_id))["steps"]
        of_all.append(step | {"id": step_id})
    answer = tenant.upload("several", json.dumps({"pipeline": {"name": "Several"}, "steps": of_all}))
    assert answer.status_code < 300, answer.text
    return "several"


def put(tenant: Tenant, file: dict[str, str], credential: str = "my-gcp") -> None:
    answer = tenant.own("PUT", f"{PATH}/{credential}", {"provider": "GCP", "credentials": file})
    assert answer.status_code in {200, 201}, answer.text


def outcome(tenant: Tenant, sql: str, credential: str = "my-gcp", **config: Any) -> tuple[str, str]:
    """Run one step; return the run's state and its error."""
    answer = tenant.upload("import", a_file(sql, credential, **config))
    assert answer.status_code < 300, answer.text
    run_id = tenant.run("import")
    tenant.site.drain()
    run = tenant.status(run_id)
    return run["status"], run["error_message"] or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A tenant with a project of its own, an account there, and its key."""

    tenant: Tenant
    file: dict[str, str]

    @property
    def account(self) -> str:
        return self.file["client_email"]

    def client(self) -> bigquery.Client:
        """Act with the key as the tenant itself can, without the platform."""
        return ACCOUNTS.account_client(ServiceAccountKey.read(self.file, platform_project=PROJECT))

    def make_table(self, table: str, *rows: int) -> None:
        """Make a table of the tenant's that has these rows."""
        values = ", ".join(map(str, rows))
        self.tenant.site.rows(
            f"CREATE TABLE {self.tenant.tenant_id}.{table} AS SELECT n FROM UNNEST([{values}]) AS n"
        )

    def rows_of(self, table: str) -> list[int]:
        rows = self.tenant.site.rows(f"SELECT n FROM {self.tenant.tenant_id}.{table} ORDER BY n")
        return [row["n"] for row in rows]


@pytest.fixture
def customer(tenant: Tenant, their_project: str) -> Customer:
    """Onboard a tenant that has put the key of its account, which may read `sales`."""
    return a_customer(tenant, their_project)


@pytest.fixture(scope="module")
def customer_of_module(tenant_of_module: Tenant, their_project: str) -> Customer:
    """Have the tenant of the module put such a key."""
    return a_customer(tenant_of_module, their_project)


@pytest.fixture
def shared_customer(shared_tenant: Tenant, customer_of_module: Customer) -> Customer:
    """Give a test the customer of its module: it takes tables of its own."""
    assert shared_tenant is customer_of_module.tenant
    return customer_of_module


def a_customer(tenant: Tenant, their_project: str) -> Customer:
    file = a_key_file(their_project, f"reader-{tenant.tenant_id.replace('_', '-')}")
    let_in(f"{their_project}.sales", file["client_email"], "READER")
    put(tenant, file)
    return Customer(tenant=tenant, file=file)


def let_in(dataset: str, account: str, role: str) -> None:
    platform = ADAPTERS.platform_client
    resource = platform.get_dataset(dataset)
    entry = bigquery.AccessEntry(role, "userByEmail", account)
    resource.access_entries = [*resource.access_entries, entry]
    platform.update_dataset(resource, ["access_entries"])


def entries(tenant: Tenant) -> dict[str, str]:
    """Return who has which role on the tenant's dataset."""
    dataset = ADAPTERS.platform_client.get_dataset(tenant.tenant_id)
    return {entry.entity_id: entry.role for entry in dataset.access_entries if entry.role}


# What it is for


OF_TWO_COLUMNS = f"SELECT n, 1 AS more FROM {THEIRS}.sales.orders"
BY_MONTH = f"SELECT n, DATE '2026-01-31' AS day, [STRUCT(n AS n)] AS items FROM {THEIRS}.sales.orders"
JOINED = f"SELECT n FROM {THEIRS}.sales.orders JOIN `{PROJECT}.{{own}}.own` USING (n) JOIN own USING (n)"
IMPORTS: dict[str, dict[str, Any]] = {
    "filled": {"source_query": ORDERS},
    "truncated": {"source_query": ORDERS, "write_disposition": "WRITE_TRUNCATE"},
    "appended": {"source_query": ORDERS, "write_disposition": "WRITE_APPEND"},
    "of_one_column": {"source_query": OF_TWO_COLUMNS},
    "monthly": {
        "source_query": BY_MONTH,
        "partitioning": {"field": "day", "type": "MONTH"},
        "clustering": ["n"],
    },
    "joined": {"source_query": JOINED},
    "closed": {"source_query": f"SELECT n FROM {THEIRS}.closed.orders"},
}
"""Steps under the credential, by the table that each writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imports:
    """A run of all of these, and what is told of each."""

    customer: Customer
    run_id: str
    steps: dict[str, dict[str, Any]]

    def end_of(self, table: str) -> tuple[str, str]:
        """Return the state of the step that writes a table, and its error."""
        return self.steps[table]["status"], self.steps[table]["error_message"] or ""


@pytest.fixture(scope="module")
def imports(site: Site, customer_of_module: Customer) -> Imports:
    """Run all of these once, and let some of their tables be there before."""
    customer, tenant = customer_of_module, customer_of_module.tenant
    for table, rows in {"truncated": [7], "appended": [7], "of_one_column": [7], "own": [2, 3]}.items():
        customer.make_table(table, *rows)
    steps = []
    for table, config in IMPORTS.items():
        query = config["source_query"].replace("{own}", tenant.tenant_id)
        own = config | {"source_query": query, "target_table": table, "credential": "my-gcp"}
        steps.append({"id": table, "ps_type": "bq_etl.query", "config": own})
    answer = tenant.upload("imports", json.dumps({"pipeline": {"name": "Imports"}, "steps": steps}))
    assert answer.status_code == 201, answer.text
    run_id = tenant.run("imports")
    site.drain()
    return Imports(customer=customer, run_id=run_id, steps=steps_of(tenant.status(run_id)))


def test_a_step_reads_the_tenants_project_by_a_job_there_and_fills_a_table_here(imports: Imports) -> None:
    customer, tenant = imports.customer, imports.customer.tenant
    assert customer.rows_of("filled") == [1, 2]
    receipt = tenant.call("GET", f"/api/v1/pipelines/runs/{imports.run_id}/receipt").get_json()
    (attempt,) = [one for one in receipt["attempts"] if one["step_id"] == "filled"]
    assert (attempt["job_project"], attempt["rows_processed"]) == (THEIRS, 2)
    job = customer.client().get_job(attempt["job_id"])
    assert (job.project, job.labels["run"], job.labels["tenant"]) == (
        THEIRS,
        imports.run_id,
        tenant.tenant_id,
    )
    with pytest.raises(google.NotFound):
        ADAPTERS.platform_client.get_job(attempt["job_id"])


def test_its_rows_are_written_as_the_step_says(imports: Imports) -> None:
    for table, rows in {"truncated": [1, 2], "appended": [1, 2, 7]}.items():
        assert imports.end_of(table) == ("COMPLETED", "")
        assert imports.customer.rows_of(table) == rows, table


def test_its_account_may_replace_rows_and_no_columns(imports: Imports) -> None:
    status, error = imports.end_of("of_one_column")
    assert (status, "Cannot add fields (field: more)" in error) == ("FAILED", True), error
    assert imports.customer.rows_of("of_one_column") == [7]


def test_the_target_is_made_as_the_step_says(imports: Imports) -> None:
    assert imports.end_of("monthly") == ("COMPLETED", "")
    table = ADAPTERS.platform_client.get_table(f"{imports.customer.tenant.tenant_id}.monthly")
    assert table.time_partitioning.type_ == "MONTH"
    assert table.clustering_fields == ["n"]


def test_a_step_can_join_its_project_with_the_tenants_own_tables(imports: Imports) -> None:
    assert imports.end_of("joined") == ("COMPLETED", "")
    assert imports.customer.rows_of("joined") == [2]


def test_the_account_decides_what_may_be_read_of_its_project(imports: Imports) -> None:
    status, error = imports.end_of("closed")
    assert (status, "Access Denied" in error) == ("FAILED", True), error


def test_its_rows_go_out_by_a_table_that_the_platform_makes_and_lets_expire(
    site: Site, shared_customer: Customer
) -> None:
    tenant = shared_customer.tenant
    config = {
        "source_query": ORDERS,
        "uris": f"gs://{OPEN_BUCKET}/{tenant.tenant_id}/orders-*.json",
        "format": "json",
        "credential": "my-gcp",
    }
    step = {"id": "out", "ps_type": "bq_etl.extract", "config": config}
    saved = tenant.upload("out", json.dumps({"pipeline": {"name": "Out"}, "steps": [step]}))
    assert saved.status_code == 201, saved.text
    run_id = tenant.run("out")
    site.drain()
    receipt = tenant.call("GET", f"/api/v1/pipelines/runs/{run_id}/receipt").get_json()
    told = [(one["job_name"], one["status"], one["job_project"]) for one in receipt["attempts"]]
    assert told == [("rows", "COMPLETED", THEIRS), ("main", "COMPLETED", THEIRS)]
    (file,) = tenant.files.glob("orders-*")
    assert sorted(json.loads(line)["n"] for line in file.read_text().splitlines()) == ["1", "2"]
    candidate = ADAPTERS.platform_client.get_table(f"{tenant.tenant_id}._cvg_{run_id}_out")
    assert candidate.expires


def test_a_level_delivered_again_finds_the_job_in_the_tenants_project(
    site: Site, shared_customer: Customer
) -> None:
    tenant = shared_customer.tenant
    tenant.upload("import", a_file(ORDERS, target_table="once", write_disposition="WRITE_APPEND"))
    tenant.run("import")
    (message,) = site.take_levels()
    for _ in range(2):
        assert site.deliver(message) == 200
    assert shared_customer.rows_of("once") == [1, 2]


def test_a_level_with_credentials_costs_one_query_more_for_each(
    site: Site, shared_customer: Customer
) -> None:
    tenant = shared_customer.tenant
    put(tenant, shared_customer.file, "second")
    credentials = ["my-gcp", "my-gcp", "second", "my-gcp"]
    steps = {f"t{number}": (ORDERS, credential) for number, credential in enumerate(credentials)}
    run_id = tenant.run(saved(tenant, steps))
    site.bigquery.counts.reset()
    site.drain()
    asked = [job_id for job_id in site.bigquery.counts.job_ids if not job_id.startswith("cvg-step-")]
    assert len(asked) == 2
    run = tenant.status(run_id)
    assert (run["status"], run["error_message"]) == ("COMPLETED", None)


def test_a_run_that_is_cancelled_has_its_job_stopped_by_the_levels_worker(
    site: Site, shared_customer: Customer
) -> None:
    tenant = shared_customer.tenant
    tenant.upload("import", a_file(ORDERS, target_table="cancelled"))
    run_id = tenant.run("import")
    (message,) = site.take_levels()
    assert tenant.call("POST", f"/api/v1/pipelines/cancel/{run_id}", {}).status_code == 202
    assert site.deliver(message) == 200
    site.drain()
    assert tenant.status(run_id)["status"] == "CANCELLED"
    tables = site.rows(f"SELECT table_name FROM {tenant.tenant_id}.INFORMATION_SCHEMA.TABLES")
    assert {"table_name": "tenant_comprehensive_view"} in tables
    assert {"table_name": "cancelled"} not in tables


# What decides


@pytest.mark.usefixtures("their_project")
def test_a_step_without_the_credential_cannot_read_that_project(shared_tenant: Tenant) -> None:
    file = json.loads(a_file(ORDERS))
    del file["steps"][0]["config"]["credential"]
    answer = shared_tenant.upload("import", json.dumps(file))
    assert answer.status_code == 422
    assert f"reads {THEIRS}.sales.orders" in answer.text


@pytest.fixture(scope="module")
def neighbour(site: Site, tenant_ids: Iterator[str]) -> Tenant:
    """Onboard another tenant, which has no credential."""
    return site.onboard(next(tenant_ids))


@pytest.mark.usefixtures("shared_customer")
def test_another_tenants_credential_of_the_same_id_is_not_used(neighbour: Tenant) -> None:
    status, error = outcome(neighbour, ORDERS)
    assert (status, error) == (
        "FAILED",
        "step import: the credential my-gcp does not exist, or was deleted",
    )
    file = a_key_file(THEIRS, "stranger")
    put(neighbour, file)
    status, error = outcome(neighbour, ORDERS)
    assert status == "FAILED"
    assert "Access Denied" in error


def test_a_credential_that_is_of_no_use_fails_the_step_at_once(site: Site, shared_customer: Customer) -> None:
    tenant = shared_customer.tenant
    body = {"provider": "AWS", "credentials": {"secret": "of another cloud"}}
    assert tenant.own("PUT", f"{PATH}/aws", body).status_code == 201
    put(tenant, shared_customer.file, "deleted")
    assert tenant.own("DELETE", f"{PATH}/deleted").status_code == 204
    run_id = tenant.run(saved(tenant, {"aws": (ORDERS, "aws"), "deleted": (ORDERS, "deleted")}))
    site.drain()
    run = tenant.status(run_id)
    assert (run["status"], run["error_message"]) == (
        "FAILED",
        "step aws: the credential aws is for AWS: steps run under credentials for GCP; "
        "step deleted: the credential deleted does not exist, or was deleted",
    )


# The second wall


@pytest.mark.usefixtures("no_firewall")
def test_without_the_firewall_the_account_reads_neither_the_platform_nor_another_tenant(
    site: Site, shared_customer: Customer, neighbour: Tenant
) -> None:
    site.rows(f"CREATE TABLE `{neighbour.tenant_id}.secrets` AS SELECT 1 AS n")
    tables = {
        "keys": "tenants.tenant_api_keys",
        "profiles": "tenants.current_tenant_profiles",
        "secrets": f"{neighbour.tenant_id}.secrets",
        "view": f"{neighbour.tenant_id}.tenant_comprehensive_view",
    }
    tenant = shared_customer.tenant
    steps = {name: (f"SELECT * FROM `{PROJECT}.{table}`", "my-gcp") for name, table in tables.items()}
    run_id = tenant.run(saved(tenant, steps))
    site.drain()
    (level,) = tenant.status(run_id)["levels"]
    assert {step["step_id"] for step in level["steps"]} == tables.keys()
    for step in level["steps"]:
        assert (step["status"], "Access Denied" in step["error_message"]) == ("FAILED", True), step


def test_the_key_itself_opens_the_tenants_tables_and_nothing_else(
    site: Site, shared_customer: Customer
) -> None:
    shared_customer.make_table("opened", 1, 2)
    own, holder = f"{PROJECT}.{shared_customer.tenant.tenant_id}", shared_customer.client()
    assert [row.n for row in holder.query_and_wait(f"SELECT n FROM `{own}.opened` ORDER BY n")] == [1, 2]
    holder.query_and_wait(f"INSERT INTO `{own}.opened` (n) VALUES (3)")
    assert shared_customer.rows_of("opened") == [1, 2, 3]
    view = f"{own}.tenant_comprehensive_view"
    for sql in (
        f"CREATE OR REPLACE VIEW `{view}` AS SELECT * FROM `{PROJECT}.tenants.tenant_profiles`",
        f"DROP VIEW `{view}`",
        f"ALTER VIEW `{view}` SET OPTIONS (description = 'mine')",
        f"CREATE VIEW `{own}.mine` AS SELECT 1 AS n",
        f"CREATE TABLE `{own}.mine` AS SELECT 1 AS n",
        f"DROP TABLE `{own}.opened`",
        f"SELECT * FROM `{PROJECT}.tenants.tenant_profiles`",
    ):
        with pytest.raises(google.Forbidden):
            holder.query(sql, job_retry=None).result()
    (profile,) = site.rows(f"SELECT DISTINCT tenant_id FROM {own}.tenant_comprehensive_view")
    assert profile["tenant_id"] == shared_customer.tenant.tenant_id


def test_the_key_can_change_no_definition_through_the_api_either(shared_customer: Customer) -> None:
    own, holder = f"{PROJECT}.{shared_customer.tenant.tenant_id}", shared_customer.client()
    view = bigquery.Table(f"{own}.tenant_comprehensive_view")
    view.view_query = f"SELECT * FROM `{PROJECT}.tenants.tenant_profiles`"
    dataset = ADAPTERS.platform_client.get_dataset(own)
    for attempt in (
        lambda: holder.update_table(view, ["view_query"]),
        lambda: holder.create_table(bigquery.Table(f"{own}.mine")),
        lambda: holder.delete_table(view.reference),
        lambda: holder.update_dataset(dataset, ["access_entries"]),
        lambda: holder.delete_dataset(own),
        lambda: holder.get_dataset(own),
    ):
        with pytest.raises(google.Forbidden):
            attempt()
    config = bigquery.QueryJobConfig(destination=view.reference, write_disposition="WRITE_TRUNCATE")
    with pytest.raises(google.GoogleAPICallError):
        holder.query("SELECT 1 AS n", job_config=config, job_retry=None).result()


def test_the_key_runs_no_job_in_the_platforms_project(shared_customer: Customer) -> None:
    with pytest.raises(google.Forbidden, match=r"bigquery\.jobs\.create"):
        shared_customer.client().query("SELECT 1", project=PROJECT, job_retry=None).result()


# Who is let in


def test_the_account_is_in_the_access_list_while_its_credential_and_its_tenant_live(
    site: Site, customer: Customer
) -> None:
    tenant, role = customer.tenant, f"projects/{PROJECT}/roles/convergenceFillTables"
    path = f"/admin/tenants/{tenant.tenant_id}"
    assert entries(tenant)[customer.account] == role
    assert site.admin("PATCH", path, {"status": "SUSPENDED"}).status_code == 200
    assert customer.account not in entries(tenant), "the tenant is suspended"
    assert site.admin("PATCH", path, {"status": "ACTIVE"}).status_code == 200
    assert entries(tenant)[customer.account] == role
    put(tenant, customer.file, "second")
    assert tenant.own("DELETE", f"{PATH}/my-gcp").status_code == 204
    assert entries(tenant)[customer.account] == role, "another credential is for the same account"
    successor = a_key_file(THEIRS, "successor")
    put(tenant, successor, "second")
    assert customer.account not in entries(tenant)
    assert entries(tenant)[successor["client_email"]] == role
    assert tenant.own("DELETE", f"{PATH}/second").status_code == 204
    assert role not in entries(tenant).values()
    put(tenant, successor)
    assert site.admin("DELETE", path).status_code == 200
    assert successor["client_email"] not in entries(tenant), "the tenant is offboarded"

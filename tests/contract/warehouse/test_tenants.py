"""The ports of tenants: in memory and in BigQuery they do the same; then onboarding itself, on BigQuery."""

import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from typing import Any, cast

import pytest

from common.claims import ClaimJobs
from common.costs.budgets import NO_BUDGET, Budget, Owner
from common.errors import AlreadyExists, Conflict, QueryRefused, Unavailable
from common.runs.quotas import Use
from common.setup.views import TENANT_VIEW
from common.tenants.administration import Administration, TenantDirectory
from common.tenants.authentication import Authenticator, KeyStore
from common.tenants.budgets import TenantBudgets
from common.tenants.keys import ALL_SCOPES, KeyRecord, Scope, mint_key
from common.tenants.onboarding import Onboarded, Onboarding
from common.tenants.onboarding_checks import OnboardingRequest
from common.tenants.ports import CommitState, NewTenant, TenantDatasets, TenantStore
from common.tenants.tenant import Profile, Subscription, SubscriptionStatus, TenantStatus
from common.times import to_rfc3339, utc_now
from common.warehouse.admissions import AdmissionRows
from common.warehouse.bigquery import Central, Queries
from common.warehouse.jobs import ClaimedJobs
from common.warehouse.setup import CentralTables
from common.warehouse.streaming import Streaming
from common.warehouse.tenant_admissions import TenantAdmissionRows
from common.warehouse.tenant_datasets import DatasetsOfTenants
from common.warehouse.tenants import TenantRecordRows, TenantRows
from tests.fakes.jobs import MemoryJobs
from tests.fakes.tenants import MemoryDatasets, MemoryTenants

_numbers = count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """One implementation of all ports."""

    datasets: TenantDatasets
    store: TenantStore
    keys: KeyStore
    directory: TenantDirectory
    claims: ClaimJobs


def memory_backend() -> Backend:
    """Make the ports in memory."""
    jobs = MemoryJobs(utc_now)
    tenants = MemoryTenants(jobs)
    return Backend(
        datasets=MemoryDatasets(utc_now), store=tenants, keys=tenants, directory=tenants, claims=jobs
    )


def bigquery_backend(central: Central) -> Backend:
    """Make the ports in BigQuery."""
    rows = TenantRows(queries=Queries(central=central))
    return Backend(
        datasets=DatasetsOfTenants(central=central),
        store=rows,
        keys=rows,
        directory=rows,
        claims=ClaimedJobs(client=central.client, location=central.location),
    )


@pytest.fixture(params=["memory", "bigquery"])
def backend(request: pytest.FixtureRequest) -> Backend:
    if request.param == "memory":
        return memory_backend()
    return bigquery_backend(request.getfixturevalue("bootstrapped"))


@pytest.fixture
def tenant_id(bootstrapped: Central) -> Iterator[str]:
    """Name a tenant of the test's own, and take its dataset away afterwards."""
    name = f"tenant_{next(_numbers)}"
    yield name
    bootstrapped.client.delete_dataset(name, delete_contents=True, not_found_ok=True)


def new_tenant(tenant_id: str) -> NewTenant:
    """Make all rows of a tenant."""
    now = utc_now()
    key = mint_key(tenant_id)
    return NewTenant(
        profile=Profile(
            tenant_id=tenant_id,
            company_name="O'Reilly & Söhne",
            admin_email="a@acme.com",
            tenant_dataset_id=tenant_id,
            status=TenantStatus.ACTIVE,
            created_at=now,
        ),
        key=KeyRecord(
            api_key_id=f"key of {tenant_id}",
            api_key_hash=key.api_key_hash,
            tenant_id=tenant_id,
            key_prefix=key.prefix,
            scopes=ALL_SCOPES,
            is_active=True,
            created_at=now,
            created_by="onboarding",
        ),
        subscription=Subscription(
            subscription_id=f"subscription of {tenant_id}",
            tenant_id=tenant_id,
            plan_name="SCALE",
            status=SubscriptionStatus.ACTIVE,
            daily_limit=100,
            monthly_limit=3000,
            concurrent_limit=10,
            max_team_members=11,
            created_at=now,
        ),
    )


def commit(backend: Backend, tenant: NewTenant, job_id: str = "") -> str:
    """Commit a tenant under a job ID of its own."""
    job_id = job_id or f"cvg-onboard-{uuid.uuid4()}"
    backend.store.commit(tenant, job_id=job_id, labels={"tenant": tenant.profile.tenant_id})
    return job_id


def test_a_committed_tenant_reads_back_as_it_was_given(backend: Backend, tenant_id: str) -> None:
    tenant = new_tenant(tenant_id)
    job_id = commit(backend, tenant)
    assert backend.store.commit_state(job_id) is CommitState.DONE
    found = backend.store.find_profile(tenant_id)
    assert found is not None
    assert replace(found, recorded_at=None) == tenant.profile
    assert backend.directory.find_subscription(tenant_id) == tenant.subscription
    assert backend.directory.keys_of(tenant_id) == [tenant.key]
    known = backend.keys.find_key(tenant.key.api_key_hash)
    assert known
    assert (known.record, known.tenant_status) == (tenant.key, TenantStatus.ACTIVE)


def test_an_unknown_tenant_has_nothing(backend: Backend, tenant_id: str) -> None:
    assert backend.store.find_profile(tenant_id) is None
    assert backend.directory.find_subscription(tenant_id) is None
    assert backend.directory.keys_of(tenant_id) == []
    assert backend.directory.count_use(tenant_id, utc_now()) == Use(today=0, month=0, running=0)
    assert backend.keys.find_key("0" * 64) is None
    assert backend.directory.find_key_record("0" * 64) is None


def test_a_job_id_commits_once(backend: Backend, tenant_id: str) -> None:
    job_id = commit(backend, new_tenant(tenant_id))
    with pytest.raises(AlreadyExists):
        commit(backend, new_tenant(f"{tenant_id}_other"), job_id)
    assert backend.store.find_profile(f"{tenant_id}_other") is None


def test_a_job_id_that_is_claimed_commits_nothing(backend: Backend, tenant_id: str) -> None:
    backend.claims.insert_claim(f"cvg-onboard-{tenant_id}", {"act": "fence"})
    with pytest.raises(AlreadyExists):
        commit(backend, new_tenant(tenant_id), f"cvg-onboard-{tenant_id}")
    assert backend.store.find_profile(tenant_id) is None


def test_a_commit_can_be_told_from_a_claim_by_its_labels(backend: Backend, tenant_id: str) -> None:
    job_id = commit(backend, new_tenant(tenant_id))
    holder = backend.claims.find_claim(job_id)
    assert holder
    assert holder.is_held_by({"tenant": tenant_id})


def test_a_keys_latest_row_is_its_state_and_tenants_do_not_see_each_others_keys(
    backend: Backend, tenant_id: str
) -> None:
    tenant, other = new_tenant(tenant_id), new_tenant(f"{tenant_id}_other")
    commit(backend, tenant)
    commit(backend, other)
    now = utc_now()
    extra_key = mint_key(tenant_id)
    extra = replace(
        tenant.key,
        api_key_id="extra",
        api_key_hash=extra_key.api_key_hash,
        key_prefix=extra_key.prefix,
        created_at=now,
        scopes=frozenset({Scope.READ}),
        description="for the dashboard",
        expires_at=now + timedelta(days=1),
    )
    backend.directory.append_key(extra, recorded_at=now)
    assert backend.directory.keys_of(tenant_id) == [tenant.key, extra]
    revoked = replace(extra, is_active=False, revoked_at=now)
    for second in (1, 2):
        backend.directory.append_key(revoked, recorded_at=now + timedelta(seconds=second))
    assert backend.directory.keys_of(tenant_id) == [tenant.key, revoked]
    assert backend.directory.find_key_record(extra.api_key_hash) == revoked
    assert backend.directory.keys_of(f"{tenant_id}_other") == [other.key]


def test_a_key_row_that_is_appended_twice_at_one_moment_is_appended_once(
    backend: Backend, tenant_id: str
) -> None:
    tenant = new_tenant(tenant_id)
    commit(backend, tenant)
    now = utc_now()
    for _ in range(2):
        backend.directory.append_key(replace(tenant.key, is_active=False), recorded_at=now)
    assert [key.is_active for key in backend.directory.keys_of(tenant_id)] == [False]


def test_the_second_who_creates_a_dataset_is_told_so(backend: Backend, tenant_id: str) -> None:
    backend.datasets.create(tenant_id, "first")
    with pytest.raises(AlreadyExists):
        backend.datasets.create(tenant_id, "second")
    found = backend.datasets.find(tenant_id)
    assert found
    assert found.owner == "first"
    assert abs(utc_now() - found.created_at) < timedelta(minutes=1)
    assert backend.datasets.names_of(tenant_id) == [tenant_id]
    assert backend.datasets.names_of("somebody_else") == []
    assert tenant_id in backend.datasets.names()


def test_a_datasets_view_is_put_authorized_and_taken_away_again(backend: Backend, tenant_id: str) -> None:
    backend.datasets.create(tenant_id, "owner")
    assert backend.datasets.contents(tenant_id) == frozenset()
    for _ in range(2):
        backend.datasets.put_view(tenant_id)
        backend.datasets.authorize_view(tenant_id)
    assert backend.datasets.contents(tenant_id) == {TENANT_VIEW}
    for _ in range(2):
        backend.datasets.revoke_view(tenant_id)
        backend.datasets.remove(tenant_id)
    assert backend.datasets.find(tenant_id) is None


# On BigQuery alone


def test_a_dataset_that_holds_a_table_is_not_removed(bootstrapped: Central, tenant_id: str) -> None:
    datasets = DatasetsOfTenants(central=bootstrapped)
    datasets.create(tenant_id, "owner")
    bootstrapped.client.query_and_wait(f"CREATE TABLE {tenant_id}.precious (a INT64)")
    with pytest.raises(QueryRefused):
        datasets.remove(tenant_id)
    assert datasets.contents(tenant_id) == {"precious"}


def test_a_dataset_without_our_labels_is_nobodys(bootstrapped: Central, tenant_id: str) -> None:
    bootstrapped.client.create_dataset(tenant_id)
    found = DatasetsOfTenants(central=bootstrapped).find(tenant_id)
    assert found
    assert found.owner == ""


def test_a_transaction_that_fails_leaves_no_row(bootstrapped: Central, tenant_id: str) -> None:
    tenant = new_tenant(tenant_id)
    nameless = replace(tenant, subscription=replace(tenant.subscription, plan_name=cast("str", None)))
    store = TenantRows(queries=Queries(central=bootstrapped))
    with pytest.raises(QueryRefused):
        store.commit(nameless, job_id=f"cvg-onboard-{tenant_id}", labels={})
    assert store.commit_state(f"cvg-onboard-{tenant_id}") is CommitState.FAILED
    assert store.find_profile(tenant_id) is None
    assert store.keys_of(tenant_id) == []


def test_use_counts_a_run_once_and_ended_runs_as_not_running(bootstrapped: Central, tenant_id: str) -> None:
    now = utc_now()
    for number, status in enumerate(["PENDING", "PENDING", "COMPLETED", "FAILED"]):
        run = {
            "pipeline_logging_id": f"{tenant_id}-{max(number - 1, 0)}",
            "tenant_id": tenant_id,
            "pipeline_id": "daily",
            "status": status,
            "start_time": to_rfc3339(now),
            "recorded_at": to_rfc3339(now),
        }
        bootstrapped.client.insert_rows_json(bootstrapped.table("tenant_pipeline_runs"), [run])
    rows = TenantRows(queries=Queries(central=bootstrapped))
    assert rows.count_use(tenant_id, now) == Use(today=3, month=3, running=1)
    assert rows.count_use(f"{tenant_id}_other", now) == Use(today=0, month=0, running=0)


def onboarding(central: Central, **ports: Any) -> Onboarding:
    """Put onboarding together, as the wiring does."""
    backend = bigquery_backend(central)
    parts: dict[str, Any] = {"datasets": backend.datasets, "store": backend.store, "claims": backend.claims}
    return Onboarding(
        **parts | ports,
        catalog=CentralTables(central=central),
        clock=utc_now,
        new_id=lambda: str(uuid.uuid4()),
        central_dataset=central.dataset,
    )


def request(tenant_id: str) -> OnboardingRequest:
    return OnboardingRequest(tenant_id=tenant_id, company_name="Acme Inc", admin_email="a@acme.com")


def authorized(central: Central) -> set[str]:
    """Name the datasets whose views may read the central dataset."""
    entries = central.client.get_dataset(central.dataset).access_entries
    return {entry.entity_id["datasetId"] for entry in entries if entry.entity_type == "view"}


def test_an_onboarded_tenant_can_call_and_look_at_its_view(bootstrapped: Central, tenant_id: str) -> None:
    onboarded = onboarding(bootstrapped).onboard(request(tenant_id))
    store = TenantRows(queries=Queries(central=bootstrapped))
    caller = Authenticator(store=store, clock=utc_now).authenticate(onboarded.key.text)
    assert caller.tenant_id == tenant_id
    view = f"{bootstrapped.project}.{tenant_id}.{TENANT_VIEW}"
    (row,) = bootstrapped.client.query_and_wait(f"SELECT * FROM `{view}`")
    assert (row["company_name"], row["plan_name"], row["pipelines_run_today"]) == ("Acme Inc", "STARTER", 0)
    assert tenant_id in authorized(bootstrapped)


def test_of_two_who_onboard_one_tenant_at_once_one_succeeds(bootstrapped: Central, tenant_id: str) -> None:
    outcomes: list[Onboarded | Exception] = []
    start = threading.Barrier(2)

    def onboard() -> None:
        start.wait()
        try:
            outcomes.append(onboarding(bootstrapped).onboard(request(tenant_id)))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is an outcome
            outcomes.append(error)

    threads = [threading.Thread(target=onboard) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "Onboarded"], outcomes
    rows = TenantRows(queries=Queries(central=bootstrapped))
    assert len(rows.keys_of(tenant_id)) == 1


class Failing:
    """A port whose call of one name does its work, perhaps, and then fails."""

    def __init__(self, port: Any, name: str, *, after: bool) -> None:
        self._port, self._name, self._after = port, name, after

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._port, name)
        return self._failing(call) if name == self._name else call

    def _failing(self, call: Any) -> Any:
        def fail(*arguments: Any, **named: Any) -> None:
            if self._after:
                call(*arguments, **named)
            raise Unavailable("no answer")

        return fail


def test_an_onboarding_that_fails_leaves_nothing_and_a_repeat_succeeds(
    bootstrapped: Central, tenant_id: str
) -> None:
    datasets = DatasetsOfTenants(central=bootstrapped)
    failing = cast("TenantDatasets", Failing(datasets, "authorize_view", after=True))
    with pytest.raises(Unavailable):
        onboarding(bootstrapped, datasets=failing).onboard(request(tenant_id))
    assert datasets.find(tenant_id) is None
    assert tenant_id not in authorized(bootstrapped)
    onboarding(bootstrapped).onboard(request(tenant_id))
    assert tenant_id in authorized(bootstrapped)


def test_a_lost_answer_to_the_commit_is_looked_up(bootstrapped: Central, tenant_id: str) -> None:
    store = TenantRows(queries=Queries(central=bootstrapped))
    losing = cast("TenantStore", Failing(store, "commit", after=True))
    onboarded = onboarding(bootstrapped, store=losing).onboard(request(tenant_id))
    assert store.find_key(onboarded.key.api_key_hash)


def test_a_commit_that_never_was_is_undone(bootstrapped: Central, tenant_id: str) -> None:
    store = TenantRows(queries=Queries(central=bootstrapped))
    failing = cast("TenantStore", Failing(store, "commit", after=False))
    with pytest.raises(Unavailable):
        onboarding(bootstrapped, store=failing).onboard(request(tenant_id))
    assert DatasetsOfTenants(central=bootstrapped).find(tenant_id) is None
    assert onboarding(bootstrapped).onboard(request(tenant_id)).dataset_created


def test_a_dead_onboarding_is_taken_over_after_ten_minutes(bootstrapped: Central, tenant_id: str) -> None:
    DatasetsOfTenants(central=bootstrapped).create(tenant_id, "dead")
    with pytest.raises(Conflict, match="under way"):
        onboarding(bootstrapped).onboard(request(tenant_id))
    later = replace(onboarding(bootstrapped), clock=lambda: utc_now() + timedelta(minutes=11))
    assert not later.onboard(request(tenant_id)).dataset_created
    assert tenant_id in authorized(bootstrapped)


def test_the_operator_sees_a_tenant_whole(bootstrapped: Central, tenant_id: str) -> None:
    onboarded = onboarding(bootstrapped).onboard(request(tenant_id))
    rows = TenantRows(queries=Queries(central=bootstrapped))
    administration = Administration(
        directory=rows,
        datasets=DatasetsOfTenants(central=bootstrapped),
        clock=utc_now,
        new_id=lambda: str(uuid.uuid4()),
    )
    issued = administration.issue_key(
        tenant_id, by="admin", scopes=[Scope.READ], expires_at=administration.end_in(1)
    )
    revoked = administration.revoke_key(onboarded.key.api_key_hash)
    assert administration.revoke_key(onboarded.key.api_key_hash) == revoked
    overview = administration.overview(tenant_id)
    assert overview.datasets == (tenant_id,)
    assert [key.is_active for key in overview.keys] == [False, True]
    assert overview.keys[1] == issued.record
    assert overview.subscription
    assert overview.subscription.plan_name == "STARTER"


def test_budgets_of_a_tenant_are_rows_of_its_profile_that_admissions_read(
    bootstrapped: Central, tenant_id: str
) -> None:
    records = TenantRecordRows(queries=Queries(central=bootstrapped))
    runs = AdmissionRows(queries=records.queries)
    tenant = new_tenant(tenant_id)
    records.commit(tenant, job_id=f"cvg-onboard-{tenant_id}", labels={})
    assert runs.read_admission(tenant_id, "", "", utc_now()).ledger.budgets == {}
    budgets = TenantBudgets(records=records, clock=utc_now)
    own = Budget(max_bytes_per_run=10**9, max_cost_per_month=12.5)
    operators = Budget(max_bytes_per_month=10**12)
    budgets.set_own(tenant_id, own)
    budgets.set_operators(tenant_id, operators)
    profile = records.find_profile(tenant_id)
    assert profile is not None
    assert (profile.budget, profile.operator_budget) == (own, operators)
    ledger = runs.read_admission(tenant_id, "", "", utc_now()).ledger
    assert ledger.budgets == {Owner.TENANT: own, Owner.OPERATOR: operators}
    many = TenantAdmissionRows(queries=records.queries, streaming=Streaming(central=bootstrapped))
    assert many.read_tenant_admissions({tenant_id}, set(), utc_now())[tenant_id].ledger == ledger
    budgets.set_own(tenant_id, NO_BUDGET)
    assert runs.read_admission(tenant_id, "", "", utc_now()).ledger.budgets == {Owner.OPERATOR: operators}

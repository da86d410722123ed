"""Under whose name a step runs."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from common.errors import NotConfigured, QueryRefused
from common.tenants.service_accounts import ServiceAccountKey
from common.warehouse.identities import AccountJobs, StepIdentities
from common.warehouse.jobs import ExecutorJobs
from tests.fakes.credentials import PLATFORM, a_key_file
from tests.unit.runs.examples import a_pipeline, a_step

PLAIN, WITH_KEY = a_step("plain"), a_step("with-key", credential="gcp")
KEY = ServiceAccountKey.read(a_key_file(), platform_project=PLATFORM)


def a_client(project: str) -> bigquery.Client:
    return bigquery.Client(project=project, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]


@pytest.fixture
def asked() -> list[tuple[str, str]]:
    """Remember which credentials were opened, for whom."""
    return []


@pytest.fixture
def identities(asked: list[tuple[str, str]]) -> StepIdentities:
    def key_of(tenant_id: str, credential_id: str) -> ServiceAccountKey:
        asked.append((tenant_id, credential_id))
        if credential_id == "missing":
            raise QueryRefused("the credential missing does not exist", "credential")
        return KEY

    return StepIdentities(
        shared=ExecutorJobs(client=a_client(PLATFORM), location="US", project=PLATFORM),
        client_with=lambda key: a_client(key.project_id),
        key_of=key_of,
    )


def test_a_step_runs_under_its_credential_and_every_other_under_the_executor(
    identities: StepIdentities,
) -> None:
    jobs_of = identities.acting_for(a_pipeline())
    assert jobs_of(PLAIN) is identities.shared
    account = jobs_of(WITH_KEY)
    assert isinstance(account, AccountJobs)
    assert (account.client.project, account.project, account.maker) == (
        "customer-project",
        PLATFORM,
        identities.shared.client,
    )


def test_no_credential_is_opened_before_its_step_is_asked_for(
    identities: StepIdentities, asked: list[tuple[str, str]]
) -> None:
    jobs_of = identities.acting_for(a_pipeline())
    jobs_of(PLAIN)
    assert asked == []


def test_a_credential_is_opened_once_however_many_steps_ask_at_once(
    identities: StepIdentities, asked: list[tuple[str, str]]
) -> None:
    jobs_of = identities.acting_for(a_pipeline())
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(jobs_of, [WITH_KEY] * 32))
    assert asked == [("acme", "gcp")]
    assert all(jobs is found[0] for jobs in found)


def test_a_credential_of_no_use_is_asked_for_once_too(
    identities: StepIdentities, asked: list[tuple[str, str]]
) -> None:
    jobs_of = identities.acting_for(a_pipeline())
    for _ in range(3):
        with pytest.raises(QueryRefused, match="missing does not exist"):
            jobs_of(a_step("a", credential="missing"))
    assert len(asked) == 1


def test_each_delivery_asks_anew(identities: StepIdentities, asked: list[tuple[str, str]]) -> None:
    for _ in range(2):
        identities.acting_for(a_pipeline())(WITH_KEY)
    assert len(asked) == 2


def test_a_function_that_carries_out_no_step_opens_no_credential(identities: StepIdentities) -> None:
    closed = StepIdentities(shared=identities.shared, client_with=identities.client_with)
    with pytest.raises(QueryRefused, match="opened to run steps alone"):
        closed.acting_for(a_pipeline())(WITH_KEY)


def test_an_isolated_tenants_tables_are_made_by_its_own_account(identities: StepIdentities) -> None:
    own = a_client(PLATFORM)
    isolated = a_pipeline(is_isolated=True)
    account = replace(identities, client_of=lambda _tenant: own).acting_for(isolated)(WITH_KEY)
    assert isinstance(account, AccountJobs)
    assert account.maker is own
    with pytest.raises(NotConfigured):
        identities.acting_for(isolated)


def test_where_no_isolated_tenants_account_is_acted_for_its_steps_are_refused(
    identities: StepIdentities,
) -> None:
    public = replace(identities, acts_for_isolated=False)
    jobs_of = public.acting_for(a_pipeline(is_isolated=True))
    for step in (PLAIN, WITH_KEY):
        with pytest.raises(QueryRefused, match="to run its steps alone"):
            jobs_of(step)
    assert public.acting_for(a_pipeline())(PLAIN) is identities.shared

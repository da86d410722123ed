"""Who may fill a tenant's tables: the accounts of its credentials, whatever a change that died has left."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from common.errors import InvalidInput, QueryRefused
from common.tenants.credential_access import CredentialOpener
from common.tenants.credentials import Provider
from common.tenants.encryption import Keyring
from common.tenants.tenant import TenantStatus
from tests.fakes.credentials import PLATFORM, MemoryCredentials, a_key_file, credentials_on
from tests.fakes.onboarding import OnboardingPlatform
from tests.fakes.seals import a_ring

ONE, OTHER = a_key_file(name="account-one"), a_key_file(name="account-other")
KEYRING = a_ring("k1")


class ProcessKilled(BaseException):
    """The function's process dies: nothing in the code may catch it."""


class World:
    """Two tenants, acme and globex, with nothing in them."""

    def __init__(self) -> None:
        self.platform = OnboardingPlatform()
        self.rows = MemoryCredentials()
        self.kept = credentials_on(
            self.rows, KEYRING, self.platform.clock, self.platform.datasets, self.platform.tenants
        )
        for tenant_id in ("acme", "globex"):
            self.platform.onboard(tenant_id)

    def put(self, file: dict[str, str], credential_id: str = "gcp", tenant_id: str = "acme") -> None:
        self.kept.put(tenant_id, credential_id, Provider.GCP, file, "key")

    def inside(self, tenant_id: str = "acme") -> set[str]:
        return self.platform.datasets.fillers.get(tenant_id, set())

    def dies_at(self, point: str) -> None:
        def die(reached: str) -> None:
            if reached == point:
                raise ProcessKilled

        self.platform.trouble = die

    def lives(self) -> None:
        self.platform.trouble = lambda _point: None

    def status(self, status: TenantStatus) -> None:
        profile = self.platform.tenants.profiles["acme"]
        self.platform.tenants.profiles["acme"] = replace(profile, status=status)


def emails(*files: dict[str, str]) -> set[str]:
    return {file["client_email"] for file in files}


def test_an_account_is_let_in_with_its_credential_and_taken_out_with_it() -> None:
    world = World()
    world.put(ONE)
    assert world.inside() == emails(ONE)
    world.kept.delete("acme", "gcp", "key")
    assert world.inside() == set()


def test_an_account_stays_as_long_as_any_credential_of_the_tenant_is_of_it() -> None:
    world = World()
    world.put(ONE)
    world.put(ONE, "second")
    world.kept.delete("acme", "gcp", "key")
    assert world.inside() == emails(ONE)
    world.put(OTHER, "second")
    assert world.inside() == emails(OTHER)


def test_a_credential_of_another_cloud_lets_nobody_in_and_takes_the_account_of_before_out() -> None:
    world = World()
    world.put(ONE)
    world.kept.put("acme", "gcp", Provider.AWS, {"secret": "x"}, "key")
    assert world.inside() == set()


def test_an_account_of_one_tenant_is_let_into_no_other() -> None:
    world = World()
    world.put(ONE)
    world.put(OTHER, tenant_id="globex")
    assert (world.inside(), world.inside("globex")) == (emails(ONE), emails(OTHER))
    world.kept.delete("globex", "gcp", "key")
    assert (world.inside(), world.inside("globex")) == (emails(ONE), set())


Change = Callable[[World], None]
CHANGES: dict[str, tuple[Change, set[str]]] = {
    "replace": (lambda world: world.put(OTHER), emails(OTHER)),
    "delete": (lambda world: world.kept.delete("acme", "gcp", "key"), set()),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("point", ["before accounts", "after accounts"])
def test_a_change_that_dies_leaves_nobody_inside_without_a_row_and_its_repeat_mends_it(
    change: str, point: str
) -> None:
    world, (make, expected) = World(), CHANGES[change]
    world.put(ONE)
    world.dies_at(point)
    with pytest.raises(ProcessKilled):
        make(world)
    world.lives()
    rows = {row.account for row in world.rows.list("acme") if row.is_active}
    assert world.inside() <= rows
    make(world)
    assert world.inside() == expected


def test_an_account_is_taken_out_before_its_row_goes() -> None:
    world = World()
    world.put(ONE)
    seen: list[set[str]] = []

    class Watched(MemoryCredentials):
        def replace(self, old, new):  # type: ignore[no-untyped-def]
            seen.append(world.inside())
            return super().replace(old, new)

    watched = Watched()
    watched.rows = world.rows.rows
    kept = replace(world.kept, store=watched)
    kept.delete("acme", "gcp", "key")
    assert seen == [set()]


def test_a_tenant_that_is_not_active_has_no_account_inside() -> None:
    world = World()
    world.put(ONE)
    world.status(TenantStatus.SUSPENDED)
    world.put(OTHER, "second")
    assert world.inside() == set()
    world.status(TenantStatus.ACTIVE)
    world.kept.access.sync("acme")
    assert world.inside() == emails(ONE, OTHER)


def test_an_account_that_bigquery_does_not_know_is_told() -> None:
    world = World()
    world.platform.datasets.unknown_accounts = emails(ONE)
    with pytest.raises(InvalidInput, match="make sure that it exists"):
        world.put(ONE)
    world.kept.delete("acme", "gcp", "key")
    assert world.inside() == set()


def test_an_id_keeps_its_project_for_good_even_when_it_was_deleted_or_of_another_cloud() -> None:
    world = World()
    world.put(ONE)
    world.put(a_key_file(name="another-account"))
    world.kept.delete("acme", "gcp", "key")
    world.kept.put("acme", "gcp", Provider.AWS, {"secret": "x"}, "key")
    with pytest.raises(InvalidInput, match="must be customer-project"):
        world.put(a_key_file("customer-project-2"))
    assert world.rows.find("acme", "gcp").provider is Provider.AWS  # type: ignore[union-attr]
    world.put(a_key_file("customer-project-2"), tenant_id="globex")


# For a step


def opener(world: World, keyring: Keyring = KEYRING) -> CredentialOpener:
    return CredentialOpener(store=world.rows, keyring=keyring, project=PLATFORM)


def test_a_step_gets_the_key_of_its_own_tenants_credential() -> None:
    world = World()
    world.put(ONE)
    world.put(OTHER, tenant_id="globex")
    assert opener(world).key_for_step("acme", "gcp").client_email == ONE["client_email"]
    assert opener(world).key_for_step("globex", "gcp").client_email == OTHER["client_email"]


def refusal(world: World, credential_id: str = "gcp", keyring: Keyring = KEYRING) -> str:
    with pytest.raises(QueryRefused) as refused:
        opener(world, keyring).key_for_step("acme", credential_id)
    assert refused.value.reason == "credential"
    assert refused.value.__cause__ is None
    return str(refused.value)


def test_a_credential_of_no_use_is_refused_by_its_id_alone() -> None:
    world = World()
    assert refusal(world) == "the credential gcp does not exist, or was deleted"
    world.put(ONE, tenant_id="globex")
    assert refusal(world) == "the credential gcp does not exist, or was deleted"
    world.kept.put("acme", "aws", Provider.AWS, {"secret": "x"}, "key")
    assert refusal(world, "aws") == ("the credential aws is for AWS: steps run under credentials for GCP")
    world.put(ONE)
    assert refusal(world, keyring=a_ring("k2")) == "the credential gcp cannot be opened: put it again"
    row = world.rows.rows["acme", "gcp"]
    sealed = KEYRING.seal(b'{"client_email": "x"}', "acme", "gcp")
    world.rows.rows["acme", "gcp"] = replace(row, encrypted_credentials=sealed.data)
    assert refusal(world) == "the credential gcp is no key of a service account: put it again"
    world.kept.delete("acme", "gcp", "key")
    assert refusal(world) == "the credential gcp does not exist, or was deleted"


def test_what_was_sealed_for_another_tenant_opens_for_no_step() -> None:
    world = World()
    world.put(OTHER, tenant_id="globex")
    stolen = world.rows.rows["globex", "gcp"]
    world.rows.rows["acme", "gcp"] = replace(stolen, tenant_id="acme")
    assert refusal(world) == "the credential gcp cannot be opened: put it again"

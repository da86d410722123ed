from dataclasses import replace
from datetime import timedelta

import pytest

from common.errors import NotFound
from common.tenants.administration import Administration
from common.tenants.keys import Scope
from common.tenants.tenant import TenantStatus
from tests.fakes.onboarding import OnboardingPlatform


@pytest.fixture
def administration(platform: OnboardingPlatform) -> Administration:
    return Administration(
        directory=platform.tenants,
        datasets=platform.datasets,
        clock=platform.clock,
        new_id=lambda: "new-id",
    )


def test_an_issued_key_is_kept_by_its_hash_alone(
    platform: OnboardingPlatform, administration: Administration
) -> None:
    platform.onboard("acme")
    issued = administration.issue_key(
        "acme", by="admin", scopes=[Scope.READ], expires_at=administration.end_in(30)
    )
    assert issued.record.api_key_hash == issued.key.api_key_hash
    assert issued.record.expires_at == platform.clock() + timedelta(days=30)
    assert issued.key.text not in repr(platform.tenants.key_rows) + repr(issued)


def test_a_tenants_overview_shows_its_own_keys_and_datasets_alone(
    platform: OnboardingPlatform, administration: Administration
) -> None:
    platform.onboard("acme")
    platform.onboard("umbra")
    overview = administration.overview("acme")
    assert {key.tenant_id for key in overview.keys} == {"acme"}
    assert overview.datasets == ("acme",)


def test_revoking_a_key_leaves_the_others(
    platform: OnboardingPlatform, administration: Administration
) -> None:
    first = platform.onboard("acme").key
    second = administration.issue_key("acme", by="admin").key
    administration.revoke_key(first.api_key_hash)
    states = {key.api_key_hash: key.is_active for key in administration.overview("acme").keys}
    assert states == {first.api_key_hash: False, second.api_key_hash: True}


@pytest.mark.parametrize("api_key_hash", ["", "short", "0" * 64])
def test_there_is_nothing_to_revoke_where_there_is_no_key(
    administration: Administration, api_key_hash: str
) -> None:
    with pytest.raises(NotFound):
        administration.revoke_key(api_key_hash)


def test_a_tenant_that_has_been_ended_can_be_looked_at_and_gets_no_key(
    platform: OnboardingPlatform, administration: Administration
) -> None:
    platform.onboard("acme")
    ended_at = platform.clock()
    profile = replace(platform.tenants.profiles["acme"], status=TenantStatus.DELETED, recorded_at=ended_at)
    platform.tenants.profiles["acme"] = profile
    overview = administration.overview("acme")
    assert overview.profile.status is TenantStatus.DELETED
    assert overview.data_deleted_after == ended_at + timedelta(days=30)
    assert overview.subscription is not None
    assert [key.tenant_id for key in overview.keys] == ["acme"]
    with pytest.raises(NotFound):
        administration.overview("nobody")
    with pytest.raises(NotFound):
        administration.issue_key("acme", by="admin")

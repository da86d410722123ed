import pytest

from common.errors import Forbidden, NotConfigured, Unauthenticated
from common.tenants.authentication import AdminKeys
from common.tenants.onboarding_limits import OnboardingMode, OnboardingPolicy


def test_each_of_several_admin_keys_opens() -> None:
    keys = AdminKeys(["old-key", "new-key"])
    keys.check("old-key")
    keys.check("new-key")


@pytest.mark.parametrize("given", ["wrong", "old-key,new-key", "old-ke", "ключ"])
def test_another_admin_key_is_forbidden(given: str) -> None:
    with pytest.raises(Forbidden):
        AdminKeys(["old-key", "new-key"]).check(given)


@pytest.mark.parametrize("given", [None, ""])
def test_no_admin_key_is_unauthenticated(given: str | None) -> None:
    with pytest.raises(Unauthenticated):
        AdminKeys(["key"]).check(given)


@pytest.mark.parametrize("given", [None, "", "anything"])
def test_without_a_configured_admin_key_nobody_enters(given: str | None) -> None:
    with pytest.raises(NotConfigured):
        AdminKeys([""]).check(given)


def test_admin_keys_do_not_show_themselves() -> None:
    assert "secret" not in repr(AdminKeys(["secret"]))


def test_an_open_door_asks_for_nothing() -> None:
    OnboardingPolicy(OnboardingMode.OPEN).authorize(None)


@pytest.mark.parametrize("given", [None, "token"])
def test_a_closed_door_opens_to_no_token(given: str | None) -> None:
    with pytest.raises(Forbidden):
        OnboardingPolicy(OnboardingMode.CLOSED, "token").authorize(given)


def test_a_door_with_a_token_opens_to_that_token_alone() -> None:
    door = OnboardingPolicy(OnboardingMode.TOKEN, "token")
    door.authorize("token")
    with pytest.raises(Forbidden):
        door.authorize("other")
    with pytest.raises(Unauthenticated):
        door.authorize(None)


def test_a_door_whose_token_nobody_configured_stays_shut() -> None:
    with pytest.raises(NotConfigured):
        OnboardingPolicy(OnboardingMode.TOKEN).authorize("")

"""What each function could do if it were hostile: the decision's table, compared with Terraform."""

import re

import pytest

from tests.terraform.configuration import function_defaults, local_values
from tests.terraform.documents import hostile_functions

SHARED, DEDICATED = "the shared executor", "dedicated tenants' accounts"
FUNCTIONS = sorted(function_defaults())
PRIVILEGES = ("tenant_api_keys", "tenant_profiles", "tenant_subscriptions")


def names(cell: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", cell))


def test_every_function_is_weighed() -> None:
    assert sorted(hostile_functions()) == FUNCTIONS


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_table_says_what_a_function_is_granted(function: str) -> None:
    told, granted = hostile_functions()[function], local_values()
    writes = {table for table, writers in granted["table_writers"].items() if function in writers}
    secrets = {name for name, use in granted["secret_uses"].items() if function in use["functions"]}
    acts_as = [SHARED] * (function in granted["executor_users"])
    acts_as += [DEDICATED] * (function in granted["dedicated_users"])
    assert names(told.writes) == writes
    assert names(told.secrets) == secrets
    assert names(told.publishes_to) == set(granted["publishers"].get(function, ()))
    assert told.acts_as == (", ".join(acts_as) or "-")


@pytest.mark.parametrize("function", ["dispatcher", "pipelines", "run_level", "run_request"])
def test_what_runs_pipelines_makes_no_key_plan_or_profile(function: str) -> None:
    writers = local_values()["table_writers"]
    assert not [table for table in PRIVILEGES if function in writers[table]]


@pytest.mark.parametrize("function", ["admin", "dispatcher", "onboarding", "pipelines", "run_request"])
def test_what_only_takes_secrets_opens_none(function: str) -> None:
    assert function not in local_values()["secret_uses"]["credentials-keyring"]["functions"]


def test_what_is_public_acts_as_no_dedicated_tenants_account() -> None:
    public = {name for name, settings in function_defaults().items() if settings["public"]}
    assert not public & set(local_values()["dedicated_users"])

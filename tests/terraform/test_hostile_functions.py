"""What each function could do if it were hostile: the decision's table, compared with Terraform.

What it could not do is told in full: each act below is either granted or in the last column.
"""

import re
from collections.abc import Callable

import pytest

from tests.terraform.configuration import function_defaults, local_values
from tests.terraform.documents import hostile_functions

SHARED, DEDICATED = "the shared executor", "dedicated tenants' accounts"
FUNCTIONS = sorted(function_defaults())
PRIVILEGES = ("tenant_api_keys", "tenant_profiles", "tenant_subscriptions")


ROWS = {
    "make a key": "tenant_api_keys",
    "make a plan": "tenant_subscriptions",
    "make a profile": "tenant_profiles",
    "change a config": "tenant_pipeline_configs",
    "put a credential": "tenant_cloud_credentials",
    "change a run": "tenant_pipeline_runs",
    "change the audit log": "platform_audit_log",
}
"""Acts that are rows of a central table."""


def permissions(role: str) -> set[str]:
    """Resolve what a role of Terraform's allows."""
    granted = local_values()
    said = str(granted["roles"][role]["permissions"])
    named = re.findall(r"local\.permissions\.(\w+)", said)
    return set(re.findall(r"bigquery\.[\w.]+", said)).union(*(granted["permissions"][name] for name in named))


def may(function: str, permission: str, *scopes: str) -> bool:
    """Tell whether one of a function's roles allows something in one of these scopes."""
    roles = local_values()["platform_roles"][function]
    return any(scope in scopes and permission in permissions(role) for role, scope in roles.items())


def owns_central(function: str) -> bool:
    """Tell whether a function can do all in the central dataset: who may let others in lets itself in."""
    return may(function, "bigquery.datasets.setIamPolicy", "central", "central_and_copies")


def writes(table: str) -> Callable[[str], bool]:
    return lambda function: owns_central(function) or function in local_values()["table_writers"][table]


def owns_tenants(function: str) -> bool:
    """Tell whether a function can do all in tenants' datasets, as one that lets itself in."""
    return may(function, "bigquery.datasets.setIamPolicy", "tenants")


ACTS: dict[str, Callable[[str], bool]] = {
    **{act: writes(table) for act, table in ROWS.items()},
    "read a credential": lambda function: (
        owns_central(function) or may(function, "bigquery.tables.getData", "central")
    ),
    "open what is sealed": lambda function: (
        function in local_values()["secret_uses"]["credentials-keyring"]["functions"]
    ),
    "sign a level": lambda function: function in local_values()["secret_uses"]["levels-keys"]["functions"],
    "publish a level": lambda function: "levels" in local_values()["publishers"].get(function, ()),
    "reach tenants' rows": lambda function: (
        owns_tenants(function) or function in local_values()["executor_users"]
    ),
    "delete a tenant's table": lambda function: (
        owns_tenants(function)
        or (
            function in local_values()["executor_users"]
            and may("executor", "bigquery.tables.delete", "shared_tenants")
        )
        or may(function, "bigquery.tables.delete", "tenants")
    ),
    "act as a dedicated tenant's account": lambda function: function in local_values()["dedicated_users"],
    "delete a tenant's dataset": lambda function: (
        owns_tenants(function) or may(function, "bigquery.datasets.delete", "tenants")
    ),
    "delete the snapshots": lambda function: may(function, "bigquery.tables.deleteSnapshot", "snapshots"),
}


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


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_a_function_could_not_do_is_what_it_is_not_granted(function: str) -> None:
    not_granted = [act for act, is_granted in ACTS.items() if not is_granted(function)]
    assert hostile_functions()[function].could_not.split("; ") == not_granted


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

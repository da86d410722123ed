"""Rules for the module as a whole: providers, variables, outputs, roles, data."""

import json
import re

from tests.terraform.configuration import (
    MODULE,
    ROOT,
    all_resources,
    blocks,
    files,
    function_defaults,
    local_values,
    resources,
    source,
)

# Roles that hand over the project, or all data in it, whoever holds them.
FORBIDDEN = (
    "roles/owner",
    "roles/editor",
    "roles/bigquery.admin",
    "roles/bigquery.data",
    "roles/iam.serviceAccountTokenCreator",
)
SCHEMAS = ROOT / "ps_templates" / "setup" / "initial" / "schemas"


def test_a_plan_needs_two_providers_and_no_others() -> None:
    required = files()["versions.tf"]["terraform"][0]["required_providers"][0]
    assert {name: use["version"] for name, use in required.items()} == {
        "google": "~> 7.45",
        "archive": "~> 2.7",
    }
    ours = {type_.partition("_")[0] for type_, _, _ in all_resources()} | {
        type_.strip('"').partition("_")[0]
        for content in files().values()
        for block in content.get("data", [])
        for type_ in block
    }
    assert ours == {"google", "archive", "terraform"}  # terraform_data is part of Terraform.


def test_nothing_is_random_and_no_change_is_ignored() -> None:
    assert not re.search(r"random_|ignore_changes|timestamp\(\)|uuid\(\)", source())


def test_each_variable_is_described_and_validated() -> None:
    for name, variable in blocks("variable"):
        assert variable["description"].endswith("."), name
        assert variable["type"] == "bool" or variable.get("validation"), name


def test_each_fault_is_told_in_words_of_its_own() -> None:
    messages = [
        fault["error_message"]
        for _, variable in blocks("variable")
        for fault in variable.get("validation", [])
    ]
    assert len(set(messages)) == len(messages)


def test_each_validation_is_tried() -> None:
    tried = (MODULE / "tests" / "refusals.tftest.hcl").read_text()
    for name, variable in blocks("variable"):
        cases = len(re.findall(rf"\bvar\.{name}\b", tried))
        assert cases >= len(variable.get("validation", [])), name


def test_secret_variables_are_in_no_state() -> None:
    secret = {name for name, variable in blocks("variable") if variable.get("sensitive")}
    assert secret == {
        "admin_api_key",
        "console_keys",
        "credentials_keyring",
        "levels_keys",
        "onboarding_token",
    }
    assert all(variable["ephemeral"] for name, variable in blocks("variable") if name in secret)


def test_each_output_is_described() -> None:
    assert all(output["description"] for _, output in blocks("output"))


def test_no_account_has_a_role_over_the_whole_project_or_all_its_data() -> None:
    assert [role for role in FORBIDDEN if role in source()] == []


def test_custom_roles_hold_no_administration() -> None:
    text = (MODULE / "roles.tf").read_text()
    assert "bigquery.jobs.listAll" not in text
    assert not re.search(r'"(resourcemanager|iam\.roles|cloudkms|secretmanager)\.', text)


def test_each_function_has_an_account_and_roles_of_its_own() -> None:
    held = local_values()["platform_roles"]
    assert set(function_defaults()) <= set(held)
    assert set(held) - set(function_defaults()) == {"executor", "backup"}


def test_who_runs_tenants_sql_cannot_see_the_central_dataset() -> None:
    assert local_values()["platform_roles"]["executor"] == {
        "RunJobs": None,
        "WriteTenants": "shared_tenants",
    }


def holders(*roles: str) -> set[str]:
    return {account for account, held in local_values()["platform_roles"].items() if set(held) & set(roles)}


def test_only_the_admin_function_may_drop_the_central_dataset() -> None:
    assert holders("OwnCentral") == {"admin"}


def test_only_the_admin_and_the_dispatcher_may_drop_a_tenants_dataset() -> None:
    assert holders("OwnTenants", "RemoveTenants") == {"admin", "dispatcher"}


def test_no_function_may_touch_the_snapshots() -> None:
    assert holders("KeepSnapshots") == {"backup"}


def test_schemas_are_what_the_module_reads() -> None:
    for file in SCHEMAS.glob("*.json"):
        table = json.loads(file.read_text())
        assert set(table) == {"description", "partition", "cluster", "schema"}, file.name
        assert table["partition"] is None or table["partition"]["type"] == "DAY"
        assert all(set(column) == {"name", "type", "mode", "description"} for column in table["schema"])


def test_data_is_protected_by_default() -> None:
    assert dict(blocks("variable"))["deletion_protection"]["default"] is True
    assert (
        resources("google_bigquery_table")["central"]["deletion_protection"] == "${var.deletion_protection}"
    )
    assert resources("google_bigquery_dataset")["central"]["delete_contents_on_destroy"] is False


def test_each_exception_from_the_security_checks_has_its_reason() -> None:
    skips = re.findall(r"checkov:skip=(\w+):?(.*)", source())
    assert skips
    assert all(len(reason.strip()) > 20 for _, reason in skips)

"""A deployment with every option on: apply, apply again, compare with the documents, destroy."""

from tests.terraform.documents import documented_grants, runbook_sections
from tests.terraform.providers.conftest import Deployment
from tests.terraform.providers.grants import granted


def test_no_call_of_the_first_apply_was_refused(everything: Deployment) -> None:
    refused = [call for call in everything.google.calls if call[2] >= 400 and call[0] != "GET"]
    assert refused == []


def test_a_second_plan_is_empty(everything: Deployment) -> None:
    assert everything.workspace.plan() == []


def test_what_was_granted_is_what_the_permissions_table_says(everything: Deployment) -> None:
    assert granted(everything.google.store) == documented_grants()


def test_every_alert_has_its_section_in_the_runbook(everything: Deployment) -> None:
    policies = [body for key, body in everything.google.store.resources.items() if "/alertPolicies/" in key]
    assert len(policies) >= 7
    for policy in policies:
        section = policy["userLabels"]["runbook"]
        assert policy["documentation"]["content"].endswith(f"#{section}")
        assert section in runbook_sections()


def test_secrets_are_in_no_state(everything: Deployment) -> None:
    state = (everything.workspace.module / "terraform.tfstate").read_text()
    assert "made-up-admin-key-0001" not in state
    assert "made-up-token-000001" not in state


def test_a_new_version_of_the_admin_key_redeploys_its_reader_alone(everything: Deployment) -> None:
    everything.workspace.set_variables(admin_api_key_version=2)
    changed = {change.address: change.actions for change in everything.workspace.plan("-refresh=false")}
    assert changed == {
        "google_secret_manager_secret_version.admin_api_key[0]": ("delete", "create"),
        'google_cloudfunctions2_function.function["admin"]': ("update",),
    }
    everything.workspace.set_variables(admin_api_key_version=1)


def test_destroy_leaves_nothing_where_nothing_is_protected(everything: Deployment) -> None:
    everything.workspace.destroy()
    left = {key.split("/")[0] for key in everything.google.store.resources}
    assert left <= {"compute", "service_usage", "cloud_run_v2"}

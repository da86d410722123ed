"""A deployment in which nothing is asked for but a project: apply, apply again, change, destroy."""

import json
from pathlib import Path

import pytest

from tests.terraform.fake_google.store import Store
from tests.terraform.providers.conftest import Deployment
from tests.terraform.providers.workspace import TerraformError

PROJECT = "example-convergence-minimal"
FUNCTIONS = {"admin", "dispatcher", "onboarding", "pipelines", "run_level", "run_request"}


def functions(names: set[str]) -> set[str]:
    return {f'google_cloudfunctions2_function.function["{name}"]' for name in names}


def bundles(names: set[str]) -> set[str]:
    return {f'google_storage_bucket_object.bundle["{name}"]' for name in names}


def append(file: Path, line: str) -> None:
    file.write_text(file.read_text() + line)


def test_no_call_of_the_first_apply_was_refused(minimal: Deployment) -> None:
    refused = [call for call in minimal.google.calls if call[2] >= 400 and call[0] != "GET"]
    assert refused == []


def test_a_second_plan_is_empty_whatever_tenants_and_operators_did_meanwhile(minimal: Deployment) -> None:
    authorize_a_tenants_view(minimal.google.store)
    pause_the_dispatcher(minimal.google.store)
    assert minimal.workspace.plan() == []


def authorize_a_tenants_view(store: Store) -> None:
    dataset = store.resources[f"big_query/projects/{PROJECT}/datasets/tenants"]
    view = {"projectId": PROJECT, "datasetId": "acme", "tableId": "tenant_comprehensive_view"}
    dataset["access"].append({"view": view})


def pause_the_dispatcher(store: Store) -> None:
    jobs = f"cloud_scheduler/projects/{PROJECT}/locations/us-central1/jobs"
    store.resources[f"{jobs}/convergence-dispatcher"]["state"] = "PAUSED"


def test_a_changed_line_in_one_function_changes_that_function_alone(minimal: Deployment) -> None:
    append(minimal.workspace.path / "functions" / "run_level" / "main.py", "# A changed line.\n")
    changed = {change.address: change.actions for change in minimal.workspace.plan("-refresh=false")}
    assert set(changed) == functions({"run_level"}) | bundles({"run_level"})
    assert {changed[address] for address in functions({"run_level"})} == {("update",)}


def test_a_change_in_common_changes_every_function(minimal: Deployment) -> None:
    append(minimal.workspace.path / "common" / "errors.py", "# A changed line.\n")
    changed = {change.address: change.actions for change in minimal.workspace.plan("-refresh=false")}
    assert set(changed) == functions(FUNCTIONS) | bundles(FUNCTIONS)
    assert {changed[address] for address in functions(FUNCTIONS)} == {("update",)}


def test_a_new_column_is_an_update_in_place(minimal: Deployment) -> None:
    schemas = minimal.workspace.path / "ps_templates" / "setup" / "initial" / "schemas"
    schema = json.loads((schemas / "tenant_profiles.json").read_text())
    schema["schema"].append(
        {"name": "region", "type": "STRING", "mode": "NULLABLE", "description": "Where the tenant is."}
    )
    (schemas / "tenant_profiles.json").write_text(json.dumps(schema))
    planned = minimal.workspace.plan("-refresh=false")
    tables = [change for change in planned if change.type == "google_bigquery_table"]
    assert [change.address for change in tables] == ['google_bigquery_table.central["tenant_profiles"]']
    assert tables[0].actions == ("update",)


def test_what_was_changed_is_applied_and_then_nothing_is_left_to_do(minimal: Deployment) -> None:
    minimal.workspace.apply()
    assert minimal.workspace.plan() == []


def test_destroy_stops_at_the_data(minimal: Deployment) -> None:
    with pytest.raises(TerraformError, match="deletion_protection"):
        minimal.workspace.destroy()
    tables = [key for key in minimal.google.store.resources if "/datasets/tenants/tables/" in key]
    assert len(tables) == len(list((minimal.workspace.path / "ps_templates/setup/initial/schemas").iterdir()))

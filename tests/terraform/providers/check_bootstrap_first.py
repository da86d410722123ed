"""Where bootstrap came first, Terraform takes over the tables that it made."""

import json
from pathlib import Path

from tests.terraform.fake_google import FakeGoogle
from tests.terraform.providers.workspace import ROOT, Workspace

PROJECT = "example-convergence-taken-over"
SCHEMAS = ROOT / "ps_templates" / "setup" / "initial" / "schemas"


def bootstrap(google: FakeGoogle) -> None:
    """Make the dataset and the tables by the API, as bootstrap does."""
    services = f"/service_usage/v1/projects/{PROJECT}/services:batchEnable"
    post(google, services, {"serviceIds": ["bigquery.googleapis.com"]})
    reference = {"projectId": PROJECT, "datasetId": "tenants"}
    datasets = f"/bigquery/v2/projects/{PROJECT}/datasets"
    post(google, datasets, {"datasetReference": reference, "location": "US"})
    for file in sorted(SCHEMAS.glob("*.json")):
        post(google, f"{datasets}/tenants/tables", table(file))


def table(file: Path) -> dict[str, object]:
    described = json.loads(file.read_text())
    partition = described["partition"]
    return {
        "tableReference": {"projectId": PROJECT, "datasetId": "tenants", "tableId": file.stem},
        "description": described["description"],
        "schema": {"fields": described["schema"]},
        "clustering": {"fields": described["cluster"]},
        **({"timePartitioning": partition} if partition else {}),
    }


def post(google: FakeGoogle, url: str, body: dict[str, object]) -> None:
    code, answer = google.answer("POST", url, "application/json", json.dumps(body).encode())
    assert code == 200, answer


def test_terraform_imports_what_bootstrap_made_and_replaces_nothing(
    workspace: Workspace, google: FakeGoogle
) -> None:
    bootstrap(google)
    workspace.set_variables(project_id=PROJECT, import_central_dataset=True)
    workspace.speak_to(google)
    changes = {change.address: change.actions for change in workspace.plan()}
    central = {address: actions for address, actions in changes.items() if ".central" in address}
    assert len(central) == 1 + len(list(SCHEMAS.glob("*.json")))
    assert set(central.values()) == {("import",)}

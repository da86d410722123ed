"""What Google insists on: a first apply that gets the order wrong fails here as it would there."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.terraform.fake_google.answers import Json, denied, invalid
from tests.terraform.fake_google.store import Store

APIS = {
    "artifact_registry": "artifactregistry",
    "big_query": "bigquery",
    "bigquery_data_transfer": "bigquerydatatransfer",
    "billing_budgets": "billingbudgets",
    "cloud_run_v2": "run",
    "cloud_scheduler": "cloudscheduler",
    "cloudfunctions2": "cloudfunctions",
    "compute": "compute",
    "iam": "iam",
    "kms": "cloudkms",
    "logging": "logging",
    "monitoring": "monitoring",
    "pubsub": "pubsub",
    "resource_manager": "cloudresourcemanager",
    "secret_manager": "secretmanager",
    "storage": "storage",
}


def demand_enabled_api(store: Store, project: str, service: str) -> None:
    """Refuse calls to an API that nobody has enabled. Service Usage answers always."""
    api = APIS.get(service)
    if api and f"service_usage/projects/{project}/services/{api}.googleapis.com" not in store.resources:
        raise denied(f"{api}.googleapis.com has not been used in project {project} before or it is disabled")


def demand_members(store: Store, policy: Json) -> None:
    """Refuse a policy that names one of our service accounts before it exists."""
    for binding in policy.get("bindings", []):
        for member in binding["members"]:
            _demand_account(store, member.removeprefix("serviceAccount:"))


def demand_prerequisites(store: Store, project: str, key: str, resource: Json) -> None:
    """Refuse a resource that refers to what does not exist, or that may not do what it will have to do."""
    for email in _values(resource, {"serviceAccountEmail", "serviceAccountName"}):
        _demand_account(store, email)
    for topic in _values(resource, {"topic", "deadLetterTopic"}):
        _demand(store, f"pubsub/{topic}")
    if key.startswith("cloudfunctions2/"):
        _demand_buildable(store, project, resource["buildConfig"])
        _demand_readable_secrets(store, project, resource["serviceConfig"])
    if key.startswith("storage/b/") and "/o/" not in key:
        _demand_key_use(store, resource, "gs-project-accounts")


def demand_nothing_inside(store: Store, key: str, query: Mapping[str, str]) -> None:
    """Refuse to delete a dataset with what is in it, unless that is asked for."""
    if query.get("deleteContents") != "true" and store.members(f"{key}/tables"):
        raise invalid(f"{key} is still in use")


def _demand(store: Store, key: str) -> None:
    if key not in store.resources:
        raise invalid(f"{key} does not exist")


def _demand_account(store: Store, email: str) -> None:
    """Demand an account where it is one of the platform's; others' accounts are none of this fake's."""
    name, _, domain = email.partition("@")
    project = domain.removesuffix(".iam.gserviceaccount.com")
    key = f"iam/projects/{project}/serviceAccounts/{email}"
    if name.startswith(("convergence-", "tenant-")) and key not in store.resources:
        raise invalid(f"Service account {email} does not exist.")


def _demand_buildable(store: Store, project: str, build: Json) -> None:
    source = build["source"]["storageSource"]
    _demand(store, f"storage/b/{source['bucket']}/o/{source['object'].replace('/', '%2F')}")
    _demand(store, f"artifact_registry/{build['dockerRepository']}")
    member = f"serviceAccount:{build['serviceAccount'].rpartition('/')[2]}"
    if "roles/logging.logWriter" not in store.roles_of(member, f"resource_manager/projects/{project}"):
        raise denied(f"{member} may not write the build's log")
    repository = f"artifact_registry/{build['dockerRepository']}"
    if "roles/artifactregistry.writer" not in store.roles_of(member, repository):
        raise denied(f"{member} may not write the image")


def _demand_readable_secrets(store: Store, project: str, service: Json) -> None:
    member = f"serviceAccount:{service['serviceAccountEmail']}"
    for use in service.get("secretEnvironmentVariables", []):
        secret = f"secret_manager/projects/{project}/secrets/{use['secret']}"
        version = "1" if use["version"] == "latest" else use["version"]
        _demand(store, f"{secret}/versions/{version}")
        if "roles/secretmanager.secretAccessor" not in store.roles_of(member, secret):
            raise denied(f"{member} may not read {use['secret']}")


def _demand_key_use(store: Store, resource: Json, agent: str) -> None:
    for key in _values(resource, {"defaultKmsKeyName"}):
        bindings = store.policies.get(f"kms/{key}", {}).get("bindings", [])
        if not any(agent in member for binding in bindings for member in binding["members"]):
            raise denied(f"{agent} may not use {key}")


def _values(value: Any, names: set[str]) -> Iterator[str]:
    """Yield the non-empty strings under these names, however deep."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in names and isinstance(inner, str) and inner:
                yield inner
            yield from _values(inner, names)
    elif isinstance(value, list):
        for inner in value:
            yield from _values(inner, names)

"""What was granted, read from the fake's policies in the words of the permissions table."""

import re

from tests.terraform.documents import Grant
from tests.terraform.fake_google.answers import Json
from tests.terraform.fake_google.store import Store

# Pattern of a policy's key => where that is, in words.
_PLACES = {
    r"resource_manager/projects/[^/]+": "the project",
    r"artifact_registry/.*/repositories/(.+)": "repository {}",
    r"cloud_run_v2/.*/services/(.+)": "function {}",
    r"iam/.*/serviceAccounts/tenant-(.+)@.*": "account of a dedicated tenant",
    r"iam/.*/serviceAccounts/(.+)@.*": "account {}",
    r"kms/.*/cryptoKeys/(.+)": "key {}",
    r"pubsub/.*/topics/(.+)": "topic {}",
    r"pubsub/.*/subscriptions/(.+)": "subscription {}",
    r"secret_manager/.*/secrets/(.+)": "secret {}",
}

# Pattern of a policy's member => who that is, in words.
_MEMBERS = {
    r"allUsers": "everybody",
    r"serviceAccount:tenant-.*": "a dedicated tenant's account",
    r"serviceAccount:(convergence-.+)@.*": "{}",
    r"serviceAccount:service-\d+@(.+)\.iam\.gserviceaccount\.com": "agent {}",
    r"serviceAccount:bq-\d+@.*": "agent bigquery-encryption",
    r"serviceAccount:orchestrator@.*": "run_request_publishers",
    r"group:data-consumers@.*": "run_event_subscribers",
}


def granted(store: Store) -> set[Grant]:
    """Return all grants."""
    return {
        Grant(_named(member, _MEMBERS), _role(binding["role"]), _place(key, binding))
        for key, policy in store.policies.items()
        for binding in policy.get("bindings", [])
        for member in binding["members"]
    }


def _place(key: str, binding: Json) -> str:
    condition = binding.get("condition")
    if condition is None:
        return _named(key, _PLACES)
    title: str = condition["title"]
    return "the dataset of a dedicated tenant" if title.startswith("The dataset of ") else title.lower()


def _role(role: str) -> str:
    return role.rpartition("/roles/convergence")[2]


def _named(text: str, names: dict[str, str]) -> str:
    for pattern, name in names.items():
        if found := re.fullmatch(pattern, text):
            return name.format(*found.groups())
    return text

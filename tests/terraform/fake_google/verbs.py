"""What is not create, read, change or delete: IAM policies, services, secret versions, states, setters."""

import re

from tests.terraform.fake_google.answers import Json
from tests.terraform.fake_google.demands import demand_members
from tests.terraform.fake_google.requests import Request
from tests.terraform.fake_google.server_fields import PROJECT_NUMBER
from tests.terraform.fake_google.store import Store

_STATES = {
    "destroy": "DESTROYED",
    "disable": "DISABLED",
    "enable": "ENABLED",
    "pause": "PAUSED",
    "resume": "ENABLED",
}

_AGENTS = {
    "storage": f"service-{PROJECT_NUMBER}@gs-project-accounts.iam.gserviceaccount.com",
    "big_query": f"bq-{PROJECT_NUMBER}@bigquery-encryption.iam.gserviceaccount.com",
}


def answer_verb(store: Store, request: Request) -> Json | None:
    """Answer a request that is a verb's, None for all others."""
    if request.verb.endswith("IamPolicy") or request.path.endswith("/iam"):
        return _policy(store, request)
    if request.verb == "batchEnable" or (request.service == "service_usage" and request.verb == "enable"):
        return _enable_services(store, request)
    if request.verb == "addVersion":
        return _add_version(store, request)
    if request.verb == "access":
        return store.get(f"{request.key}/payload")
    if request.verb in _STATES:
        return store.replace(request.key, {**store.get(request.key), "state": _STATES[request.verb]})
    if request.path.endswith("/serviceAccount"):
        return {"email": _AGENTS[request.service], "email_address": _AGENTS[request.service]}
    return _set_fields(store, request)


def _policy(store: Store, request: Request) -> Json:
    key = request.key.removesuffix("/iam")
    if request.service not in {"resource_manager", "kms"}:
        store.get(key)
    if request.verb == "setIamPolicy" or request.method == "PUT":
        policy = request.body.get("policy", request.body)
        demand_members(store, policy)
        return store.set_policy(key, policy)
    return store.policy(key)


def _enable_services(store: Store, request: Request) -> Json:
    for name in request.body.get("serviceIds", [request.path.rpartition("/")[2]]):
        service = {"name": f"projects/{PROJECT_NUMBER}/services/{name}", "state": "ENABLED"}
        store.replace(f"service_usage/projects/{request.project}/services/{name}", service)
    return {"name": f"operations/{store.next_number()}", "done": True, "response": {}}


def _add_version(store: Store, request: Request) -> Json:
    store.get(request.key)
    number = 1 + len(store.members(f"{request.key}/versions"))
    name = f"{request.path}/versions/{number}"
    version = {"name": name, "state": "ENABLED", "createTime": "2026-01-01T00:00:00Z"}
    store.create(f"{request.service}/{name}/payload", {"name": name, "payload": request.body["payload"]})
    return store.create(f"{request.service}/{name}", version)


def _set_fields(store: Store, request: Request) -> Json | None:
    """Answer setLabels, setSecurityPolicy and their like: the body's fields become the resource's."""
    key, _, setter = request.key.rpartition("/")
    if request.service != "compute" or not re.fullmatch(r"set[A-Z]\w*", setter):
        return None
    return store.replace(key, {**store.get(key), **request.body})

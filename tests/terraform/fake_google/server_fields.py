"""What the servers themselves set on a resource: names, numbers, links, states, defaults."""

import re
from dataclasses import dataclass
from typing import Any

from tests.terraform.fake_google.answers import Json
from tests.terraform.fake_google.store import Store

PROJECT_NUMBER = "123456789012"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that makes or changes a resource: which one, in which collection."""

    store: Store
    collection: str
    identity: str
    base_url: str

    @property
    def key(self) -> str:
        return f"{self.collection}/{self.identity}"

    @property
    def name(self) -> str:
        """The resource's full name: its key without the service."""
        return self.key.partition("/")[2]

    @property
    def project(self) -> str:
        return next(iter(re.findall(r"projects/([^/]+)", self.key)), "")


def named(call: Call, _body: Json) -> Json:
    return {"name": call.name}


def nothing(_call: Call, _body: Json) -> Json:
    return {}


def account(call: Call, _body: Json) -> Json:
    email = f"{call.identity}@{call.project}.iam.gserviceaccount.com"
    return {
        "name": f"projects/{call.project}/serviceAccounts/{email}",
        "email": email,
        "projectId": call.project,
        "uniqueId": f"1{call.store.next_number():020d}",
    }


def bucket(call: Call, body: Json) -> Json:
    body["location"] = body["location"].upper()
    return {
        "id": call.identity,
        "projectNumber": PROJECT_NUMBER,
        "selfLink": f"{call.base_url}/storage/v1/b/{call.identity}",
        "storageClass": "STANDARD",
        "metageneration": "1",
        "timeCreated": "2026-01-01T00:00:00Z",
        "updated": "2026-01-01T00:00:00Z",
        "rpo": "DEFAULT",
        "softDeletePolicy": {"retentionDurationSeconds": "604800", "effectiveTime": "2026-01-01T00:00:00Z"},
    }


def dataset(call: Call, _body: Json) -> Json:
    return {
        "id": f"{call.project}:{call.identity}",
        "etag": "e1",
        "selfLink": f"{call.base_url}/bigquery/v2/{call.name}",
        "creationTime": "1767225600000",
        "lastModifiedTime": "1767225600000",
        "maxTimeTravelHours": "168",
        "type": "DEFAULT",
        "access": [
            {"role": "WRITER", "specialGroup": "projectWriters"},
            {"role": "OWNER", "specialGroup": "projectOwners"},
            {"role": "OWNER", "userByEmail": "deployer@example.com"},
            {"role": "READER", "specialGroup": "projectReaders"},
        ],
    }


def table(call: Call, body: Json) -> Json:
    legacy = {"INT64": "INTEGER", "BOOL": "BOOLEAN", "FLOAT64": "FLOAT"}
    fields = body.get("schema", {}).get("fields", [])
    for column in fields:
        column["type"] = legacy.get(column["type"], column["type"])
        column.setdefault("mode", "NULLABLE")
    return {
        "id": f"{call.project}:{call.name.split('/')[-3]}.{call.identity}",
        "etag": "e1",
        "type": "VIEW" if "view" in body else "TABLE",
        "selfLink": f"{call.base_url}/bigquery/v2/{call.name}",
        "creationTime": "1767225600000",
        "lastModifiedTime": "1767225600000",
        "numBytes": "0",
        "numLongTermBytes": "0",
        "numRows": "0",
        "location": "US",
    }


def function(call: Call, body: Json) -> Json:
    service = call.identity
    location = call.name.split("/")[3]
    run_name = f"projects/{call.project}/locations/{location}/services/{service}"
    call.store.resources.setdefault(f"cloud_run_v2/{run_name}", {"name": run_name})
    source = body.get("buildConfig", {}).get("source", {}).get("storageSource", {})
    body.get("serviceConfig", {}).setdefault("environmentVariables", {})["LOG_EXECUTION_ID"] = "true"
    return {
        "name": call.name,
        "environment": "GEN_2",
        "state": "ACTIVE",
        "updateTime": "2026-01-01T00:00:00Z",
        "url": f"https://{location}-{call.project}.cloudfunctions.net/{service}",
        "buildConfig": {
            "build": f"projects/{PROJECT_NUMBER}/locations/{location}/builds/{call.store.next_number()}",
            "automaticUpdatePolicy": {},
            "source": {"storageSource": {**source, "generation": "1"}},
        },
        "serviceConfig": {
            "service": run_name,
            "uri": f"https://{service}-abcdefghij-uc.a.run.app",
            "gcfUri": f"https://{service}-abcdefghij-uc.a.run.app",
            "revision": f"{service}-{call.store.next_number()}",
        },
    }


def job(call: Call, _body: Json) -> Json:
    return {
        "name": call.name,
        "state": "ENABLED",
        "retryConfig": {"maxRetryDuration": "0s", "maxDoublings": 5},
        "userUpdateTime": "2026-01-01T00:00:00Z",
    }


def alert_policy(call: Call, body: Json) -> Json:
    for index, condition in enumerate(body.get("conditions", [])):
        condition.setdefault("name", f"{call.name}/conditions/{index}")
    return {
        "name": call.name,
        "enabled": True,
        "creationRecord": {"mutateTime": "2026-01-01T00:00:00Z", "mutatedBy": "deployer@example.com"},
        "mutationRecord": {"mutateTime": "2026-01-01T00:00:00Z", "mutatedBy": "deployer@example.com"},
    }


def compute_resource(call: Call, body: Json) -> Json:
    links = f"{call.base_url}/compute/v1/"
    body.update({name: _as_link(value, links) for name, value in body.items()})
    return {
        "id": str(call.store.next_number()),
        "creationTimestamp": "2026-01-01T00:00:00.000-08:00",
        "selfLink": f"{call.base_url}/compute/v1/{call.name}",
        "fingerprint": f"f{call.store.next_number()}=",
        **_COMPUTE_DEFAULTS.get(call.collection.rpartition("/")[2], {}),
    }


def _as_link(value: Any, base: str) -> Any:
    """Write references as Compute Engine does: as full URLs."""
    if isinstance(value, list):
        return [_as_link(inner, base) for inner in value]
    if isinstance(value, dict):
        return {name: _as_link(inner, base) for name, inner in value.items()}
    return base + value if isinstance(value, str) and value.startswith("projects/") else value


_COMPUTE_DEFAULTS: dict[str, Json] = {
    "addresses": {"address": "203.0.113.10", "addressType": "EXTERNAL", "status": "RESERVED"},
    "backendServices": {
        "timeoutSec": 30,
        "sessionAffinity": "NONE",
        "affinityCookieTtlSec": 0,
        "connectionDraining": {"drainingTimeoutSec": 0},
        "port": 80,
        "portName": "http",
    },
    "forwardingRules": {"IPProtocol": "TCP", "networkTier": "PREMIUM", "labelFingerprint": "42WmSpB8rSM="},
    "sslPolicies": {"enabledFeatures": ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"]},
}


def with_server_fields(given: Json, set_by_server: Json) -> Json:
    """Add what the server sets; what the caller gave stays, but for output fields below it."""
    result = dict(given)
    for name, value in set_by_server.items():
        if isinstance(value, dict) and isinstance(result.get(name), dict):
            result[name] = with_server_fields(result[name], value)
        else:
            result.setdefault(name, value)
    return result

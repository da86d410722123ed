"""Kinds of resources: how each API names a new one, and what the server itself sets on it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tests.terraform.fake_google.answers import Json, invalid
from tests.terraform.fake_google.server_fields import (
    Call,
    account,
    alert_policy,
    bucket,
    compute_resource,
    dataset,
    function,
    job,
    named,
    nothing,
    table,
)

type Identity = Callable[[Mapping[str, str], Json], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of resource: `identity` finds the ID in query and body, `server` says what the server adds.

    `unwrap` is the field of the body that holds the resource, where it is not the body itself.
    """

    identity: Identity
    server: Callable[[Call, Json], Json]
    unwrap: str = ""


def from_query(name: str) -> Identity:
    return lambda query, _body: query.get(name)


def from_body(*path: str) -> Identity:
    def identity(_query: Mapping[str, str], body: Json) -> str | None:
        value: Any = body
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return None if value is None else str(value)

    return identity


def last_of_name(_query: Mapping[str, str], body: Json) -> str | None:
    return str(body["name"]).rpartition("/")[2] if "name" in body else None


def quoted_name(_query: Mapping[str, str], body: Json) -> str | None:
    return quote(body["name"], safe="")


def by_server(_query: Mapping[str, str], _body: Json) -> str | None:
    return None


# Keys of collections, and what their resources are like.
KINDS: dict[str, Kind] = {
    r"artifact_registry/.*/repositories": Kind(identity=from_query("repository_id"), server=named),
    r"big_query/projects/[^/]+/datasets": Kind(
        identity=from_body("datasetReference", "datasetId"), server=dataset
    ),
    r"big_query/.*/tables": Kind(identity=from_body("tableReference", "tableId"), server=table),
    r"bigquery_data_transfer/.*/transferConfigs": Kind(identity=by_server, server=named),
    r"billing_budgets/.*/budgets": Kind(identity=by_server, server=named),
    r"cloud_scheduler/.*/jobs": Kind(identity=last_of_name, server=job),
    r"cloudfunctions2/.*/functions": Kind(identity=from_query("functionId"), server=function),
    r"compute/.*": Kind(identity=from_body("name"), server=compute_resource),
    r"iam/.*/roles": Kind(identity=from_body("roleId"), server=named, unwrap="role"),
    r"iam/.*/serviceAccounts": Kind(identity=from_body("accountId"), server=account, unwrap="serviceAccount"),
    r"logging/.*/metrics": Kind(identity=quoted_name, server=nothing),
    r"monitoring/.*/alertPolicies": Kind(identity=by_server, server=alert_policy),
    r"monitoring/.*/(dashboards|notificationChannels)": Kind(identity=by_server, server=named),
    r"pubsub/.*/subscriptions": Kind(identity=last_of_name, server=named, unwrap="subscription"),
    r"pubsub/.*/topics": Kind(identity=last_of_name, server=named, unwrap="topic"),
    r"secret_manager/.*/secrets": Kind(identity=from_query("secretId"), server=named),
    r"storage/b": Kind(identity=from_body("name"), server=bucket),
}


def kind_of(collection: str) -> Kind:
    """Return the kind of the resources of a collection."""
    for pattern, kind in KINDS.items():
        if re.fullmatch(pattern, collection):
            return kind
    raise invalid(f"the fake knows no collection {collection}")

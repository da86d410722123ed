"""The store: resources and IAM policies by key: a service and a path (`pubsub/projects/p/topics/t`)."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import count

from tests.terraform.fake_google.answers import Json, already_exists, conflict, not_found


@dataclass(slots=True)
class Store:
    """Everything that exists. Nothing is kept twice, and nothing is kept but here."""

    resources: dict[str, Json] = field(default_factory=dict)
    policies: dict[str, Json] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: count(1001))

    def next_number(self) -> int:
        """Return a number that was never returned before: for IDs that the server makes, and etags."""
        return next(self.numbers)

    def get(self, key: str) -> Json:
        if key not in self.resources:
            raise not_found(key)
        return deepcopy(self.resources[key])

    def create(self, key: str, resource: Json) -> Json:
        if key in self.resources:
            raise already_exists(key)
        self.resources[key] = resource
        return deepcopy(resource)

    def replace(self, key: str, resource: Json) -> Json:
        self.resources[key] = resource
        return deepcopy(resource)

    def delete(self, key: str) -> None:
        """Delete a resource, what lies below it, and the policies of both."""
        self.get(key)
        for kept in (self.resources, self.policies):
            for below in [name for name in kept if name == key or name.startswith(f"{key}/")]:
                del kept[below]

    def members(self, collection: str) -> list[Json]:
        """Return the resources of a collection, in the order of their names."""
        depth = collection.count("/") + 1
        return [
            deepcopy(resource)
            for key, resource in sorted(self.resources.items())
            if key.startswith(f"{collection}/") and key.count("/") == depth
        ]

    def policy(self, key: str) -> Json:
        return deepcopy(self.policies.get(key, {"version": 1, "etag": "BwA="}))

    def set_policy(self, key: str, policy: Json) -> Json:
        """Write a policy; an etag that is not the current one is a conflict, none is a blind write."""
        if policy.get("etag", self.policy(key)["etag"]) != self.policy(key)["etag"]:
            raise conflict(f"the policy of {key}")
        self.policies[key] = {**policy, "etag": f"Bw{self.next_number()}="}
        return self.policy(key)

    def roles_of(self, member: str, key: str) -> set[str]:
        """Return the roles that a member holds on a resource, conditions aside."""
        bindings = self.policies.get(key, {}).get("bindings", [])
        return {binding["role"] for binding in bindings if member in binding["members"]}

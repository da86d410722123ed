"""The tenant's own API keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict, cast

from common.client.api import Api
from common.client.calls import Call, Content, segment

KEYS = "/api/v1/tenants/keys"


class ApiKey(TypedDict):
    """One of the tenant's keys, by its beginning."""

    api_key_id: str
    key_prefix: str
    description: str | None
    scopes: list[str]
    is_active: bool
    expires_at: str | None
    created_at: str
    created_by: str
    revoked_at: str | None


class ApiKeyUsed(ApiKey):
    """A key, and when it was last used."""

    last_used_at: str | None


class ApiKeyIssued(TypedDict):
    """A new key: nothing but this answer ever shows it."""

    api_key: str
    api_key_id: str
    api_key_hash: str
    tenant_id: str
    key_prefix: str
    description: str | None
    scopes: list[str]
    expires_at: str | None
    created_at: str
    created_by: str


@dataclass(frozen=True, slots=True)
class Keys:
    """A tenant's keys. A lost answer takes a new key with it, so making one is never repeated."""

    api: Api

    def list(self) -> list[ApiKeyUsed]:
        """List the keys, oldest first."""
        return cast("list[ApiKeyUsed]", self.api.get(KEYS)["api_keys"])

    def issue(self, request: Mapping[str, Any]) -> ApiKeyIssued:
        """Make a key: `description`, `scopes`, `expires_in_days`."""
        return cast("ApiKeyIssued", self.api.post(KEYS, request))

    def rotate(self, api_key_id: str, overlap_hours: int | None = None) -> ApiKeyIssued:
        """Replace a key by a new one; the old one lives on for a time."""
        request = {} if overlap_hours is None else {"overlap_hours": overlap_hours}
        return cast("ApiKeyIssued", self.api.post(f"{KEYS}/{segment(api_key_id)}/rotate", request))

    def expire(self, api_key_id: str, expires_at: str) -> ApiKey:
        """Give a key another end."""
        call = Call(
            method="PATCH",
            path=f"{KEYS}/{segment(api_key_id)}",
            content=Content.json({"expires_at": expires_at}),
            is_repeatable=True,
        )
        return cast("ApiKey", self.api.send(call).body)

    def revoke(self, api_key_id: str) -> ApiKey:
        """Revoke a key; revoking again answers the same."""
        return cast("ApiKey", self.api.send(Call(method="DELETE", path=f"{KEYS}/{segment(api_key_id)}")).body)

"""The tenant's credentials for its own cloud; no answer ever holds a secret."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict, cast

from common.client.api import Api
from common.client.calls import Call, Content, segment

CREDENTIALS = "/api/v1/tenants/credentials"


class Credential(TypedDict):
    """A credential, without its secret."""

    credential_id: str
    provider: str
    account: str | None
    project_id: str | None
    key_version: str
    created_by: str | None
    created_at: str
    updated_at: str


@dataclass(frozen=True, slots=True)
class Credentials:
    """A tenant's credentials."""

    api: Api

    def list(self) -> list[Credential]:
        """List the credentials by ID."""
        return cast("list[Credential]", self.api.get(CREDENTIALS)["credentials"])

    def read(self, credential_id: str) -> Credential:
        """Show a credential."""
        return cast("Credential", self.api.get(_path(credential_id)))

    def keep(self, credential_id: str, provider: str, secret: Mapping[str, Any]) -> Credential:
        """Keep a credential; it takes the place of the one with this ID."""
        content = Content.json({"provider": provider, "credentials": secret})
        call = Call(method="PUT", path=_path(credential_id), content=content)
        return cast("Credential", self.api.send(call).body)

    def delete(self, credential_id: str) -> None:
        """Delete a credential."""
        self.api.send(Call(method="DELETE", path=_path(credential_id)))


def _path(credential_id: str) -> str:
    return f"{CREDENTIALS}/{segment(credential_id)}"

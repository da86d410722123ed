"""Who calls, as the edge needs to know it; the domain makes the identities (`common.tenants`)."""

from collections.abc import Collection
from typing import Protocol

from common.errors import Unauthenticated


class Caller(Protocol):
    """A tenant's API key that is valid. The tenant of a request comes from here and from nowhere else."""

    @property
    def tenant_id(self) -> str:
        """The tenant that the key belongs to."""

    @property
    def api_key_id(self) -> str:
        """The key's public ID, for logs and audit."""

    @property
    def scopes(self) -> Collection[str]:
        """What the key allows: `run`, `read`, `manage`."""


class Admin(Protocol):
    """An operator's key that is valid."""

    @property
    def name(self) -> str:
        """Which of the admin keys it is, for logs and audit; never the key."""


class Authenticator(Protocol):
    """Turns a key into an identity."""

    def tenant(self, key: str) -> Caller:
        """Return whose API key this is; Unauthenticated where it is nobody's, expired or revoked."""

    def admin(self, key: str) -> Admin:
        """Return which admin key this is; Unauthenticated where it is none."""


class Nobody:
    """The identity behind a public route: asking who it is refuses the request, so a slip fails closed."""

    @property
    def tenant_id(self) -> str:
        """Refuse."""
        raise Unauthenticated("this needs an API key")

    @property
    def api_key_id(self) -> str:
        """Refuse."""
        raise Unauthenticated("this needs an API key")

    @property
    def scopes(self) -> Collection[str]:
        """Return none."""
        return ()

    @property
    def name(self) -> str:
        """Refuse."""
        raise Unauthenticated("this needs an admin key")


NOBODY = Nobody()

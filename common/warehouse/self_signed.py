"""Tokens that a service account's key signs by itself (https://google.aip.dev/auth/4111)."""

from datetime import UTC, datetime, timedelta

from google.auth import crypt, jwt
from google.auth.credentials import Credentials

from common.tenants.service_accounts import ServiceAccountKey

LIFETIME = timedelta(hours=1)


class SelfSigned(Credentials):
    """Credentials that ask nobody for anything.

    Google's own class for such keys has an address to ask for tokens, which key files name, and asks another
    one, in a thread of its own, where the account may work.
    """

    def __init__(self, key: ServiceAccountKey, scope: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._email, self._scope = key.client_email, scope
        self._signer = crypt.RSASigner.from_string(key.private_key, key.private_key_id)  # type: ignore[no-untyped-call]

    def refresh(self, request: object) -> None:  # noqa: ARG002 - google-auth hands it to whoever needs it
        """Sign a token."""
        now = datetime.now(UTC)
        claims = {"iss": self._email, "sub": self._email, "scope": self._scope}
        times = {"iat": int(now.timestamp()), "exp": int((now + LIFETIME).timestamp())}
        self.token = jwt.encode(self._signer, claims | times).decode()  # type: ignore[no-untyped-call]
        self.expiry = (now + LIFETIME).replace(tzinfo=None)  # what google-auth compares with is naive

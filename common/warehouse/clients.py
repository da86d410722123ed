"""BigQuery clients: one per identity and process, to Google or to a local server; and how often they ask."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import google.auth
from google.api_core.client_options import ClientOptions
from google.api_core.retry import Retry, if_exception_type
from google.auth import crypt, impersonated_credentials, jwt
from google.auth.credentials import AnonymousCredentials, Credentials
from google.cloud import bigquery
from google.cloud.bigquery import enums
from google.cloud.bigquery.retry import DEFAULT_RETRY
from google.oauth2.credentials import Credentials as TokenCredentials
from requests.adapters import HTTPAdapter

from common.errors import WarehouseError
from common.tenants.service_accounts import ServiceAccountKey
from common.warehouse.translation import translated

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

    def refresh(self, request: object) -> None:  # noqa: ARG002 - google-auth hands it to each
        """Sign a token."""
        now = datetime.now(UTC)
        claims = {"iss": self._email, "sub": self._email, "scope": self._scope}
        times = {"iat": int(now.timestamp()), "exp": int((now + LIFETIME).timestamp())}
        self.token = jwt.encode(self._signer, claims | times).decode()  # type: ignore[no-untyped-call]
        self.expiry = (now + LIFETIME).replace(tzinfo=None)  # what google-auth compares with is naive


@dataclass(slots=True, kw_only=True)
class RateLimiter:
    """Gives each caller its turn, one after another at even distances; an idle time is not made up for."""

    per_second: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _next_turn: float = 0.0
    _alone: threading.Lock = field(default_factory=threading.Lock)

    def acquire(self) -> None:
        """Return when it is the caller's turn."""
        with self._alone:
            now = self.clock()
            turn = max(now, self._next_turn)
            self._next_turn = turn + 1 / self.per_second
        if turn > now:
            self.sleep(turn - now)


SCOPE = "https://www.googleapis.com/auth/bigquery"
PATIENCE_SECONDS = 5.0
MAX_CONNECTIONS = 64
# A level has minutes, not the client's ten: what does not pass within this time is left to the next delivery.
RETRY = DEFAULT_RETRY.with_timeout(60.0)
TIMEOUT_SECONDS = 30.0
NO_RETRY = Retry(predicate=if_exception_type())


def make_client(
    *, project: str, location: str, emulator_host: str = "", acting_as: str = ""
) -> bigquery.Client:
    """Make a client; with `emulator_host` (`http://host:port`) it speaks to that server.

    `acting_as` is a service account that the platform's own may impersonate; "" is the platform itself. A
    local server takes the account's name for its token.
    """
    if not emulator_host:
        credentials = _impersonated(acting_as) if acting_as else None
        return _roomy(bigquery.Client(project=project, location=location, credentials=credentials))
    return _roomy(
        bigquery.Client(
            project=project,
            location=location,
            credentials=_local(acting_as),
            client_options={"api_endpoint": emulator_host},
        )
    )


def make_account_client(key: ServiceAccountKey, *, location: str, emulator_host: str = "") -> bigquery.Client:
    """Make a client that acts in the project, and in the name, of a service account's key.

    It signs its tokens by itself and asks nobody for one: a key file names an address to ask, and that would
    be an address of a tenant's choice.
    """
    options = ClientOptions(api_endpoint=emulator_host) if emulator_host else None
    client = bigquery.Client(
        project=key.project_id, location=location, credentials=SelfSigned(key, SCOPE), client_options=options
    )
    return _roomy(client)


def _roomy(client: bigquery.Client) -> bigquery.Client:
    """Keep as many connections as there are threads: by default the client throws away all but ten.

    A query that is only read gets no job of its own where BigQuery can answer it without one: it is one
    request, and sooner answered. What needs a job starts one under an ID.
    """
    client.default_job_creation_mode = enums.JobCreationMode.JOB_CREATION_OPTIONAL
    adapter = HTTPAdapter(pool_maxsize=MAX_CONNECTIONS)
    for scheme in ("https://", "http://"):
        client._http.mount(scheme, adapter)
    return client


def answers(client: bigquery.Client) -> bool:
    """Tell whether BigQuery answers."""
    try:
        with translated():
            list(client.list_datasets(max_results=1, retry=NO_RETRY, timeout=PATIENCE_SECONDS))
    except WarehouseError:
        return False
    return True


def _impersonated(account: str) -> Credentials:
    source, _ = google.auth.default(scopes=[SCOPE])
    return impersonated_credentials.Credentials(  # type: ignore[no-untyped-call]
        source_credentials=source, target_principal=account, target_scopes=[SCOPE]
    )


def _local(account: str) -> Credentials:
    if not account:
        return AnonymousCredentials()  # type: ignore[no-untyped-call]
    return TokenCredentials(token=account)  # type: ignore[no-untyped-call]

"""BigQuery clients: one per identity and process, to Google or to a local server."""

import google.auth
from google.api_core.client_options import ClientOptions
from google.api_core.retry import Retry, if_exception_type
from google.auth import impersonated_credentials
from google.auth.credentials import AnonymousCredentials, Credentials
from google.cloud import bigquery
from google.oauth2.credentials import Credentials as TokenCredentials
from requests.adapters import HTTPAdapter

from common.errors import WarehouseError
from common.tenants.service_accounts import ServiceAccountKey
from common.warehouse.self_signed import SelfSigned
from common.warehouse.translation import translated

SCOPE = "https://www.googleapis.com/auth/bigquery"
PATIENCE_SECONDS = 5.0
MOST_CONNECTIONS = 64
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
    """Keep as many connections as there are threads: by default the client throws away all but ten."""
    adapter = HTTPAdapter(pool_maxsize=MOST_CONNECTIONS)
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

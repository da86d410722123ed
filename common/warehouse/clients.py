"""BigQuery clients: one per identity and process, to Google or to a local server."""

from google.auth.credentials import AnonymousCredentials, Credentials
from google.cloud import bigquery


def make_client(
    *, project: str, location: str, emulator_host: str = "", credentials: Credentials | None = None
) -> bigquery.Client:
    """Make a client; with `emulator_host` (`http://host:port`) it speaks to that server."""
    if not emulator_host:
        return bigquery.Client(project=project, location=location, credentials=credentials)
    return bigquery.Client(
        project=project,
        location=location,
        credentials=credentials or AnonymousCredentials(),  # type: ignore[no-untyped-call]
        client_options={"api_endpoint": emulator_host},
    )

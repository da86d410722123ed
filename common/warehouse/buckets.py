"""Files of Cloud Storage, listed by the API's one method that is needed, under a step's own identity.

`google-cloud-core` has what a client of Google's JSON APIs is made of, and comes with the BigQuery client.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

import google.auth
from google.api_core.page_iterator import HTTPIterator
from google.auth import impersonated_credentials
from google.auth.credentials import AnonymousCredentials, Credentials
from google.cloud._http import JSONConnection
from google.cloud.client import Client
from google.oauth2.credentials import Credentials as TokenCredentials

from common.errors import NoSuchResource, NotConfigured, QueryRefused
from common.runs.files import Buckets, StoredFile
from common.tenants.service_accounts import ServiceAccountKey
from common.warehouse.clients import RETRY, TIMEOUT_SECONDS, SelfSigned
from common.warehouse.translation import translated

SCOPE = "https://www.googleapis.com/auth/devstorage.read_only"
ENDPOINT = "https://storage.googleapis.com"
PAGE = 1000
FIELDS = "items(name,generation,size,updated),nextPageToken"

type BucketsOf = Callable[[], Buckets]
"""Makes the buckets of an identity when they are first needed: few steps load files."""


def no_buckets() -> Buckets:
    """Refuse: this function carries out no step."""
    raise NotConfigured("files are listed where steps run")


class _Connection(JSONConnection):
    API_BASE_URL = ENDPOINT
    API_VERSION = "v1"
    API_URL_TEMPLATE = "{api_base_url}/storage/{api_version}{path}"


class _Client(Client):
    SCOPE = (SCOPE,)


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudBuckets:
    """Buckets (`common.runs.files.Buckets`) as an account sees them."""

    connection: JSONConnection

    def files_of(self, bucket: str, prefix: str) -> Iterator[StoredFile]:
        """List files by the beginning of their names, a page at a time."""
        pages = HTTPIterator(  # type: ignore[no-untyped-call]
            client=None,
            api_request=self._request,
            path=f"/b/{quote(bucket, safe='')}/o",
            item_to_value=lambda _pages, item: _file(bucket, item),
            page_size=PAGE,
            extra_params={"prefix": prefix, "fields": FIELDS},
        )
        try:
            with translated():
                yield from pages
        except NoSuchResource as missing:
            raise QueryRefused(f"{missing}: gs://{bucket}", missing.reason) from missing

    def _request(self, **call: Any) -> Any:
        return RETRY(self.connection.api_request)(timeout=TIMEOUT_SECONDS, **call)


def buckets_of_platform(*, acting_as: str = "", emulator_host: str = "") -> CloudBuckets:
    """Return buckets as an account of the platform's sees them; "" is the platform itself."""
    if emulator_host:
        token = TokenCredentials(token=acting_as) if acting_as else AnonymousCredentials()  # type: ignore[no-untyped-call]
        return _buckets(token, emulator_host)
    source, _ = google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])
    if not acting_as:
        return _buckets(source)
    impersonated = impersonated_credentials.Credentials(  # type: ignore[no-untyped-call]
        source_credentials=source, target_principal=acting_as, target_scopes=[SCOPE]
    )
    return _buckets(impersonated)


def buckets_of_account(key: ServiceAccountKey, *, emulator_host: str = "") -> CloudBuckets:
    """Return buckets as the account of a tenant's key sees them."""
    return _buckets(SelfSigned(key, SCOPE), emulator_host)


def _buckets(credentials: Credentials, emulator_host: str = "") -> CloudBuckets:
    client = _Client(credentials=credentials)  # type: ignore[no-untyped-call]
    connection = _Connection(client)  # type: ignore[no-untyped-call]
    if emulator_host:
        connection.API_BASE_URL = emulator_host
    return CloudBuckets(connection=connection)


def _file(bucket: str, item: dict[str, Any]) -> StoredFile:
    return StoredFile(
        uri=f"gs://{bucket}/{item['name']}",
        generation=int(item["generation"]),
        size=int(item.get("size", 0)),
        updated_at=datetime.fromisoformat(item["updated"]),
    )

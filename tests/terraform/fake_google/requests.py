"""A request to one of the APIs, taken apart."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.terraform.fake_google.answers import Json, not_found

_URL = re.compile(r"/(?:upload/)?(?P<service>[a-z0-9_]+)/v\d+/(?P<path>[^:]*)(?::(?P<verb>\w+))?")

# Keys carry the provider's own names of services, as in its settings for custom endpoints.
_SERVICES = {"bigquery": "big_query"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request: method, service, path within the service, verb (`getIamPolicy`), query, body."""

    method: str
    service: str
    path: str
    verb: str
    query: Mapping[str, str]
    body: Json
    base_url: str

    @classmethod
    def parse(cls, method: str, url: str, body: Json, base_url: str) -> Self:
        """Read a URL: `/pubsub/v1/projects/p/topics/t:getIamPolicy?alt=json`."""
        parts = urlsplit(url)
        found = _URL.fullmatch(parts.path)
        if found is None:
            raise not_found(parts.path)
        return cls(
            method=method,
            service=_SERVICES.get(found["service"], found["service"]),
            # A slash inside a name stays %2F: it does not part two names.
            path="/".join(unquote(name).replace("/", "%2F") for name in found["path"].split("/")),
            verb=found["verb"] or "",
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            body=body,
            base_url=base_url,
        )

    @property
    def key(self) -> str:
        """Where the store keeps the resource, or the key of the collection."""
        return f"{self.service}/{self.path}"

    @property
    def project(self) -> str:
        """The project of the path, or of the query; "" where neither names one."""
        found = re.search(r"projects/([^/]+)", self.path)
        return found[1] if found else self.query.get("project", "")

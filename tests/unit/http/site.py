"""A function as its callers see it: `answer` behind a client that checks each answer against the document."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from werkzeug.test import Client, TestResponse, create_environ, run_wsgi_app
from werkzeug.wrappers import Request, Response

from common.http.edge import Edge, Services, SystemEdge
from common.http.endpoints.system import SYSTEM_ROUTES
from common.http.openapi import make_document
from common.http.routing import RouteTable
from common.http.schemas import violations_of
from common.http.server import answer
from common.tenants.authentication import AdminKeys, Authenticator, KnownKey
from common.tenants.keys import ALL_SCOPES, ApiKey, KeyRecord, Scope
from common.tenants.tenant import TenantStatus
from tests.fakes.audit import an_auditor
from tests.fakes.clock import START, VirtualClock

ADMIN_KEY = "an-operators-key"
FROM_HERE = {"REMOTE_ADDR": "127.0.0.1"}


def key_of(tenant_id: str, scopes: frozenset[Scope] = ALL_SCOPES) -> ApiKey:
    """Return the key of a tenant that has these scopes; the same one each time."""
    letters = "".join(sorted(scope.value[:2] for scope in scopes))
    return ApiKey(tenant_id=tenant_id, text=f"{tenant_id}_api_{letters:0<16}")


class KnownKeys:
    """A `KeyStore` that knows every key of `key_of`."""

    def find_key(self, api_key_hash: str) -> KnownKey | None:
        for tenant_id in ("acme", "other"):
            for scopes in (ALL_SCOPES, *(frozenset({scope}) for scope in Scope)):
                key = key_of(tenant_id, scopes)
                if key.api_key_hash == api_key_hash:
                    return KnownKey(record=_record(key, scopes), tenant_status=TenantStatus.ACTIVE)
        return None


def _record(key: ApiKey, scopes: frozenset[Scope]) -> KeyRecord:
    return KeyRecord(
        api_key_id=f"key-of-{key.tenant_id}",
        api_key_hash=key.api_key_hash,
        tenant_id=key.tenant_id,
        key_prefix=key.prefix,
        scopes=scopes,
        is_active=True,
        created_at=START,
        created_by="test",
    )


def edge(**more: Any) -> Edge:
    """Make an edge that knows acme's and other's keys and one admin key."""
    usual: dict[str, Any] = {
        "authenticator": Authenticator(store=KnownKeys(), clock=VirtualClock()),
        "admin_keys": AdminKeys([ADMIN_KEY]),
        "auditor": an_auditor(),
    }
    return Edge(**usual | more)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bare:
    """Services that are nothing but an edge."""

    edge: Edge = field(default_factory=edge)


class Site[S: Services]:
    """A function's HTTP side."""

    def __init__(self, routes: RouteTable[S], services: S, system: SystemEdge | None = None) -> None:
        self._routes = routes
        self._client = Client(Request.application(self._answer))
        self._services = services
        self._system = system or SystemEdge()
        self._document = make_document([*routes, *SYSTEM_ROUTES])

    def _answer(self, request: Request) -> Response:
        return answer(request, self._routes, services=lambda: self._services, system=lambda: self._system)

    def ask(
        self,
        method: str,
        path: str,
        *,
        key: ApiKey | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> TestResponse:
        """Send a request and check that the answer is one that the document foretells."""
        given = dict(headers or {}) | ({"X-API-Key": key.text} if key else {})
        response = self._client.open(path, method=method, headers=given, environ_base=FROM_HERE, **more)
        if method not in {"HEAD", "OPTIONS"}:
            self._check(method, path.partition("?")[0], response)
        return response

    def ask_as_sent(self, target: str, key: ApiKey) -> TestResponse:
        """Send a request whose target is not tidied up by the client: as it stands in the request line."""
        path, _, query = target.removeprefix("http://localhost").partition("?")
        environ = create_environ("/", query_string=query, headers={"X-API-Key": key.text})
        environ |= {"PATH_INFO": unquote(path), "RAW_URI": target, "REQUEST_URI": target}
        app = Request.application(self._answer)
        return TestResponse(*run_wsgi_app(app, environ), request=Request(environ))

    def _check(self, method: str, path: str, response: TestResponse) -> None:
        if response.status_code >= 400:
            assert response.content_type == "application/problem+json"
            assert violations_of("problem", response.json) == []
        operation = self._operation(method, path)
        if operation is None:
            assert response.status_code in {400, 404, 405, 431}
            return
        documented = operation["responses"][str(response.status_code)]
        if shared := documented.get("$ref"):
            documented = self._document["components"]["responses"][shared.rpartition("/")[2]]
        if "content" not in documented:
            assert not response.data
            return
        media_type = response.content_type.partition(";")[0]
        if media_type == "text/csv":
            assert media_type in documented["content"]
            return
        schema = documented["content"][media_type]["schema"]["$ref"].rpartition("/")[2]
        assert violations_of(schema, json.loads(response.data)) == []

    def _operation(self, method: str, path: str) -> dict[str, Any] | None:
        for table in (self._routes, SYSTEM_ROUTES):
            if table.has(path) and method in table.methods_of(path):
                operation: dict[str, Any] = self._document["paths"][table.match(path, method)[0].path][
                    method.lower()
                ]
                return operation
        return None


class Lines(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

"""One request, one answer: match, authenticate, read, call the endpoint; what is raised becomes a problem."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import perf_counter

from werkzeug.wrappers import Request, Response

from common.http.admitting import admit
from common.http.auditing import audited
from common.http.bodies import read_content, read_json
from common.http.calls import Answer, Call, Content, Services
from common.http.parameters import read_parameters
from common.http.refusing import refuse
from common.http.requests import check_headers, request_id_of, source_of
from common.http.responses import add_standard_headers, json_response
from common.http.routes import Access, Route, RouteTable
from common.http.standing import STANDING_ROUTES
from common.logs import Trace, continued, log_context
from common.tenants.authentication import Caller

logger = logging.getLogger(__name__)


def answer[S: Services](request: Request, routes: RouteTable[S], *, services: S) -> Response:
    """Answer a request by one of the routes, or by /health or /openapi.json. Never raises."""
    exchange = Exchange(request=request, services=services, routes=routes)
    with log_context(trace=exchange.trace, request=exchange.request_id):
        response = exchange.answer()
        add_standard_headers(response, request, exchange.request_id)
        exchange.log(response)
    return response


@dataclass(slots=True, kw_only=True)
class Exchange[S: Services]:
    """A request on its way to its answer; `access`, `template` and `caller` are known once it is so far."""

    request: Request
    services: S
    routes: RouteTable[S]
    started: float = field(default_factory=perf_counter)
    access: Access = Access.PUBLIC
    template: str = ""
    caller: Caller | None = None
    request_id: str = field(init=False)
    trace: Trace = field(init=False)

    def __post_init__(self) -> None:
        self.request_id = request_id_of(self.request)
        self.trace = continued(
            self.request.headers.get("traceparent", ""),
            self.request.headers.get("X-Cloud-Trace-Context", ""),
        )

    def answer(self) -> Response:
        """Answer, or answer with the problem that came up."""
        try:
            result = self._call()
            return json_response(result.body, result.status, result.headers)
        except Exception as error:  # noqa: BLE001 - the last line of defence: functions_framework would answer HTML
            with log_context(tenant=self._tenant):
                return refuse(self.request, error, self.request_id, self.access)

    def log(self, response: Response) -> None:
        """Write the access line: the route's template, never the path, which holds the caller's own words."""
        logger.info(
            "request answered",
            extra={
                "method": self.request.method,
                "route": self.template,
                "status": response.status_code,
                "duration_ms": round((perf_counter() - self.started) * 1000, 1),
                "tenant": self._tenant,
            },
        )

    @property
    def _tenant(self) -> str | None:
        return self.caller.tenant_id if self.caller else None

    def _call(self) -> Answer:
        check_headers(self.request)
        if self.request.method == "OPTIONS":
            return self._options()
        route, path_values = self._match()
        self.access, self.template = route.access, route.path
        key = self.request.headers.get(route.access.key_header)
        self.caller = admit(self.services.edge, route.access, key, self._source)
        with log_context(tenant=self._tenant):
            if self.caller:
                self.services.edge.auditor.note_use(self.caller, self._source)
            call = self._read(route, path_values)
            with audited(route, call, key if route.access is Access.ADMIN else None):
                return route.endpoint(call)

    def _options(self) -> Answer:
        methods = self._table_of(self.request.path).methods_of(self.request.path)
        return Answer(body=None, status=204, headers={"Allow": ", ".join(methods)})

    def _match(self) -> tuple[Route[S], dict[str, str]]:
        return self._table_of(self.request.path).match(self.request.path, self.request.method)

    def _table_of(self, path: str) -> RouteTable[S]:
        return STANDING_ROUTES if STANDING_ROUTES.has(path) else self.routes

    @property
    def _source(self) -> str:
        return source_of(self.request, self.services.edge.trusted_proxies)

    def _read(self, route: Route[S], path_values: Mapping[str, str]) -> Call[S]:
        values = read_parameters(self.request, route, path_values)
        content = Content(data=b"", content_type="")
        if route.takes_any_content or route.request_schema:
            content = read_content(self.request, route.max_body_bytes)
        return Call(
            services=self.services,
            path=values.path,
            query=values.query,
            headers=values.header,
            body=read_json(content, route.request_schema) if route.request_schema else {},
            content=content,
            identity=self.caller,
            source=self._source,
            request_id=self.request_id,
            trace=self.trace,
        )

"""One request, one answer: match, authenticate, read, call the endpoint; what is raised becomes a problem."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from time import perf_counter
from typing import Any

import flask
from werkzeug import exceptions as http
from werkzeug.wrappers import Request, Response

from common.errors import InputTooLarge, NotFound
from common.http.edge import Edge, Services, SystemEdge, admit, audited
from common.http.endpoints.system import SYSTEM_ROUTES
from common.http.request_input import (
    check_headers,
    check_path,
    check_target,
    read_content,
    read_json,
    read_parameters,
    request_id_of,
    source_of,
)
from common.http.responses import (
    add_standard_headers,
    body_response,
    level_of,
    problem_of,
    refusal,
    refuse,
    stack_of,
    told_of,
)
from common.http.routing import Access, Answer, Call, Content, Route, RouteTable
from common.logs import Trace, continued, log_context
from common.request_bodies import exhaust
from common.tenants.authentication import Caller

logger = logging.getLogger(__name__)


def answer[S: Services](
    request: Request, routes: RouteTable[S], *, services: Callable[[], S], system: Callable[[], SystemEdge]
) -> Response:
    """Answer a request by one of the routes, or by /health or /openapi.json. Never raises.

    What the routes stand on is asked for once a request needs it: the system routes answer without it.
    """
    exchange = RequestHandler(request=request, services=services, system=system, routes=routes)
    with log_context(trace=exchange.trace, request=exchange.request_id):
        response = exchange.answer()
        add_standard_headers(response, request, exchange.request_id)
        exchange.log(response)
    return response


@dataclass(slots=True, kw_only=True)
class RequestHandler[S: Services]:
    """A request on its way to its answer; `access`, `template` and `caller` are known once it is so far."""

    request: Request
    services: Callable[[], S]
    system: Callable[[], SystemEdge]
    routes: RouteTable[S]
    started: float = field(default_factory=perf_counter)
    access: Access = Access.PUBLIC
    template: str = ""
    caller: Caller | None = None
    error: Exception | None = None
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
            return body_response(result.body, result.status, result.headers, result.content_type)
        except Exception as error:  # noqa: BLE001 - the last line of defence: functions_framework would answer HTML
            self.error = error
            return refusal(self.request, problem_of(error, self.access), self.request_id)

    def log(self, response: Response) -> None:
        """Write the one line of a request: the route's template, never the path, which is the caller's words.

        A problem is told of in the same line, with a stack where nobody has foreseen it.
        """
        error = self.error
        problem = problem_of(error, self.access) if error else None
        logger.log(
            level_of(problem) if problem else logging.INFO,
            "request answered",
            exc_info=stack_of(error) if error else None,
            extra=(told_of(problem, error) if problem and error else {})
            | {
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
        edge = self.system()  # Reads the settings, and sets the log up by them, whatever else comes up.
        check_target(self.request)
        check_headers(self.request)
        check_path(self.request)
        is_system = SYSTEM_ROUTES.has(self.request.path)
        if self.request.method == "OPTIONS":
            return self._options(SYSTEM_ROUTES if is_system else self.routes)
        return self._call_system(edge) if is_system else self._call_route()

    def _options(self, table: RouteTable[Any]) -> Answer:
        methods = table.methods_of(self.request.path)
        return Answer(body=None, status=204, headers={"Allow": ", ".join(methods)})

    def _call_system(self, edge: SystemEdge) -> Answer:
        route, path_values = SYSTEM_ROUTES.match(self.request.path, self.request.method)
        self.template = route.path
        return route.endpoint(self._read(route, path_values, edge, self._source(edge)))

    def _call_route(self) -> Answer:
        route, path_values = self.routes.match(self.request.path, self.request.method)
        self.access, self.template = route.access, route.path
        services = self.services()
        source = self._source(services.edge)
        key = self.request.headers.get(route.access.key_header)
        self.caller = admit(services.edge, route.access, key, source)
        with log_context(tenant=self._tenant):
            if self.caller:
                services.edge.auditor.note_use(self.caller, source)
            call = self._read(route, path_values, services, source)
            with audited(route, call, key if route.access is Access.ADMIN else None):
                return route.endpoint(call)

    def _source(self, edge: SystemEdge | Edge) -> str:
        return source_of(self.request, edge.trusted_proxies)

    def _read[T](self, route: Route[T], path_values: Mapping[str, str], services: T, source: str) -> Call[T]:
        values = read_parameters(self.request, route, path_values)
        content = Content(data=b"", content_type="")
        if route.takes_any_content or route.request_schema:
            content = read_content(self.request, route.max_body_bytes)
        return Call(
            services=services,
            path=values.path,
            query=values.query,
            headers=values.header,
            body=read_json(content, route.request_schema) if route.request_schema else {},
            content=content,
            identity=self.caller,
            source=source,
            request_id=self.request_id,
            trace=self.trace,
        )


type Handler = Callable[[flask.Request], Response]


def problem_details(function: Handler) -> Handler:
    """Make a function answer in problems even where it fails before it gets to `answer`: in its wiring.

    The framework keeps some requests from the function (/robots.txt, a line break in the path); loaded by the
    framework, the app that it makes answers those in problems too.
    """
    if flask.has_app_context():
        flask.current_app.register_error_handler(http.HTTPException, _outside)

    @wraps(function)
    def answered(request: flask.Request) -> Response:
        try:
            return function(request)
        except Exception as error:  # noqa: BLE001 - the last line of defence, as in `answer`
            return _refused(request, error)
        finally:
            exhaust(request)

    return answered


def _outside(error: http.HTTPException) -> Response:
    return _refused(flask.request, _translated(error))


def _refused(request: flask.Request, error: Exception) -> Response:
    request_id = request_id_of(request)
    response = refuse(request, error, request_id)
    add_standard_headers(response, request, request_id)
    return response


def _translated(error: http.HTTPException) -> Exception:
    match error:
        case http.NotFound():
            return NotFound("there is nothing at this path")
        case http.RequestEntityTooLarge():
            return InputTooLarge("the body is longer than any route takes")
        case _:
            return error

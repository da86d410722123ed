"""The OpenAPI 3.1 document of all functions, made from the routes, the schemas and the table of problems."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from itertools import groupby
from typing import Any

from werkzeug import exceptions as http
from werkzeug.http import HTTP_STATUS_CODES

from common import errors
from common.http.endpoints.admin import ADMIN_ROUTES
from common.http.endpoints.pipelines import PIPELINE_ROUTES
from common.http.endpoints.system import SYSTEM_ROUTES
from common.http.endpoints.tenants import TENANT_ROUTES
from common.http.responses import kind_of, problem_of
from common.http.routing import Access, Parameter, Place, Route
from common.http.schemas import schemas

INFO = {
    "title": "Convergence",
    "version": "0.1.0",
    "description": "Run data pipelines on BigQuery: onboard a tenant, upload a pipeline, run it, follow it.",
    "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
}
SECURITY_SCHEMES = {
    "ApiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "A tenant's key, `<tenant_id>_api_<16 characters>`; it tells which tenant is meant.",
    },
    "AdminKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Admin-Key",
        "description": "An operator's key.",
    },
}
_JSON = "application/json"
_PROBLEM = "application/problem+json"
_NOON = datetime(2024, 1, 18, 12, tzinfo=UTC)

type Json = dict[str, Any]


def make_document(routes: Iterable[Route[Any]]) -> Json:
    """Describe the routes, with every schema they use and every problem they answer with."""
    paths: dict[str, Json] = {}
    problems: dict[str, Json] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
        for classes in _problem_groups(route).values():
            problems.setdefault(_problem_name(classes), _problem_answer(classes))
    return {
        "openapi": "3.1.0",
        "info": INFO,
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": {name: _embedded(schema) for name, schema in schemas().items()},
            "responses": dict(sorted(problems.items())),
            "securitySchemes": SECURITY_SCHEMES,
        },
    }


def problems_of(route: Route[Any]) -> list[type[Exception]]:
    """Return the errors that a route can answer with: every route's, its access's, its input's, its own."""
    found: list[type[Exception]] = [http.BadRequest, errors.InvalidInput, http.RequestHeaderFieldsTooLarge]
    found += [Exception, errors.Unavailable, *route.problems]
    if route.access is not Access.PUBLIC:
        found += [errors.Unauthenticated, errors.Forbidden, errors.RateLimited]
    if route.access is Access.ADMIN:
        found.append(errors.NotConfigured)
    if route.request_schema or route.takes_any_content:
        found += [errors.MalformedInput, errors.InputTooLarge, errors.UnsupportedContentType]
    if route.parameters_in(Place.PATH):
        found.append(errors.NotFound)
    return found


def _operation(route: Route[Any]) -> Json:
    operation: Json = {
        "operationId": route.name,
        "tags": [route.tag],
        "summary": route.summary.rstrip("."),
        "security": _security(route.access),
        "parameters": [_parameter(parameter) for parameter in route.parameters],
        "responses": _answers(route) | _problem_answers(route),
    }
    if route.description:
        operation["description"] = route.description
    if body := _request_body(route):
        operation["requestBody"] = body
    return operation


def _security(access: Access) -> list[Json]:
    if access.scope:
        return [{"ApiKey": [access.scope.value]}]
    return [{"AdminKey": []}] if access is Access.ADMIN else []


def _parameter(parameter: Parameter) -> Json:
    return {
        "name": parameter.name,
        "in": parameter.place.value,
        "description": parameter.description,
        "required": parameter.is_required or parameter.place is Place.PATH,
        "schema": dict(parameter.schema),
        "example": parameter.example,
    }


def _request_body(route: Route[Any]) -> Json | None:
    if route.request_schema:
        is_required = "required" in schemas()[route.request_schema]
        return {"required": is_required, "content": {_JSON: {"schema": _reference(route.request_schema)}}}
    if route.takes_any_content:
        content = {kind: {"schema": {}, "example": text} for kind, text in route.content_examples.items()}
        return {"required": True, "content": content | {"*/*": {"schema": {}}}}
    return None


def _answers(route: Route[Any]) -> Json:
    answers = {str(status): _answer(status, schema) for status, schema in sorted(route.answers.items())}
    for kind, example in route.texts.items():
        answers["200"]["content"][kind] = {"schema": {"type": "string"}, "example": example}
    return answers


def _answer(status: int, schema: str | None) -> Json:
    answer: Json = {"description": HTTP_STATUS_CODES[status], "headers": _HEADERS}
    if schema:
        answer["description"] = schemas()[schema]["description"]
        answer["content"] = {_JSON: {"schema": _reference(schema)}}
    return answer


def _problem_answers(route: Route[Any]) -> Json:
    """Refer to what many routes share: a few sets of problems."""
    return {
        str(status): {"$ref": f"#/components/responses/{_problem_name(classes)}"}
        for status, classes in _problem_groups(route).items()
    }


def _problem_groups(route: Route[Any]) -> dict[int, list[type[Exception]]]:
    by_status = sorted(problems_of(route), key=lambda error: kind_of(error).status)
    return {
        status: list(classes)
        for status, classes in groupby(by_status, key=lambda error: kind_of(error).status)
    }


def _problem_name(classes: list[type[Exception]]) -> str:
    return "-or-".join(dict.fromkeys(kind_of(error).name for error in classes))


def _problem_answer(classes: list[type[Exception]]) -> Json:
    kinds = {kind_of(error): error for error in classes}
    examples = {kind.name: {"value": _example(error)} for kind, error in kinds.items()}
    headers = {name: header for error in kinds.values() for name, header in _problem_headers(error).items()}
    return {
        "description": " ".join(kind.meaning for kind in kinds),
        "headers": _HEADERS | headers,
        "content": {_PROBLEM: {"schema": _reference("problem"), "examples": examples}},
    }


def _problem_headers(error: type[Exception]) -> Json:
    names = problem_of(_sample(error)).headers
    return {name: {"description": _HEADER_MEANINGS[name], "schema": {"type": "string"}} for name in names}


def _example(error: type[Exception]) -> Json:
    sample = problem_of(_sample(error))
    return sample.body("/api/v1/pipelines/run/bq_etl_test", "5f0c1f3e-7d0a-4a55-8f5c-0a7d1c6a9d42")


def _sample(error: type[Exception]) -> Exception:
    """Make an error as it might be raised, for an example."""
    if issubclass(error, errors.MalformedInput):
        return error("must be UTF-8: byte 12 is not")
    if issubclass(error, errors.InvalidInput):
        return error(
            [errors.Violation("/query/limit", "must be at most 100")], "the request's parameters break rules"
        )
    if issubclass(error, errors.BudgetExceeded):
        return error(
            limit_name="max_bytes_per_month",
            scope="pipeline",
            whose="the pipeline",
            used=2**40,
            held=0,
            limit=2**40,
            is_held=False,
            resets_at=_NOON.replace(month=2, day=1, hour=0),
            now=_NOON,
        )
    if issubclass(error, errors.QuotaExceeded):
        tomorrow = _NOON.replace(day=19, hour=0)
        return error(limit_name="daily", used=6, limit=6, resets_at=tomorrow, now=_NOON)
    if issubclass(error, errors.RateLimited):
        return error("too many requests from this address", retry_after_seconds=60)
    return error(kind_of(error).meaning)


def _reference(schema: str) -> Json:
    return {"$ref": f"#/components/schemas/{schema}"}


def _embedded(schema: Any) -> Any:
    """Turn references between files into references within the document."""
    if isinstance(schema, Mapping):
        return {
            key: f"#/components/schemas/{value.removesuffix('.json')}" if key == "$ref" else _embedded(value)
            for key, value in schema.items()
            if key != "$schema"
        }
    return [_embedded(item) for item in schema] if isinstance(schema, list) else schema


_HEADERS = {
    "X-Request-Id": {"description": "The ID of the request, for reports.", "schema": {"type": "string"}}
}
_HEADER_MEANINGS = {
    "Retry-After": "Seconds after which to try again.",
    "WWW-Authenticate": "Which header takes the key.",
    "Allow": "The methods that the path takes.",
}


def all_routes() -> list[Route[Any]]:
    """Return the routes of every function."""
    return [*TENANT_ROUTES, *PIPELINE_ROUTES, *ADMIN_ROUTES, *SYSTEM_ROUTES]


def api_document() -> Json:
    """Return the document of every function's routes, anew each time: it is made once and then copied."""
    document: Json = json.loads(_document_text())
    return document


@cache
def _document_text() -> str:
    return json.dumps(make_document(all_routes()))

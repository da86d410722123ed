"""Requests that nobody would think of, made from a function's own document; it takes long to load."""

import warnings
from functools import cache
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings

from common.http.routing import Route
from tests.functional.site import Site

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # What others' packages say of each other.
    import schemathesis
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        response_schema_conformance,
        status_code_conformance,
    )

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@cache
def document_of(site: Site, function: str) -> Any:
    """Ask a function for its own document."""
    return schemathesis.openapi.from_wsgi("/openapi.json", app=site.functions[function].application)


def fuzz(site: Site, function: str, route: Route[Any], headers: dict[str, str], requests: int) -> list[Any]:
    """Send so many requests to a route, each of which has to be answered as the document says; return them.

    One more where it takes a body, which has more in it that can be wrong.
    """
    sent: list[Any] = []

    @given(case=document_of(site, function)[route.path][route.method].as_strategy())
    @settings(
        max_examples=requests + bool(route.request_schema or route.takes_any_content),
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def send(case: Any) -> None:
        sent.append(case)
        case.call_and_validate(headers=headers, checks=CHECKS)

    send()
    return sent

"""The functions against what their own document says, by requests that nobody would think of."""

import warnings
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from common.http.endpoints.admin import ADMIN_ROUTES
from common.http.endpoints.pipelines import PIPELINE_ROUTES
from common.http.endpoints.tenants import TENANT_ROUTES
from common.http.routing import Route
from tests.functional.environment import ADMIN_KEY
from tests.functional.intruders import Duel
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

REQUESTS, REQUESTS_WITH_BODY = 4, 10
"""Of each route, whatever the machine's pace: a body has more in it that can be wrong."""
CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
# They change what all other tests stand on.
LEFT_OUT = {"bootstrap_platform", "pause_scheduler", "resume_scheduler", "run_scheduler"}
ROUTES: list[tuple[str, Route[Any]]] = [
    (function, route)
    for function, table in (
        ("admin", ADMIN_ROUTES),
        ("onboarding", TENANT_ROUTES),
        ("pipelines", PIPELINE_ROUTES),
    )
    for route in table
    if route.name not in LEFT_OUT
]


@cache
def document_of(site: Site, function: str) -> Any:
    """Ask a function for its own document."""
    return schemathesis.openapi.from_wsgi("/openapi.json", app=site.functions[function].application)


@pytest.mark.parametrize(("function", "route"), ROUTES, ids=[route.name for _, route in ROUTES])
@pytest.mark.filterwarnings("ignore")
def test_a_route_answers_as_its_document_says(
    site: Site, duel: Duel, function: str, route: Route[Any]
) -> None:
    document = document_of(site, function)
    keys = {"X-API-Key": duel.attacker.key, "X-Admin-Key": ADMIN_KEY}
    sent: list[Any] = []

    @given(case=document[route.path][route.method].as_strategy())
    @settings(
        max_examples=REQUESTS_WITH_BODY if route.request_schema or route.takes_any_content else REQUESTS,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def fuzz(case: Any) -> None:
        sent.append(case)
        case.call_and_validate(headers=keys, checks=CHECKS)

    fuzz()
    assert sent

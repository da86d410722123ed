"""The functions against what their own document says, by requests that nobody would think of; few of them.

`check_fuzz` sends many.
"""

from typing import Any

import pytest

from common.http.endpoints.admin import ADMIN_ROUTES
from common.http.endpoints.pipelines import PIPELINE_ROUTES
from common.http.endpoints.tenants import TENANT_ROUTES
from common.http.routing import Route
from tests.functional.environment import ADMIN_KEY
from tests.functional.intruders import Duel
from tests.functional.site import Site

# They change what all other tests stand on.
LEFT_OUT = {"bootstrap_platform", "pause_scheduler", "resume_scheduler", "run_scheduler"}
REQUESTS = 2
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


@pytest.mark.parametrize(("function", "route"), ROUTES, ids=[route.name for _, route in ROUTES])
@pytest.mark.filterwarnings("ignore")
def test_a_route_answers_as_its_document_says(
    site: Site, duel: Duel, function: str, route: Route[Any]
) -> None:
    from tests.functional.fuzzing import fuzz  # noqa: PLC0415 - the other processes of the tests do not need it

    headers = {"X-API-Key": duel.attacker.key, "X-Admin-Key": ADMIN_KEY}
    assert fuzz(site, function, route, headers, REQUESTS)

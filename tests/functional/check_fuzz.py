"""Many requests to each route that nobody would think of: the long form of `test_fuzz`."""

from typing import Any

import pytest

from common.http.routing import Route
from tests.functional.environment import ADMIN_KEY
from tests.functional.fuzzing import fuzz
from tests.functional.intruders import Duel
from tests.functional.site import Site
from tests.functional.test_fuzz import ROUTES

REQUESTS = 10


@pytest.mark.parametrize(("function", "route"), ROUTES, ids=[route.name for _, route in ROUTES])
@pytest.mark.filterwarnings("ignore")
def test_a_route_answers_many_requests_as_its_document_says(
    site: Site, duel: Duel, function: str, route: Route[Any]
) -> None:
    headers = {"X-API-Key": duel.attacker.key, "X-Admin-Key": ADMIN_KEY}
    assert len(fuzz(site, function, route, headers, REQUESTS)) > 2

"""The plan's limits, reached over HTTP."""

from collections.abc import Iterator

import pytest

from tests.e2e.platforms import RunningPlatform
from tests.e2e.tenants import Answer, Tenant, query_step

# Minutes of work for one core: whoever starts it has to cancel it.
ENDLESS = (
    "SELECT COUNT(*) AS n FROM UNNEST(GENERATE_ARRAY(1, 1000000)) a, UNNEST(GENERATE_ARRAY(1, 1000000)) b"
)


@pytest.fixture
def busy(platform: RunningPlatform) -> Iterator[tuple[Tenant, list[str]]]:
    """Onboard a tenant with six runs a day and three at once, and take its three slots."""
    starter = Tenant.onboard(platform.url, plan="STARTER")
    starter.upload("endless", query_step("a", ENDLESS, "numbers"))
    starter.upload("quick", query_step("a", "SELECT 1 AS one", "ones"))
    runs = [starter.run("endless") for _ in range(3)]
    yield starter, runs
    for run_id in runs:
        starter.ask("POST", f"/api/v1/pipelines/cancel/{run_id}")


def test_a_limit_tells_its_numbers_and_when_to_come_back(busy: tuple[Tenant, list[str]]) -> None:
    starter, runs = busy
    refused = starter.ask("POST", "/api/v1/pipelines/run/quick", {})
    assert numbers(refused) == ("concurrent", 3, 3)
    assert int(refused.headers["Retry-After"]) == 60

    for run_id in runs:
        assert starter.ask("POST", f"/api/v1/pipelines/cancel/{run_id}").status == 202
    assert {starter.ended(run_id)["status"] for run_id in runs} == {"CANCELLED"}

    for _ in range(3):
        starter.completed("quick")
    refused = starter.ask("POST", "/api/v1/pipelines/run/quick", {})
    assert numbers(refused) == ("daily", 6, 6)
    assert 60 < int(refused.headers["Retry-After"]) <= 24 * 3600
    assert starter.ask("GET", "/api/v1/tenants/quota").body["daily"]["remaining"] == 0


def numbers(refused: Answer) -> tuple[str, int, int]:
    """Read which limit refused a run, and its numbers."""
    assert refused.status == 429
    assert refused.headers["Content-Type"] == "application/problem+json"
    return refused.body["limit_name"], refused.body["used"], refused.body["limit"]

"""One platform for this folder, as `make run` starts it, and tenants on it."""

from collections.abc import Iterator

import pytest
from google.cloud import bigquery

from tests.e2e.curl import typed
from tests.e2e.platforms import ADMIN_KEY, RunningPlatform, running_platform
from tests.e2e.tenants import Answer, Tenant


@pytest.fixture(scope="package")
def fresh_platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """Start a platform."""
    with running_platform(tmp_path_factory.mktemp("platform") / "platform.log") as running:
        yield running


@pytest.fixture(scope="package")
def bootstrap(fresh_platform: RunningPlatform, tmp_path_factory: pytest.TempPathFactory) -> Answer:
    """Set the platform up with the guide's own command."""
    home = tmp_path_factory.mktemp("curl")
    return typed("bootstrap", f"127.0.0.1:{fresh_platform.port}", home, ADMIN_API_KEY=ADMIN_KEY)


@pytest.fixture(scope="package")
def platform(fresh_platform: RunningPlatform, bootstrap: Answer) -> RunningPlatform:
    """Return a platform that has been set up."""
    assert bootstrap.status == 200, bootstrap.body
    return fresh_platform


@pytest.fixture(scope="package")
def tables(fresh_platform: RunningPlatform) -> Iterator[bigquery.Client]:
    """Connect to the platform's BigQuery with Google's own client."""
    with fresh_platform.bigquery() as client:
        yield client


@pytest.fixture(scope="module")
def tenant(platform: RunningPlatform) -> Tenant:
    """Onboard a tenant that no other module knows."""
    return Tenant.onboard(platform.url)

"""One site for all functional tests: all functions, BigQuery and Pub/Sub in this process."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.functional.environment import THEIRS
from tests.functional.intruders import Duel, a_duel
from tests.functional.serving import serving
from tests.functional.site import Site, Tenant, numbered

if TYPE_CHECKING:
    from tests.functional.consoles import Browser

_servers = ExitStack()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Stop the servers, and take the environment back, after the last test of this folder."""
    if nextitem is None or Path(__file__).parent not in nextitem.path.parents:
        _servers.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Start the servers, point the functions at them, and set the central dataset up."""
    return _servers.enter_context(serving(tmp_path_factory.mktemp("functional")))


@pytest.fixture(scope="session")
def their_project(site: Site) -> str:
    """Make a second project: `sales.orders` and `closed.orders`, which no account may read yet."""
    from common.wiring import ADAPTERS  # noqa: PLC0415 - reads the environment, which is set by now

    for dataset in ("sales", "closed"):
        ADAPTERS.platform_client.create_dataset(f"{THEIRS}.{dataset}")
        site.rows(f"CREATE TABLE `{THEIRS}.{dataset}.orders` AS SELECT 1 AS n UNION ALL SELECT 2")
    return THEIRS


@pytest.fixture(scope="session")
def duel(site: Site, tenant_ids: Iterator[str]) -> Duel:
    """Onboard a tenant that attacks, and one that has all that is worth attacking: no attack changes it."""
    return a_duel(site, tenant_ids)


@pytest.fixture(scope="session")
def tenant_ids() -> Iterator[str]:
    """Give each test tenants of its own."""
    return numbered("acme")


@pytest.fixture
def quiet_site(site: Site) -> Site:
    """Give a test the platform with nothing of an earlier test left on its way."""
    site.drain()
    site.bigquery.faults.reset()
    return site


@pytest.fixture
def tenant(quiet_site: Site, tenant_ids: Iterator[str]) -> Tenant:
    """Onboard a tenant."""
    return quiet_site.onboard(next(tenant_ids))


@pytest.fixture(scope="module")
def tenant_of_module(site: Site, tenant_ids: Iterator[str]) -> Tenant:
    """Onboard one tenant for a module."""
    return site.onboard(next(tenant_ids))


@pytest.fixture
def shared_tenant(quiet_site: Site, tenant_of_module: Tenant) -> Tenant:
    """Give a test the tenant of its module: it takes names of its own, and counts what has them alone."""
    return tenant_of_module


@pytest.fixture(scope="session")
def tenant_of_session(site: Site, tenant_ids: Iterator[str]) -> Tenant:
    """Onboard one tenant for all modules that ask little of it."""
    return site.onboard(next(tenant_ids))


@pytest.fixture
def common_tenant(quiet_site: Site, tenant_of_session: Tenant) -> Tenant:
    """Give a test the tenant of many modules: its names are of its own, and it changes nothing for others."""
    return tenant_of_session


@pytest.fixture(scope="module")
def browser_of_module(site: Site, tenant_of_module: Tenant) -> "Browser":
    """Sign the tenant of a module in to the console."""
    from tests.functional.consoles import signed_in  # noqa: PLC0415 - few modules look at the console

    return signed_in(site, tenant_of_module.key)


@pytest.fixture
def browser(browser_of_module: "Browser", shared_tenant: Tenant) -> "Browser":
    """Open the shared tenant's browser, on no page yet."""
    browser_of_module.page = None
    return browser_of_module

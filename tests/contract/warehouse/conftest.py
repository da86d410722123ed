"""An empty local BigQuery for each module, and the central dataset in it."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from local_bigquery.settings import settings

from common.setup.bootstrap import Bootstrap
from common.setup.readiness import StreamingReadiness
from common.setup.recreation import Recreation
from common.times import utc_now
from common.warehouse.backups import CentralBackups
from common.warehouse.bigquery import Central
from common.warehouse.clients import make_client
from common.warehouse.setup import CentralTables
from common.warehouse.streaming import CentralStreamTargets
from common.warehouse.tenant_datasets import ViewsOfTenants

if TYPE_CHECKING:
    from local.bigquery import LocalBigQuery
    from local.storage import StorageServer

DATASET = "tenants"


@pytest.fixture(scope="module")
def central(local_bigquery: "LocalBigQuery") -> Iterator[Central]:
    """Name a central dataset that is not there yet."""
    local_bigquery.reset()
    with connected(local_bigquery) as central:
        yield central


@pytest.fixture(scope="module")
def storage(local_bigquery: "LocalBigQuery") -> Iterator["StorageServer"]:
    """Serve the Cloud Storage whose buckets are folders of the local BigQuery's data."""
    from local.storage import StorageServer  # noqa: PLC0415 - it needs what not every test does

    root = settings.gcs_local_root
    assert root is not None
    server = StorageServer(Path(root))
    with server.serving():
        yield server


@pytest.fixture(scope="session")
def saved_platform(local_bigquery: "LocalBigQuery", tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Set a central dataset up once, and keep a copy of it."""
    local_bigquery.reset()
    with connected(local_bigquery) as central:
        recreation = Recreation(backups=CentralBackups(central=central), dataset=DATASET, clock=utc_now)
        tables, views = CentralTables(central=central), ViewsOfTenants(central=central)
        targets = CentralStreamTargets(central=central, clock=utc_now)
        readiness = StreamingReadiness(targets=targets, clock=utc_now, new_id=lambda: uuid.uuid4().hex)
        Bootstrap(central=tables, tenant_views=views, recreation=recreation, readiness=readiness).run()
    folder = tmp_path_factory.mktemp("platform") / "saved"
    local_bigquery.save(folder)
    return folder


@pytest.fixture(scope="module")
def bootstrapped(local_bigquery: "LocalBigQuery", saved_platform: Path) -> Iterator[Central]:
    """Have the central dataset as it is set up."""
    local_bigquery.reset(saved_platform)
    with connected(local_bigquery) as central:
        yield central


@contextmanager
def connected(server: "LocalBigQuery") -> Iterator[Central]:
    """Connect to a central dataset, whether it is there or not."""
    client = make_client(project=server.project, location="US", emulator_host=server.url)
    yield Central(client=client, dataset=DATASET, location="US")
    client.close()  # type: ignore[no-untyped-call]

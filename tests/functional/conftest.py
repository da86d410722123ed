"""One site for all functional tests: six functions, BigQuery and Pub/Sub in this process."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from google.cloud import pubsub_v1

from local.bigquery import LocalBigQuery
from local.options import options_from_environment
from local.provisioning import TOPICS, provision_scheduler
from local.pubsub import PubSubServer
from local.scheduler import ManualClock, SchedulerServer
from tests.functional.environment import ADMIN_KEY, EXECUTOR, EXECUTOR_OF_ONE, KEYRING, PROJECT
from tests.functional.site import LEVELS, Site, Tenant, numbered

NOBODY = "http://127.0.0.1:9"
"""Where the dispatcher's job calls; its clock stands still, so it calls by hand only."""


_servers = ExitStack()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Stop the servers, and take the environment back, after the last test of this folder."""
    if nextitem is None or Path(__file__).parent not in nextitem.path.parents:
        _servers.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Start the servers, point the functions at them, and set the central dataset up."""
    return _servers.enter_context(_serving(tmp_path_factory.mktemp("functional")))


@contextmanager
def _serving(folder: Path) -> Iterator[Site]:
    if leftover := LocalBigQuery.running():  # other tests' server: there is one per process
        leftover.stop()
    with (
        pytest.MonkeyPatch.context() as environment,
        LocalBigQuery(data_dir=folder, project=PROJECT) as bigquery,
        PubSubServer() as pubsub,
        SchedulerServer(clock=ManualClock(datetime.now(UTC))) as scheduler,
    ):
        for name, value in {
            "GCP_PROJECT_ID": PROJECT,
            "ADMIN_API_KEY": ADMIN_KEY,
            "BIGQUERY_EMULATOR_HOST": bigquery.url,
            "PUBSUB_EMULATOR_HOST": pubsub.address,
            "CLOUD_SCHEDULER_EMULATOR_HOST": scheduler.address,
            "LEVEL_SECONDS": "20",
            "CREDENTIALS_KEYRING": KEYRING,
            "ONBOARDINGS_PER_SOURCE": "1000",
            "ONBOARDINGS_PER_HOUR": "1000",
            "EXECUTOR_SERVICE_ACCOUNT": EXECUTOR,
            "DEDICATED_SERVICE_ACCOUNTS": f"*={EXECUTOR_OF_ONE}",
        }.items():
            environment.setenv(name, value)
        bigquery.access.is_on = True
        _provision()
        provision_scheduler(options_from_environment(), NOBODY)
        site = Site(bigquery)
        site.bootstrap()
        yield site


@pytest.fixture(scope="session")
def tenant_ids() -> Iterator[str]:
    """Give each test tenants of its own."""
    return numbered("acme")


@pytest.fixture
def tenant(site: Site, tenant_ids: Iterator[str]) -> Tenant:
    """Onboard a tenant; nothing of an earlier test is left on its way."""
    site.drain()
    site.bigquery.faults.reset()
    return site.onboard(next(tenant_ids))


def _provision() -> None:
    with pubsub_v1.PublisherClient() as publisher, pubsub_v1.SubscriberClient() as subscriber:
        for topic in TOPICS:
            publisher.create_topic(name=publisher.topic_path(PROJECT, topic))
        topic = publisher.topic_path(PROJECT, "pipeline-levels")
        subscriber.create_subscription(name=LEVELS, topic=topic, ack_deadline_seconds=600)
        dead = publisher.topic_path(PROJECT, "dead-letters")
        subscriber.create_subscription(
            name=subscriber.subscription_path(PROJECT, "dead-letters-dispatcher"), topic=dead
        )

"""The servers that the functions under test run on, all in this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from google.cloud import pubsub_v1

from local.bigquery import LocalBigQuery
from local.options import options_from_environment
from local.platform import OPEN_BUCKET
from local.provisioning import TOPICS, provision_scheduler
from local.pubsub import PubSubServer
from local.scheduler import ManualClock, SchedulerServer
from local.storage import StorageServer
from tests.functional.environment import ADMIN_KEY, EXECUTOR, EXECUTOR_OF_ONE, KEYRING, PROJECT
from tests.functional.site import LEVELS, Site

NOBODY = "http://127.0.0.1:9"
"""Where the dispatcher's job calls; its clock stands still, so it calls by hand only."""


@contextmanager
def serving(folder: Path, level_seconds: int = 20) -> Iterator[Site]:
    """Start the servers, point the functions at them, and set the central dataset up."""
    if leftover := LocalBigQuery.running():  # other tests' server: there is one per process
        leftover.stop()
    with (
        pytest.MonkeyPatch.context() as environment,
        LocalBigQuery(data_dir=folder, project=PROJECT) as bigquery,
        PubSubServer(pull_seconds=0.0) as pubsub,  # A test waits for no message: it is there, or none is.
        SchedulerServer(clock=ManualClock(datetime.now(UTC))) as scheduler,
        StorageServer(folder / "gcs").serving() as storage,
    ):
        for name, value in {
            "GCP_PROJECT_ID": PROJECT,
            "ADMIN_API_KEY": ADMIN_KEY,
            "BIGQUERY_EMULATOR_HOST": bigquery.url,
            "PUBSUB_EMULATOR_HOST": pubsub.address,
            "CLOUD_SCHEDULER_EMULATOR_HOST": scheduler.address,
            "STORAGE_EMULATOR_HOST": storage,
            "ALLOWED_SOURCES": f"bigquery-public-data,gs://{OPEN_BUCKET}",
            "LEVEL_SECONDS": str(level_seconds),
            "CREDENTIALS_KEYRING": KEYRING,
            "NOTICES_REACH_LOOPBACK": "true",
            "ONBOARDINGS_PER_SOURCE": "1000",
            "ONBOARDINGS_PER_HOUR": "1000",
            "EXECUTOR_SERVICE_ACCOUNT": EXECUTOR,
            "DEDICATED_SERVICE_ACCOUNTS": f"*={EXECUTOR_OF_ONE}",
        }.items():
            environment.setenv(name, value)
        bigquery.access.is_on = True
        _know_keys_for_long(environment)
        _provision()
        provision_scheduler(options_from_environment(), NOBODY)
        site = Site(bigquery, pubsub, folder / "gcs")
        site.bootstrap()
        yield site


def _know_keys_for_long(environment: pytest.MonkeyPatch) -> None:
    """Have a key looked up once: what a test counts must not lean on its being done within a minute."""
    from common.wiring import SERVICES  # noqa: PLC0415 - reads the environment, which is set by now

    environment.setattr(SERVICES.authenticator._known, "lifetime", timedelta(days=1))


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

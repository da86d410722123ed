"""Run every test of this folder once for each Pub/Sub server that this machine has."""

from collections.abc import Iterator

import pytest

from tests.contract.pubsub.backends import backends
from tests.contract.pubsub.bench import Bench, clients
from tests.contract.pubsub.receiver import Receiver

PRESENT = backends()


def pytest_report_collectionfinish() -> str:
    """Say which servers take part: the missing ones are not collected."""
    missing = "" if "google" in PRESENT else " (Google's emulator is not installed: gcloud, its jar, java)"
    return f"Pub/Sub servers under contract: {', '.join(PRESENT)}{missing}"


@pytest.fixture(scope="session", params=PRESENT)
def connected(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """Start one server for the whole session, and connect to it."""
    with PRESENT[request.param]() as address, clients(address) as (publisher, subscriber):
        yield Bench(publisher, subscriber)


@pytest.fixture
def pubsub(connected: Bench) -> Iterator[Bench]:
    """Give each test a project of its own."""
    bench = Bench(connected.publisher, connected.subscriber)
    yield bench
    bench.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Listen for pushes."""
    with Receiver() as listening:
        yield listening

"""Our server with a bench on it, for tests of what Google's emulator lacks or does otherwise."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from local.pubsub import PubSubServer
from tests.contract.pubsub.bench import Bench, clients


@contextmanager
def serving(**options: Any) -> Iterator[tuple[PubSubServer, Bench]]:
    """Run a server with these options, and connect clients to it."""
    with PubSubServer(**options) as server, clients(server.address) as (publisher, subscriber):
        yield server, Bench(publisher, subscriber)

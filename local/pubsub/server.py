"""Put the parts together: one Pub/Sub server in this process."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import grpc

from local.pubsub.broker import Broker
from local.pubsub.clock import Clock, SystemClock
from local.pubsub.dispatcher import Dispatcher
from local.pubsub.disturbances import Disturbance
from local.pubsub.journal import Journal
from local.pubsub.messages import MAX_REQUEST_BYTES
from local.pubsub.publisher_service import SERVICE as PUBLISHER
from local.pubsub.publisher_service import Publishes, publisher_methods
from local.pubsub.subscriber_service import MAX_PULL_SECONDS, subscriber_methods
from local.pubsub.subscriber_service import SERVICE as SUBSCRIBER
from local.pubsub.subscriptions import Counts
from local.pubsub.windows import FixedWindow, SlowStart
from local.rpc import services

_GRPC_THREADS = 256
"""A pull that waits holds one; threads are made as they are needed."""

_GRACE_SECONDS = 5.0
"""How long calls under way may take to end; waiting ones are sent away at once."""


class PubSubServer:
    """A Pub/Sub server that clients reach through PUBSUB_EMULATOR_HOST; it starts once and stops once."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        journal: Path | str | None = None,
        disturbance: Disturbance | None = None,
        clock: Clock | None = None,
        pushes_in_flight: int = 64,
        has_slow_start: bool = False,
        pull_seconds: float = MAX_PULL_SECONDS,
    ) -> None:
        """Prepare a server; port 0 takes a free one, `pushes_in_flight` holds for each subscription.

        With `has_slow_start` so many are out at the most, and few at first, as in the cloud. A pull waits for
        messages for `pull_seconds` at the most.
        """
        self._host = host
        self._port = port
        self.publishes = Publishes()
        self._journal = Journal(Path(journal) if journal else None)
        with ExitStack() as opened:
            opened.callback(self._journal.close)
            self._broker = Broker(
                clock=clock or SystemClock(), disturbance=disturbance or Disturbance(), journal=self._journal
            )
            opened.pop_all()
        self._dispatcher = Dispatcher(
            self._broker,
            new_window=partial(SlowStart, most=pushes_in_flight)
            if has_slow_start
            else partial(FixedWindow, size=pushes_in_flight),
        )
        self._threads = ThreadPoolExecutor(max_workers=_GRPC_THREADS, thread_name_prefix="pubsub-grpc")
        self._grpc = grpc.server(
            self._threads,
            handlers=services(
                {
                    PUBLISHER: publisher_methods(self._broker, self.publishes),
                    SUBSCRIBER: subscriber_methods(self._broker, pull_seconds),
                }
            ),
            options=[("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", 2 * MAX_REQUEST_BYTES)],
        )

    def start(self) -> str:
        """Begin to serve, and return the address "host:port". Raises OSError when the port is taken."""
        try:
            port = self._grpc.add_insecure_port(f"{self._host}:{self._port}")
        except RuntimeError as error:
            self._journal.close()
            raise OSError(f"Pub/Sub cannot listen on {self.address}: is the port taken?") from error
        self._grpc.start()
        self._dispatcher.start()
        self._port = port
        return self.address

    @property
    def address(self) -> str:
        """Return "host:port", once started."""
        return f"{self._host}:{self._port}"

    def counts(self) -> dict[str, Counts]:
        """Return what has happened in each subscription, by its full name."""
        with self._broker.changed:
            return {subscription.name: subscription.counts() for subscription in self._broker.subscriptions()}

    def wait_until_idle(self, timeout_seconds: float) -> None:
        """Wait until no push is under way and no push subscription holds a message; raises TimeoutError."""
        with self._broker.changed:
            if not self._broker.changed.wait_for(self._dispatcher.is_idle, timeout_seconds):
                raise TimeoutError(f"Pub/Sub is not idle after {timeout_seconds:g} s: {self._unresolved()}")

    def stop(self, drain_seconds: float = 0.0) -> None:
        """Give pushes under way so much time, cut the others, and end every thread."""
        self._dispatcher.stop(drain_seconds)
        self._broker.close()
        self._grpc.stop(_GRACE_SECONDS).wait()
        self._threads.shutdown()
        self._journal.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _unresolved(self) -> str:
        held = {name: counts for name, counts in self.counts().items() if counts.held}
        return ", ".join(f"{name} holds {counts.held} ({counts.leased} out)" for name, counts in held.items())

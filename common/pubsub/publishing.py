"""Publishing: each message is durable before the caller goes on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from google.api_core import exceptions as google
from google.cloud import pubsub_v1

from common.errors import Unavailable
from common.runs.level_messages import LevelMessage, encode

TIMEOUT_SECONDS = 30.0
PATIENCE_SECONDS = 5.0


def make_publisher() -> pubsub_v1.PublisherClient:
    """Make a client that sends at once: a handler waits for each message, so batching only adds latency.

    PUBSUB_EMULATOR_HOST, if set, is honoured by the client itself.
    """
    return pubsub_v1.PublisherClient(batch_settings=pubsub_v1.types.BatchSettings(max_messages=1))


def make_bulk_publisher() -> pubsub_v1.PublisherClient:
    """Make a client for many messages at once: hundreds go in one request, below its 10 MB."""
    settings = pubsub_v1.types.BatchSettings(max_messages=500, max_bytes=5_000_000, max_latency=0.02)
    return pubsub_v1.PublisherClient(batch_settings=settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One topic of the platform's project."""

    publisher: pubsub_v1.PublisherClient
    project: str
    name: str

    def publish(self, data: bytes, attributes: Mapping[str, str]) -> None:
        """Send one message and wait until Pub/Sub has it; Unavailable where that is not known."""
        self.publish_all([(data, attributes)])

    def publish_all(self, messages: Sequence[tuple[bytes, Mapping[str, str]]]) -> None:
        """Send messages and wait until Pub/Sub has them all; Unavailable where that is not known."""
        path = self.publisher.topic_path(self.project, self.name)
        try:
            sent = [
                self.publisher.publish(path, data, timeout=TIMEOUT_SECONDS, **attributes)
                for data, attributes in messages
            ]
            for future in sent:
                future.result(timeout=TIMEOUT_SECONDS)
        except (google.GoogleAPICallError, google.RetryError, TimeoutError) as error:
            raise Unavailable(
                f"Pub/Sub did not take a message for {self.name}: {type(error).__name__}"
            ) from error

    def exists(self) -> bool:
        """Tell whether Pub/Sub answers and knows the topic."""
        path = self.publisher.topic_path(self.project, self.name)
        try:
            self.publisher.get_topic(topic=path, retry=None, timeout=PATIENCE_SECONDS)
        except (google.GoogleAPICallError, google.RetryError):
            return False
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelTopic:
    """Level messages (`common.runs.ports.LevelPublisher`)."""

    topic: Topic
    bulk: Topic
    """The same topic, by a client for many messages at once."""

    def publish_level(self, message: LevelMessage) -> None:
        """Send the message that starts or continues a level."""
        self.topic.publish(encode(message), _attributes(message))

    def publish_levels(self, messages: Sequence[LevelMessage]) -> None:
        """Send the messages that start levels of many runs."""
        self.bulk.publish_all([(encode(message), _attributes(message)) for message in messages])


def _attributes(message: LevelMessage) -> dict[str, str]:
    run = message.run
    attributes = {"tenant": run.tenant_id, "run": run.run_id, "level": str(message.level)}
    return attributes | ({"traceparent": run.traceparent} if run.traceparent else {})

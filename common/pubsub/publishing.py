"""Publishing: each message is durable before the caller goes on."""

from collections.abc import Mapping
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One topic of the platform's project."""

    publisher: pubsub_v1.PublisherClient
    project: str
    name: str

    def publish(self, data: bytes, attributes: Mapping[str, str]) -> None:
        """Send one message and wait until Pub/Sub has it; Unavailable where that is not known."""
        path = self.publisher.topic_path(self.project, self.name)
        try:
            self.publisher.publish(path, data, timeout=TIMEOUT_SECONDS, **attributes).result(
                timeout=TIMEOUT_SECONDS
            )
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

    def publish_level(self, message: LevelMessage) -> None:
        """Send the message that starts or continues a level."""
        run = message.run
        attributes = {"tenant": run.tenant_id, "run": run.run_id, "level": str(message.level)}
        if run.traceparent:
            attributes["traceparent"] = run.traceparent
        self.topic.publish(encode(message), attributes)

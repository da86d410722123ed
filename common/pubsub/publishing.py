"""Publishing: each message is durable before the caller goes on.

Messages are made as messages and sent by the service's own call. The client's `publish` takes attributes as
keyword arguments, beside its own: an attribute called `data` or `topic` would be taken for one of those.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from google.api_core import exceptions as google
from google.api_core.retry import Retry, if_exception_type
from google.pubsub_v1 import PublisherClient, PubsubMessage

from common.errors import MessageRefused, Unavailable
from common.runs.level_messages import SIGNATURE, LevelKeys, LevelMessage, encode

TIMEOUT_SECONDS = 30.0
PATIENCE_SECONDS = 5.0
MAX_MESSAGES = 500
MAX_REQUEST_BYTES = 5_000_000
"""Of the 10 MB that Pub/Sub takes in one request."""
RETRY = Retry(
    if_exception_type(
        google.Aborted,
        google.Cancelled,
        google.DeadlineExceeded,
        google.InternalServerError,
        google.ResourceExhausted,
        google.ServiceUnavailable,
        google.Unknown,
    ),
    initial=0.1,
    maximum=5.0,
    timeout=TIMEOUT_SECONDS,
)


def make_publisher() -> PublisherClient:
    """Make a client; PUBSUB_EMULATOR_HOST, if set, is honoured by the client itself."""
    return PublisherClient()


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One topic of the platform's project."""

    publisher: PublisherClient
    project: str
    name: str

    def publish(self, data: bytes, attributes: Mapping[str, str]) -> None:
        """Send one message and wait until Pub/Sub has it; raises as `publish_all` does."""
        self.publish_all([(data, attributes)])

    def publish_all(self, messages: Sequence[tuple[bytes, Mapping[str, str]]]) -> None:
        """Send messages and wait until Pub/Sub has them all, in as few requests as it takes.

        Unavailable where that is not known, MessageRefused where Pub/Sub will never take one of them.
        """
        for request in _requests([self._message(data, attributes) for data, attributes in messages]):
            self._send(request)

    def exists(self) -> bool:
        """Tell whether Pub/Sub answers and knows the topic."""
        try:
            self.publisher.get_topic(topic=self._path, retry=None, timeout=PATIENCE_SECONDS)
        except (google.GoogleAPICallError, google.RetryError):
            return False
        return True

    @property
    def _path(self) -> str:
        return f"projects/{self.project}/topics/{self.name}"

    def _message(self, data: bytes, attributes: Mapping[str, str]) -> PubsubMessage:
        try:
            return PubsubMessage(data=data, attributes=attributes)
        except (TypeError, ValueError) as error:  # No text, or none that UTF-8 can write.
            raise self._refused(error) from error

    def _send(self, messages: list[PubsubMessage]) -> None:
        try:
            self.publisher.publish(topic=self._path, messages=messages, retry=RETRY, timeout=TIMEOUT_SECONDS)
        except google.InvalidArgument as error:
            raise self._refused(error) from error
        except (google.GoogleAPICallError, google.RetryError) as error:
            raise Unavailable(
                f"Pub/Sub did not take a message for {self.name}: {type(error).__name__}"
            ) from error

    def _refused(self, error: Exception) -> MessageRefused:
        return MessageRefused(f"Pub/Sub takes no such message for {self.name}: {type(error).__name__}")


def _requests(messages: Sequence[PubsubMessage]) -> Iterator[list[PubsubMessage]]:
    """Divide messages among requests of a size that Pub/Sub takes."""
    request: list[PubsubMessage] = []
    size = 0
    for message in messages:
        bytes_more = PubsubMessage.pb(message).ByteSize()
        if request and (len(request) == MAX_MESSAGES or size + bytes_more > MAX_REQUEST_BYTES):
            yield request
            request, size = [], 0
        request.append(message)
        size += bytes_more
    if request:
        yield request


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelTopic:
    """Level messages (`common.runs.ports.LevelPublisher`)."""

    topic: Topic
    keys: LevelKeys = field(default_factory=LevelKeys)

    def publish_level(self, message: LevelMessage) -> None:
        """Send the message that starts or continues a level."""
        self.publish_levels([message])

    def publish_levels(self, messages: Sequence[LevelMessage]) -> None:
        """Send the messages that start levels of many runs."""
        encoded = [(encode(message), _attributes(message)) for message in messages]
        self.topic.publish_all([(data, attributes | self._signed(data)) for data, attributes in encoded])

    def _signed(self, data: bytes) -> dict[str, str]:
        signature = self.keys.sign(data)
        return {SIGNATURE: signature} if signature else {}


def _attributes(message: LevelMessage) -> dict[str, str]:
    run = message.run
    attributes = {"tenant": run.tenant_id, "run": run.run_id, "level": str(message.level)}
    return attributes | ({"traceparent": run.traceparent} if run.traceparent else {})

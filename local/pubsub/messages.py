"""Hold what publishers send, and check it against the limits of Pub/Sub."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from local.pubsub.names import split_name
from local.refusals import invalid

MAX_MESSAGES = 1_000
MAX_REQUEST_BYTES = 10_000_000
MAX_ATTRIBUTES = 100
MAX_KEY_BYTES = 256
MAX_VALUE_BYTES = 1_024

_ORIGIN = "CloudPubSubDeadLetterSource"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a publisher hands over."""

    data: bytes
    attributes: Mapping[str, str]

    def check(self) -> None:
        """Refuse content that Pub/Sub would not take."""
        if not self.data and not self.attributes:
            raise invalid("a message has data, or at least one attribute, or both")
        if len(self.attributes) > MAX_ATTRIBUTES:
            raise invalid(f"a message has at most {MAX_ATTRIBUTES} attributes, not {len(self.attributes)}")
        for key, value in self.attributes.items():
            _check_attribute(key, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Content with what the server gave it: a message ID, and when it was published (seconds since 1970)."""

    id: str
    published_at: float
    content: Content

    @property
    def publish_time(self) -> str:
        """Write the time of publishing as RFC 3339, in milliseconds."""
        moment = datetime.fromtimestamp(self.published_at, tz=UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def as_dead_letter(self, *, subscription: str, attempts: int) -> Content:
        """Return what goes to the dead letter topic: the same content, and marks of where it comes from."""
        project, subscription_id = split_name(subscription)
        origin = {
            f"{_ORIGIN}DeliveryCount": str(attempts),
            f"{_ORIGIN}Subscription": subscription_id,
            f"{_ORIGIN}SubscriptionProject": project,
            f"{_ORIGIN}TopicPublishTime": self.publish_time,
        }
        return Content(data=self.content.data, attributes={**self.content.attributes, **origin})


def check_batch(count: int, size_bytes: int) -> None:
    """Refuse a publish request that holds nothing or too much."""
    if count == 0:
        raise invalid("a publish request has at least one message")
    if count > MAX_MESSAGES:
        raise invalid(f"a publish request has at most {MAX_MESSAGES} messages, not {count}")
    if size_bytes > MAX_REQUEST_BYTES:
        raise invalid(f"a publish request has at most {MAX_REQUEST_BYTES} bytes, not {size_bytes}")


def _check_attribute(key: str, value: str) -> None:
    if not key or len(key.encode()) > MAX_KEY_BYTES:
        raise invalid(f"the key of an attribute has 1 to {MAX_KEY_BYTES} bytes: {key[:40]!r}")
    if key.startswith("goog"):
        raise invalid(f"the key of an attribute does not begin with 'goog': {key!r}")
    if len(value.encode()) > MAX_VALUE_BYTES:
        raise invalid(f"the value of an attribute has at most {MAX_VALUE_BYTES} bytes: {key!r}")

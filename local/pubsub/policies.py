"""Read from a subscription's resource how to deliver its messages, and refuse what cannot be served."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import grpc

from local.refusals import Refusal, invalid

DEFAULT_ACK_DEADLINE_SECONDS = 10
MAX_ACK_DEADLINE_SECONDS = 600
MAX_BACKOFF_SECONDS = 600
DEFAULT_DELIVERY_ATTEMPTS = 5

_OF_TOPICS = frozenset({"labels", "name"})
_OF_SUBSCRIPTIONS = frozenset(
    {
        "ack_deadline_seconds",
        "dead_letter_policy",
        "labels",
        "name",
        "push_config",
        "retry_policy",
        "topic",
    }
)
_OF_PUSHES = frozenset({"push_endpoint"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPolicy:
    """How one subscription delivers; a text is empty where there is nothing."""

    ack_deadline_seconds: float
    minimum_backoff_seconds: float
    maximum_backoff_seconds: float
    max_delivery_attempts: int
    dead_letter_topic: str
    push_endpoint: str

    def backoff_seconds(self, attempts: int) -> float:
        """Tell how long a message rests after so many attempts: twice as long each time, to the maximum."""
        doublings = min(attempts - 1, 60)
        return min(self.maximum_backoff_seconds, self.minimum_backoff_seconds * 2.0**doublings)

    def is_exhausted(self, attempts: int) -> bool:
        """Say whether a message that failed so many times belongs to the dead letters."""
        return bool(self.dead_letter_topic) and attempts >= self.max_delivery_attempts


def check_topic(resource: Any) -> None:
    """Refuse a topic that is to do what none does here."""
    _check_fields(resource, _OF_TOPICS)


def with_defaults(resource: Any) -> Any:
    """Return a copy of a subscription with the values that Pub/Sub fills in."""
    complete = type(resource)()
    complete.CopyFrom(resource)
    complete.ack_deadline_seconds = resource.ack_deadline_seconds or DEFAULT_ACK_DEADLINE_SECONDS
    if resource.HasField("dead_letter_policy"):
        policy = complete.dead_letter_policy
        policy.max_delivery_attempts = policy.max_delivery_attempts or DEFAULT_DELIVERY_ATTEMPTS
    if resource.HasField("retry_policy"):
        _fill_backoff(complete.retry_policy)
    return complete


def policy_of(resource: Any) -> DeliveryPolicy:
    """Read the policy of a subscription that has its defaults."""
    _check(resource)
    minimum_backoff_seconds, maximum_backoff_seconds = _backoff(resource)
    return DeliveryPolicy(
        ack_deadline_seconds=resource.ack_deadline_seconds,
        minimum_backoff_seconds=minimum_backoff_seconds,
        maximum_backoff_seconds=maximum_backoff_seconds,
        max_delivery_attempts=resource.dead_letter_policy.max_delivery_attempts,
        dead_letter_topic=resource.dead_letter_policy.dead_letter_topic,
        push_endpoint=resource.push_config.push_endpoint,
    )


def _fill_backoff(retry_policy: Any) -> None:
    if not retry_policy.HasField("minimum_backoff"):
        retry_policy.minimum_backoff.seconds = 10
    if not retry_policy.HasField("maximum_backoff"):
        retry_policy.maximum_backoff.seconds = MAX_BACKOFF_SECONDS


def _backoff(resource: Any) -> tuple[float, float]:
    """Return the least and the longest rest; without a policy, pull is immediate and push slows down."""
    if resource.HasField("retry_policy"):
        policy = resource.retry_policy
        return _seconds(policy.minimum_backoff), _seconds(policy.maximum_backoff)
    return (0.1, 60.0) if resource.push_config.push_endpoint else (0.0, 0.0)


def _seconds(duration: Any) -> float:
    return float(duration.seconds) + float(duration.nanos) / 1e9


def _check(resource: Any) -> None:
    _check_fields(resource, _OF_SUBSCRIPTIONS)
    _check_fields(resource.push_config, _OF_PUSHES, within="push_config.")
    if not DEFAULT_ACK_DEADLINE_SECONDS <= resource.ack_deadline_seconds <= MAX_ACK_DEADLINE_SECONDS:
        raise invalid(f"ack_deadline_seconds is from 10 to 600, not {resource.ack_deadline_seconds}")
    _check_endpoint(resource.push_config.push_endpoint)
    if resource.HasField("retry_policy"):
        _check_backoff(*_backoff(resource))
    if resource.HasField("dead_letter_policy"):
        _check_dead_letters(resource.dead_letter_policy)


def _check_fields(resource: Any, served: frozenset[str], within: str = "") -> None:
    """Refuse what is not served: ignored, it would promise what the service does and this one does not."""
    unserved = [f"{within}{field.name}" for field, _ in resource.ListFields() if field.name not in served]
    if unserved:
        raise invalid(f"not served on this machine: {', '.join(unserved)}")


def _check_endpoint(endpoint: str) -> None:
    if endpoint and not _is_web_url(endpoint):
        raise invalid(f"push_endpoint is an http or https URL, not {endpoint!r}")


def _is_web_url(text: str) -> bool:
    try:
        url = urlsplit(text)
        return url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:  # a port that is no number, a broken IPv6 address
        return False


def _check_backoff(minimum_seconds: float, maximum_seconds: float) -> None:
    if not 0 <= minimum_seconds <= maximum_seconds <= MAX_BACKOFF_SECONDS:
        given = f"{minimum_seconds:g} s to {maximum_seconds:g} s"
        raise invalid(f"the backoff is from 0 to 600 s, its minimum not above its maximum: {given}")


def _check_dead_letters(policy: Any) -> None:
    if not policy.dead_letter_topic:
        raise invalid("a dead letter policy names its dead_letter_topic")
    if not 5 <= policy.max_delivery_attempts <= 100:
        message = f"max_delivery_attempts is from 5 to 100, not {policy.max_delivery_attempts}"
        raise Refusal(grpc.StatusCode.OUT_OF_RANGE, message)

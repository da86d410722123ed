"""Name the raw protobuf classes of google-cloud-pubsub, and convert to them."""

from typing import Any

from google.protobuf import empty_pb2, json_format
from google.pubsub_v1 import types

from local.pubsub.messages import Content, Message
from local.pubsub.subscriptions import Delivery
from local.refusals import invalid
from local.rpc import raw

Empty = empty_pb2.Empty

Topic = raw(types.Topic)
GetTopicRequest = raw(types.GetTopicRequest)
PublishRequest = raw(types.PublishRequest)
PublishResponse = raw(types.PublishResponse)

Subscription = raw(types.Subscription)
GetSubscriptionRequest = raw(types.GetSubscriptionRequest)
DeleteSubscriptionRequest = raw(types.DeleteSubscriptionRequest)
ModifyPushConfigRequest = raw(types.ModifyPushConfigRequest)
PullRequest = raw(types.PullRequest)
PullResponse = raw(types.PullResponse)
AcknowledgeRequest = raw(types.AcknowledgeRequest)
ModifyAckDeadlineRequest = raw(types.ModifyAckDeadlineRequest)

_PubsubMessage = raw(types.PubsubMessage)
_ReceivedMessage = raw(types.ReceivedMessage)


def content_of(message: Any) -> Content:
    """Read what a publisher sent."""
    if message.ordering_key:
        raise invalid("not served on this machine: ordering_key")
    return Content(data=message.data, attributes=dict(message.attributes))


def received_message(delivery: Delivery) -> Any:
    """Write a delivery as a puller gets it."""
    message = _pubsub_message(delivery.message)
    return _ReceivedMessage(ack_id=delivery.ack_id, message=message, delivery_attempt=delivery.attempt)


def with_push_config(subscription: Any, push_config: Any) -> Any:
    """Return a copy of a subscription that pushes as it is told, or not at all."""
    copy = Subscription()
    copy.CopyFrom(subscription)
    copy.push_config.CopyFrom(push_config)
    return copy


def as_record(resource: Any) -> dict[str, Any]:
    """Write a topic or subscription as a dictionary."""
    record: dict[str, Any] = json_format.MessageToDict(resource)
    return record


def from_record(kind: Any, record: dict[str, Any]) -> Any:
    """Read what `as_record` wrote."""
    return json_format.ParseDict(record, kind())


def _pubsub_message(message: Message) -> Any:
    content = message.content
    wired = _PubsubMessage(message_id=message.id, data=content.data, attributes=dict(content.attributes))
    wired.publish_time.FromNanoseconds(int(message.published_at * 1e9))
    return wired
